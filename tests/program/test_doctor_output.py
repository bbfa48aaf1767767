"""What `doctor` prints, where, and never; what another user than root is told; each check at its worst."""

import json
import os
import pathlib
import pty
import re
import shlex
import shutil
import subprocess
import tempfile

import pytest
from doctor_run import FOLDER, Report, doctor, examine, schema
from identity_fixtures import ACCESS_KEY, CLAIMS, KEY, POD_ROLE
from made_up_node import BIN, CONFIG, FLAGS, PROVIDER, TOKENS, MadeUpNode, configuration, entry, example, healthy
from program_run import DEMO, PROGRAM, WRAPPER, assert_quiet, call, skip_where_permitted

IMAGE = DEMO + "/team/app:v1"
VPC, PUBLIC = "cr-vpc.cn-hangzhou.aliyuncs.com", "cr.cn-hangzhou.aliyuncs.com"
OWN_CONFIG = "/etc/aliyun-acr-credential-provider/config.json"


@pytest.fixture
def made(tmp_path):
    return MadeUpNode(tmp_path / "node")


def sources_of_doctor():
    texts = []
    for name in os.listdir(FOLDER):
        if name.endswith(".c"):
            with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
                texts.append(file.read())
    return "".join(texts)


def test_every_check_of_the_schema_is_one_of_the_sources():
    known = set(schema()["properties"]["checks"]["items"]["properties"]["id"]["enum"])
    sections = "|".join({name.partition(".")[0] for name in known})
    assert set(re.findall(rf'"((?:{sections})\.[a-z]+)"', sources_of_doctor())) == known


def without_durations(text):
    return re.sub(r" \[\d+ ms\]$", "", text, flags=re.M)


def on_terminal(arguments, environment):
    """What it prints on a terminal of its own."""
    leader, follower = pty.openpty()
    with subprocess.Popen([*WRAPPER, PROGRAM, *arguments], stdout=follower, env=environment):
        os.close(follower)
        out = b""
        try:
            while part := os.read(leader, 65536):
                out += part
        except OSError:  # the end
            pass
    os.close(leader)
    return without_durations(out.decode().replace("\r\n", "\n"))


def test_colors_on_a_terminal_only(made):
    made.run("/usr/bin/kubelet", *(f"--image-credential-provider-config=/{name}" for name in "ab"))
    arguments = ["doctor", "--host-root", str(made.root)]
    plain = without_durations(call(*arguments, environment=ACCESS_KEY).out)
    colored = on_terminal(arguments, ACCESS_KEY)
    assert "\033" not in plain
    for color, mark in (("32", "\u2713"), ("31", "\u2717"), ("33", "!")):
        assert f"  \033[{color}m{mark}\033[0m " in colored
    assert re.sub(r"\033\[\d+m", "", colored) == plain
    assert on_terminal(arguments, {**ACCESS_KEY, "NO_COLOR": "1"}) == plain
    assert on_terminal(arguments, {**ACCESS_KEY, "NO_COLOR": ""}) == colored
    assert "\033" not in on_terminal([*arguments, "--output", "json"], ACCESS_KEY)


def test_what_a_service_says_does_not_reach_the_terminal(cloud, made):
    cloud.fault("acr", "GetAuthorizationToken", status=403,
                body=json.dumps({"Code": "NoPermission", "Message": "a\033[31mb\nc"}))
    result = doctor(IMAGE, cloud=cloud, root=made.root)
    assert "a?[31mb?c" in result.out and "\033" not in result.out
    examine(IMAGE, cloud=cloud, root=made.root)


@pytest.mark.parametrize("output", ["text", "json"])
@pytest.mark.parametrize("streams, words", [(">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")])
def test_output_that_fails(made, output, streams, words):
    command = shlex.join([*WRAPPER, PROGRAM, "doctor", "--output", output, "--host-root", str(made.root)])
    done = subprocess.run(["sh", "-c", f"{command} {streams}"], capture_output=True, text=True, env=ACCESS_KEY,
                          check=False)
    assert done.returncode == 74 and done.stdout == ""
    assert re.fullmatch(rf"aliyun-acr-credential-provider: cannot write standard output: {words}\. .+\n", done.stderr)


