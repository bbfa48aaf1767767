"""What users copy from the pages works: configurations, commands, the kubelet's files; installation, help, version."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap

import pytest
import yaml
from identity_fixtures import CLAIMS, POD_ROLE
from program_run import (API, DEMO, PROGRAM, ROOT, caller, is_gone, pull, request, run, skip_where_permitted,
                         wait_until, without_cache)


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


CONFIGURATIONS = [block for page in ("README.md", "deploy/README.md", "plugin/config/README.md")
                  for block in map(json.loads, re.findall(r"```json\n(.*?)```", read(page), re.S))
                  if block.keys() & {"registries", "podIdentity"}]


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_configurations_are_accepted(configuration, tmp_path):
    assert run(request("registry-cn-hangzhou.ack.aliyuncs.com/acs/pause"), config=configuration,
               tmp_path=tmp_path).auth == {}


def test_sample_configuration(cloud, tmp_path):
    configuration = next(block for block in CONFIGURATIONS if "log" in block)
    assert list(pull(cloud, "hub.example.com/a", config=configuration, tmp_path=tmp_path).auth) == ["hub.example.com"]
    assert cloud.log("registry") == [] and caller(cloud) == "KubernetesWorkerRole"
    pull(cloud, DEMO + "/a", config=configuration, tmp_path=tmp_path).answer
    assert caller(cloud) == "puller"


def test_identity_for_a_registry(cloud, tmp_path):
    configuration = next(block for block in CONFIGURATIONS if "partner" in json.dumps(block))
    pull(cloud, "foreign-registry.cn-hangzhou.cr.aliyuncs.com/a", config=configuration, tmp_path=tmp_path).answer
    assert caller(cloud) == "partner"


def test_role_for_a_pod(cloud, tmp_path):
    """By each annotation that the kubelet is told to send; the account of the page is the first one's."""
    configuration = next(block for block in CONFIGURATIONS if "clusterId" in json.dumps(block))
    keys = yaml.safe_load(read("deploy", "credential-provider-pods.yaml"))["providers"][0]["tokenAttributes"]
    token = cloud.cloud.mint({**CLAIMS, "aud": keys["serviceAccountTokenAudience"]})
    shown, = re.findall(r" *```yaml\n(.*?)```", read("deploy", "README.md"), re.S)
    assert yaml.safe_load(textwrap.dedent(shown))["metadata"]["annotations"] == {"acr.aliyun.com/role-arn": POD_ROLE}
    for key in keys["optionalServiceAccountAnnotationKeys"]:
        value = POD_ROLE if key.endswith("/role-arn") else "pod"
        asked = request(DEMO + "/a", serviceAccountToken=token, serviceAccountAnnotations={key: value})
        run(asked, cloud.environment(), config=configuration, tmp_path=tmp_path).answer
        assert caller(cloud) == "pod"


def test_command_lines_of_the_readme(cloud):
    """Those for a shell, with the host put in; what clients do with the output is in test_clients."""
    lines = re.findall(r"aliyun-acr-credential-provider (get .*?(?:HOST|IMAGE))[ \n)`]", read("README.md"))
    assert len(lines) == 5
    for line in lines:
        done = subprocess.run([PROGRAM, *re.sub("REGISTRY_HOST|HOST|IMAGE", DEMO, line).split()], text=True,
                              capture_output=True, env={**cloud.environment(), **without_cache()}, check=False)
        assert done.returncode == 0 and cloud.cloud.issued[-1] in done.stdout + str(base64_of(done.stdout)), line


@pytest.mark.slow
def test_what_the_readmes_do_with_the_emulator():
    """Word for word, but for the program, which is built elsewhere."""
    line = re.search(r"\n(python3 tests/emulator/emulator\.py build/demo/.*?[^\\])\n", read("README.md"),
                     re.S)[1].replace("\\\n", "")
    script = re.search(r"```python\n(.*?)```", read("tests", "emulator", "README.md"), re.S)[1]
    for command in (line.split(),
                    [sys.executable, "-B", "-c", script.replace("build/demo/" + os.path.basename(PROGRAM), PROGRAM)]):
        command = [PROGRAM if word.startswith("build/demo/") else word for word in command]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env={
            "PATH": os.environ["PATH"], "PYTHONPATH": "tests/emulator", "PYTHONDONTWRITEBYTECODE": "1"})
        assert done.returncode == 0 and list(json.loads(done.stdout)["auth"]) == [DEMO], done.stderr


def base64_of(text):
    found = re.search(r'"auth":"([^"]*)"', text)
    return base64.b64decode(found[1]).decode() if found else ""


SHOWN = re.search(r"\n(\$ echo '(.*?)' \|\n +aliyun-acr-credential-provider --no-cache\n(.*?)\n)```", read("README.md"),
                  re.S)


def plain(answer):
    """Without password and jitter, and with each document in one line."""
    answer = re.sub(r",\n +", ",", answer)
    return re.sub(r'"cacheDuration":"2[4-7]\d\ds"', '"cacheDuration":""', re.sub(r'"reg-[0-9a-f]{80}"', '""', answer))


def test_answer_shown_in_the_readme(cloud):
    real = run(SHOWN[2], cloud.environment()).out
    assert plain(real.strip()) == plain(SHOWN[3]) != real.strip()


class Newcomer:
    """Has a copy of this checkout in which nothing was ever built; who installs nothing more, for a test must not."""

    def __init__(self, folder):
        self.checkout, self.temporary = folder / "checkout", folder / "temporary"
        shutil.copytree(ROOT, self.checkout, ignore=shutil.ignore_patterns("build", ".git", "__pycache__"))
        self.temporary.mkdir()
        (folder / "bin").mkdir()
        for name in ("apt-get", "sudo"):
            (folder / "bin" / name).symlink_to("/bin/false")
        self.variables = {"PATH": f"{folder}/bin:{os.environ['PATH']}", "HOME": str(folder),
                          "TMPDIR": str(self.temporary)}
        if subprocess.run(["sh", "tests/setup.sh", "try"], cwd=self.checkout, env=self.variables,
                          check=False).returncode:
            skip_where_permitted("what a newcomer needs is not installed by apt-get")

    def files(self):
        return {os.path.join(folder, name) for folder, _, names in os.walk(self.checkout) for name in names
                if not folder.startswith(str(self.checkout / "build"))}

    def run(self, *command):
        """What it prints, when it has left neither a process nor a file behind but what it has built."""
        before = self.files()
        with subprocess.Popen(command, cwd=self.checkout, env=self.variables, text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True) as process:
            out, err = process.communicate(timeout=600)
        assert process.returncode == 0, err
        wait_until(lambda: is_gone("-g", str(process.pid)))
        assert self.files() == before and os.listdir(self.temporary) == []
        return out


@pytest.fixture
def newcomer(tmp_path):
    return Newcomer(tmp_path)


@pytest.mark.slow
def test_first_command_of_the_readme(newcomer):
    assert "\nsh tests/demo.sh " in read("README.md")
    assert plain(newcomer.run("sh", "tests/demo.sh")).endswith(plain(SHOWN[1]))


@pytest.mark.slow
def test_bench_prints_the_tables_of_its_page(newcomer):
    """Its own build stands in for a release, which takes longer to build; no figure decides."""
    if not shutil.which("curl"):
        skip_where_permitted("curl is not there")
    printed = newcomer.run("sh", "tests/bench/run.sh", "1", "build/release/aliyun-acr-credential-provider")

    def tables(text):
        return [re.sub(r"\d+\.\d+|\d+ rounds|pass|miss", "", line) for line in text.splitlines()
                if line.startswith("|")]

    assert tables(printed) == tables(read("tests", "bench", "README.md")) != []