def test_log_of_a_run(cloud, made):
    """None is kept of what doctor does: it answers nobody."""
    made.write(OWN_CONFIG, {"log": {"level": "debug"}})
    assert doctor(DEMO, cloud=cloud, root=made.root).err == ""
    assert "source=" not in doctor(DEMO, "--log-level", "debug", cloud=cloud, root=made.root).err


def test_no_secret_is_told(cloud, tmp_path):
    """Of profiles, variables, tokens, proxies and the cloud."""
    secrets = ["entry-secret-0123456789", "profile-secret-0123456789", "session-0123456789abcdef", "proxy-s3cret"]
    env = [{"name": "ALIBABA_CLOUD_ACCESS_KEY_ID", "value": KEY},
           {"name": "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "value": secrets[0]},
           {"name": "ALIBABA_CLOUD_SECURITY_TOKEN", "value": secrets[2]}]
    node = healthy(tmp_path / "node").write(CONFIG, configuration(entry(env=env)))
    node.write("/root/.aliyun/config.json", {"current": "default", "profiles": [
        {"name": "default", "mode": "AK", "access_key_id": KEY, "access_key_secret": secrets[1]}]}, 0o600)
    token = tmp_path / "token"
    token.write_text(cloud.cloud.mint(CLAIMS))
    token.chmod(0o600)
    proxy = cloud.proxy.replace("http://", f"http://user:{secrets[3]}@")
    for_pod = ["--service-account-token", str(token), "--annotation", f"acr.aliyun.com/role-arn={POD_ROLE}"]
    for arguments in ([], for_pod):
        for output in ("text", "json"):
            result = doctor(IMAGE, "--output", output, "--log-level", "debug", *arguments, cloud=cloud, root=node.root,
                            environment={"HOME": "/root", "HTTPS_PROXY": proxy})
            assert result.status == 1
            assert_quiet(result.out + result.err, secrets)


def stopped(node, content, *flags):
    """A kubelet that does not run, with this configuration."""
    node.write("/etc/default/kubelet", " ".join([*FLAGS, *flags])).write(CONFIG, content, 0o666)


# What each check comes to at worst.
WORST = {
    **dict.fromkeys(["kubelet.process", "kubelet.flags", "kubelet.configuration", "kubelet.restart", "kubelet.program",
                     "kubelet.tokens", "kubelet.provider", "program.arguments", "program.settings", "match.entry",
                     "registry.host", "registry.reachable", "registry.instance", "identity.credentials",
                     "network.trust", "network.proxy", "network.endpoint", "api.instance", "api.token",
                     "login.password", "login.pull"], "failed"),
    **dict.fromkeys(["kubelet.owner", "identity.source", "network.clock"],
                    "warning"),
    **dict.fromkeys(["kubelet.version", "program.environment", "program.cache", "pods.rbac"], "skipped"),
    "program.version": "ok"}


def test_every_check_at_its_worst(cloud, tmp_path):
    met = {}

    def meet(node, *arguments, **keywords):
        for check in examine(*arguments, cloud=cloud, root=node.root, **keywords).checks:
            met.setdefault(check["id"], set()).add(check["status"])

    gate = "--feature-gates=KubeletServiceAccountTokenForCredentialProviders=false"
    node = MadeUpNode(tmp_path / "stopped")
    stopped(node, configuration(entry(tokenAttributes=TOKENS, args=["--x"]), kind="x"), gate)
    meet(node)  # without a program
    node.install("ecr").kubelet(*FLAGS, namespace="mnt:[5]")
    node.write(OWN_CONFIG, "{").write(CONFIG, configuration(entry(name="ecr")), age_s=0)
    meet(node, version=None)
    meet(node.kubelet())
    node = healthy(tmp_path / "node").write(CONFIG, configuration(entry(args=["--x"])))
    meet(node)
    node = healthy(tmp_path / "node")
    node.write(OWN_CONFIG, {"registries": [{"match": ["a.example.com"], "identity": {"source": "env"}}]})
    cloud.cloud.unresolvable = {"a.example.com", VPC, PUBLIC}
    cloud.cloud.clock_offset_s = 100
    token = tmp_path / "token"
    token.write_text(cloud.cloud.mint(CLAIMS))
    token.chmod(0o600)
    meet(node, "a.example.com", "https://a/", DEMO, "--service-account-token", str(token))
    meet(node, DEMO, environment={"HTTPS_PROXY": "ftp://a", "SSL_CERT_FILE": "/nonexistent"})
    cloud.cloud.unresolvable, cloud.cloud.clock_offset_s = set(), 0
    cloud.cloud.pull_repositories = set()
    meet(node, IMAGE)
    cloud.fault("auth", status=401)
    meet(node, "foreign.example.com", IMAGE)
    cloud.fault("acr", status=403)
    meet(node, IMAGE)
    node.write(CONFIG, example("credential-provider-pods.yaml"))
    meet(node)
    # The one that is left out needs real processes: test_doctor_processes.py.
    assert {*WORST, "kubelet.container"} == set(schema()["properties"]["checks"]["items"]["properties"]["id"]["enum"])
    order = ["failed", "warning", "skipped", "ok"]
    assert {name: min(statuses, key=order.index) for name, statuses in met.items()} == WORST


def test_no_check_is_worse_in_the_sources():
    text = sources_of_doctor()
    for name, status in WORST.items():
        assert (re.search(rf'REPORT_FAILED[^;]*"{re.escape(name)}"', text) is not None) == (status == "failed"), name


# -- other users ---------------------------------------------------------------------------------------------------


@pytest.fixture
def nobody():
    """A healthy node that others may enter, and doctor as a user who is not root."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        skip_where_permitted("running as another user needs root and setpriv")
    with tempfile.TemporaryDirectory(prefix="acr-doctor-") as place:
        os.chmod(place, 0o755)
        program = shutil.copy(PROGRAM, place)
        node = healthy(pathlib.Path(place, "node"))

        def run(*arguments, environment=None):
            return [call("doctor", "--output", output, "--host-root", str(node.root), *arguments, program=program,
                         environment={**ACCESS_KEY, **(environment or {})},
                         prefix=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
                    for output in ("json", "text")]
        yield node, run


CLOSED_FILES = {
    "configuration": (lambda node: node.path(CONFIG).chmod(0o600), "kubelet.configuration", CONFIG),
    "folder": (lambda node: node.path(CONFIG).parent.chmod(0o700), "kubelet.configuration", CONFIG),
    "programs": (lambda node: node.path(BIN).chmod(0o700), "kubelet.program", f"{BIN}/{PROVIDER}"),
    "own": (lambda node: node.write(OWN_CONFIG, {}, 0o600), "program.settings", OWN_CONFIG),
    "k3s": (lambda node: node.run("k3s server", title=True).write("/etc/rancher/k3s/config.yaml", {}, 0o600),
            "kubelet.flags", "/etc/rancher/k3s/config.yaml"),
    "unit": (lambda node: (shutil.rmtree(node.path("/proc/812")), node.write("/etc/default/kubelet", "", 0o600)),
             "kubelet.process", "/etc/default/kubelet"),
}


@pytest.mark.parametrize("what", CLOSED_FILES)
def test_what_another_user_may_not_see(nobody, what):
    node, run = nobody
    change, name, path = CLOSED_FILES[what]
    change(node)
    found, text = run("--kubelet", "1.34")
    report = Report(found)
    assert report.healthy and report.of("kubelet.provider") == []
    check = report.has(name, "skipped", f"{path} is closed to this user")
    assert check["advice"] == "Run doctor as root"
    assert "\nHealthy as far as this user can see" in text.out


def test_version_that_another_user_cannot_ask_for(nobody):
    found, _ = nobody[1]()
    Report(found).has("kubelet.version", "skipped", "Run doctor as root, or name it by --kubelet VERSION")