@pytest.mark.parametrize("name", ["credential-provider.yaml", "credential-provider-pods.yaml"])
def test_kubelet_examples(name):
    """The kubelet decodes strictly: no field but its own; and the patterns match what they should."""
    config = yaml.safe_load(read("deploy", name))
    provider, = config["providers"]
    assert (config["apiVersion"], config["kind"]) == ("kubelet.config.k8s.io/v1", "CredentialProviderConfig")
    assert config.keys() == {"apiVersion", "kind", "providers"}
    assert provider.keys() - {"tokenAttributes"} == {"name", "apiVersion", "matchImages", "defaultCacheDuration"}
    assert provider.get("tokenAttributes", {}).keys() <= {
        "serviceAccountTokenAudience", "cacheType", "requireServiceAccount", "requiredServiceAccountAnnotationKeys",
        "optionalServiceAccountAnnotationKeys"}
    assert provider["name"] == os.path.basename(PROGRAM) and provider["apiVersion"] == API + "v1"
    patterns = [re.compile(p.replace(".", r"\.").replace("*", "[^.]*")) for p in provider["matchImages"]]
    for host in (DEMO, "demo-registry-vpc.cn-hangzhou.cr.aliyuncs.com", "registry-vpc.cn-beijing.aliyuncs.com",
                 "crpi-abcdefgh12345678.cn-shanghai.personal.cr.aliyuncs.com"):
        assert any(p.fullmatch(host) for p in patterns), host
    for host in ("registry-cn-hangzhou-vpc.ack.aliyuncs.com", "docker.io"):
        assert not any(p.fullmatch(host) for p in patterns), host


def test_rights_for_the_audience():
    role, binding = yaml.safe_load_all(read("deploy", "token-audience.yaml"))
    provider, = yaml.safe_load(read("deploy", "credential-provider-pods.yaml"))["providers"]
    assert role["rules"] == [{"apiGroups": [""], "verbs": ["request-serviceaccounts-token-audience"],
                              "resources": [provider["tokenAttributes"]["serviceAccountTokenAudience"]]}]
    assert binding["roleRef"]["name"] == role["metadata"]["name"] and binding["subjects"][0]["name"] == "system:nodes"


def test_help_and_version():
    shown = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True, env={}).stdout
    assert "--config" in shown and "78 bad configuration" in shown
    for argument in ("version", "--version"):
        version = subprocess.run([PROGRAM, argument], capture_output=True, text=True, check=True, env={}).stdout
        assert re.match(r"aliyun-acr-credential-provider \d+\.\d+\.\d+\nlibcurl/.*\nOpenSSL .*\njson-c .*\nlibyaml ",
                        version)


def files_to_deploy():
    return [os.path.relpath(os.path.join(folder, name), ROOT)
            for folder, _, names in os.walk(os.path.join(ROOT, "deploy")) for name in names
            if not os.path.relpath(folder, ROOT).startswith(("deploy/man", "deploy/release", "deploy/static"))]


def test_what_is_installed(tmp_path):
    build = os.path.dirname(PROGRAM)
    if not os.path.exists(os.path.join(build, "cmake_install.cmake")):
        skip_where_permitted("this executable is of no build folder")
    subprocess.run(["cmake", "--install", build, "--prefix", str(tmp_path)], capture_output=True, check=True)
    installed = {os.path.relpath(os.path.join(folder, name), tmp_path) for folder, _, names in os.walk(tmp_path)
                 for name in names}
    name = "aliyun-acr-credential-provider"
    assert installed == {f"bin/{name}", "bin/docker-credential-aliyun-acr", f"share/man/man1/{name}.1",
                         "share/man/man1/docker-credential-aliyun-acr.1", f"share/{name}/config.schema.json",
                         f"share/{name}/doctor.schema.json"} | {
        f"share/doc/{name}/{document}" for document in (
            "LICENSE", "README.md", "CHANGELOG.md", "plugin/config/README.md", *files_to_deploy())}
    assert os.readlink(tmp_path / "bin" / "docker-credential-aliyun-acr") == name


def test_what_the_kubelet_examples_leave_to_uncomment():
    for name in ("credential-provider.yaml", "credential-provider-pods.yaml"):
        text = re.sub(r"^  # (?=args|env|- )", "  ", read("deploy", name), flags=re.M)
        provider, = yaml.safe_load(text)["providers"]
        assert provider["args"] == ["--log-level=info",
                                    "--log-to=syslog"] and provider["env"][0]["name"] == "HTTPS_PROXY"
        assert f"args: {json.dumps(provider['args'])}" in read("README.md")
        assert provider["matchImages"][-1] == "hub.example.com"


def test_terminal_without_input_shows_help():
    import pty
    controller, terminal = pty.openpty()
    try:
        shown = subprocess.run([PROGRAM], stdin=terminal, capture_output=True, text=True, timeout=20, check=True)
    finally:
        os.close(controller)
        os.close(terminal)
    assert shown.stdout.startswith("usage: ")
