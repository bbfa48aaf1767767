"""The official libraries of Go, Node and Python pick whom the program picks, given the same files and variables."""

import base64
import contextlib
import ctypes
import fcntl
import hmac
import json
import os
import pathlib
import shlex
import shutil
import socket
import string
import struct
import subprocess
import sys
from urllib.parse import parse_qsl, quote

import pytest
from cloud import ACCOUNT, OIDC_PROVIDER, Refusal
from identity_fixtures import CLAIMS
from program_run import DEMO, Emulator, caller, pull, skip_where_permitted

HERE = pathlib.Path(__file__).resolve().parent
LIBRARIES = {  # how to install each, and how to run its picker
    "go": ["go build -buildvcs=false -o pick .", "./pick"],
    "node": ["npm ci --no-audit --no-fund --ignore-scripts", "node pick.js"],
    "python": [f"{sys.executable} -m pip install --quiet --no-build-isolation --upgrade --target packages "
               "--requirement requirements.txt", f"{sys.executable} pick.py"],
}

# -- the table: who is expected, the variables, the files, and the libraries that differ with the reason -------------

SECRET, TOKEN = "official-secret-0000000001", "CAISofficial"
KEYS = ["LTAIenvironment", "LTAIcli", "LTAIsecond", "LTAIini", "LTAIprocess"]
STS_KEYS = ["STS.environment", "STS.cli", "STS.process"]
CLI, INI = ".aliyun/config.json", ".alibabacloud/credentials"
NO_CONFIG_FILE = {"node": "knows no such variable", "python": "knows no such variable"}
OIDC = {"ALIBABA_CLOUD_ROLE_ARN": f"acs:ram::{ACCOUNT}:role/pod", "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": OIDC_PROVIDER,
        "ALIBABA_CLOUD_OIDC_TOKEN_FILE": "$HOME/token"}


def environment(key_id, **more):
    return {"ALIBABA_CLOUD_ACCESS_KEY_ID": key_id, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET,
            **{"ALIBABA_CLOUD_" + name: value for name, value in more.items()}}


def key(key_id, mode="AK", **more):
    return {"mode": mode, "access_key_id": key_id, "access_key_secret": SECRET, **more}


def role(name, mode="RamRoleArn", **more):
    return {"mode": mode, "ram_role_arn": f"acs:ram::{ACCOUNT}:role/{name}", "ram_session_name": "node-1", **more}


def cli(default, current="default", **others):
    profiles = {"default": default, **others}
    return json.dumps({"current": current, "profiles": [{"name": name, **profiles[name]} for name in profiles]})


def ini(name="default", key_id="LTAIini", kind="access_key", more=""):
    return f"# mine\n[{name}]\ntype = {kind}\naccess_key_id = {key_id}\naccess_key_secret = {SECRET}\n{more}"


def external(key_id, mode, quoted, **more):
    """A command that prints a key; the document holds quotes itself."""
    return {"mode": "External", "process_command": "printf %s " + quoted(json.dumps(key(key_id, mode, **more)))}


def in_double_quotes(text):
    return '"' + text.replace('"', '\\"') + '"'


TABLE = {
    # environment
    "key": ("LTAIenvironment", environment("LTAIenvironment"), {}, {}),
    "key with a token": ("STS.environment", environment("STS.environment", SECURITY_TOKEN=TOKEN), {}, {}),
    "key before role of a pod": ("LTAIenvironment", {**OIDC, **environment("LTAIenvironment")}, {}, {}),
    "key before profiles": ("LTAIenvironment", environment("LTAIenvironment", PROFILE="second"),
                            {CLI: cli(key("LTAIcli"), second=key("LTAIsecond")), INI: ini()}, {}),
    "role of a pod": ("pod", {**OIDC, "ALIBABA_CLOUD_STS_REGION": "cn-beijing"}, {}, {}),
    "role of a pod before profiles": ("pod", OIDC, {CLI: cli(key("LTAIcli")), INI: ini()}, {}),
    # which file, which profile
    "CLI before INI": ("LTAIcli", {}, {CLI: cli(key("LTAIcli")), INI: ini()}, {}),
    "CLI current": ("LTAIsecond", {}, {CLI: cli(key("LTAIcli"), "second", second=key("LTAIsecond"))}, {}),
    "CLI profile by name": ("LTAIsecond", {"ALIBABA_CLOUD_PROFILE": "second"},
                            {CLI: cli(key("LTAIcli"), second=key("LTAIsecond"))}, {}),
    "CLI file by name": ("LTAIsecond", {"ALIBABA_CLOUD_CONFIG_FILE": "$HOME/other.json"},
                         {CLI: cli(key("LTAIcli")), "other.json": cli(key("LTAIsecond"))}, NO_CONFIG_FILE),
    "CLI disabled": ("LTAIini", {"ALIBABA_CLOUD_CLI_PROFILE_DISABLED": "true"},
                     {CLI: cli(key("LTAIcli")), INI: ini()}, {}),
    "CLI disabled in capitals": ("LTAIini", {"ALIBABA_CLOUD_CLI_PROFILE_DISABLED": "TRUE"},
                                 {CLI: cli(key("LTAIcli")), INI: ini()}, {}),
    "CLI empty": ("LTAIini", {}, {CLI: cli({"mode": "AK", "access_key_id": ""}), INI: ini()}, {}),
    "CLI without current": ("LTAIini", {}, {CLI: cli(key("LTAIcli"), ""), INI: ini()}, {}),
    "CLI current not there": ("LTAIini", {}, {CLI: cli(key("LTAIcli"), "gone"), INI: ini()}, {}),
    "INI": ("LTAIini", {}, {INI: ini() + ini("second", "LTAIsecond")}, {"python": "calls it credentials.ini"}),
    "INI with quotes": ("LTAIini", {}, {INI: ini(key_id='"LTAIini"')}, {"python": "keeps them"}),
    "INI section by name": ("LTAIsecond", {"ALIBABA_CLOUD_PROFILE": "second"},
                            {CLI: cli(key("LTAIcli")), INI: ini() + ini("second", "LTAIsecond")}, {}),
    "INI file by name": ("LTAIsecond", {"ALIBABA_CLOUD_CREDENTIALS_FILE": "$HOME/other"},
                         {INI: ini(), "other": ini("default", "LTAIsecond")}, {}),
    # kinds of profiles
    "AK": ("LTAIcli", {}, {CLI: cli(key("LTAIcli", sts_token="left over"))}, {}),
    "StsToken": ("STS.cli", {}, {CLI: cli(key("STS.cli", "StsToken", sts_token=TOKEN))}, {}),
    "External": ("LTAIprocess", {}, {CLI: cli(external("LTAIprocess", "AK", shlex.quote))}, {}),
    "External with a token": ("STS.process", {}, {
        CLI: cli(external("STS.process", "StsToken", in_double_quotes, sts_token=TOKEN))}, {}),
    "RamRoleArn": ("puller", {}, {CLI: cli(key("LTAIcli", **role("puller", sts_region="cn-beijing", enable_vpc=True,
                                                                 expired_seconds=900)))}, {}),
    "RamRoleArn with a policy": ("puller", {}, {CLI: cli(key("LTAIcli", **role("puller", policy='{"Version":"1"}')))},
                                 {"node": "leaves the policy out"}),
    "RamRoleArn with an external id": ("outside", {}, {
        CLI: cli(key("LTAIcli", **role("outside", external_id="abcd1234")))}, {"node": "leaves the id out"}),
    "RamRoleArn with a region of the environment": ("puller", {"ALIBABA_CLOUD_STS_REGION": "cn-shanghai"}, {
        CLI: cli(key("LTAIcli", **role("puller")))}, {}),
    "ChainableRamRoleArn": ("puller", {}, {
        CLI: cli(role("puller", "ChainableRamRoleArn", source_profile="second"),
                 second=key("STS.cli", "StsToken", sts_token=TOKEN))}, {}),
    "ChainableRamRoleArn by the VPC": ("puller", {}, {
        CLI: cli(role("puller", "ChainableRamRoleArn", source_profile="second", enable_vpc=True,
                      sts_region="cn-beijing"),
                 second=key("LTAIsecond"))}, {"node": "leaves the VPC out"}),
    "OIDC": ("pod", {}, {CLI: cli(role("pod", "OIDC", oidc_provider_arn=OIDC_PROVIDER, oidc_token_file="$HOME/token",
                                       sts_region="cn-beijing", enable_vpc=True))}, {}),
    "OIDC with what the environment adds": ("pod", {**OIDC, "ALIBABA_CLOUD_OIDC_TOKEN_FILE": ""}, {
        CLI: cli({"mode": "OIDC", "oidc_token_file": "$HOME/token"})}, {}),
    "OIDC with a duration": ("pod", {}, {
        CLI: cli(role("pod", "OIDC", oidc_provider_arn=OIDC_PROVIDER, oidc_token_file="$HOME/token",
                      expired_seconds=900))}, {"node": "leaves it out"}),
    "INI ram_role_arn": ("puller", {}, {INI: ini(kind="ram_role_arn", more="role_session_name = node-1\n"
                                                 f"role_arn = acs:ram::{ACCOUNT}:role/puller\n")}, {}),
    # URI
    "URI": ("uri", {"ALIBABA_CLOUD_CREDENTIALS_URI": "$METADATA/credentials"}, {}, {}),
    "profile before URI": ("LTAIini", {"ALIBABA_CLOUD_CREDENTIALS_URI": "$METADATA/credentials"}, {INI: ini()}, {}),
}

# On a node: who is expected, the mode of the metadata service, its role, the variables, the files. The libraries ask
# for a session token before each item, which counts as once, and have no use for the region.
ROLE, URI = "KubernetesWorkerRole", {"ALIBABA_CLOUD_CREDENTIALS_URI": "$METADATA/credentials"}
NODE = {
    "by session token": (ROLE, "normal", ROLE, {}, {}),
    "hardened": (ROLE, "hardened", ROLE, {}, {}),
    "hardened, and normal mode forbidden": (ROLE, "hardened", ROLE, {"ALIBABA_CLOUD_IMDSV1_DISABLED": "true"}, {}),
    "normal mode": (ROLE, "no-token-service", ROLE, {}, {}),
    "normal mode forbidden": (None, "no-token-service", ROLE, {"ALIBABA_CLOUD_IMDSV1_DISABLED": "true"}, {}),
    "role by name": (ROLE, "normal", ROLE, {"ALIBABA_CLOUD_ECS_METADATA": ROLE}, {}),
    "CLI EcsRamRole": (ROLE, "normal", ROLE, {}, {CLI: cli({"mode": "EcsRamRole", "ram_role_name": ROLE})}),
    "CLI EcsRamRole without a name": (ROLE, "normal", ROLE, {}, {CLI: cli({"mode": "EcsRamRole"})}),
    "CLI EcsRamRole in normal mode": (ROLE, "no-token-service", ROLE, {}, {
        CLI: cli({"mode": "EcsRamRole", "ram_role_name": ROLE})}),
    "INI ecs_ram_role": (ROLE, "normal", ROLE, {}, {INI: f"[default]\ntype = ecs_ram_role\nrole_name = {ROLE}\n"}),
    "metadata service before URI": (ROLE, "normal", ROLE, URI, {}),
    "URI without a metadata service": ("uri", "disabled", ROLE, URI, {}),
    "URI without a role": ("uri", "no-token-service", "", URI, {}),
}

# -- both sides ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=[pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in LIBRARIES])
def library(request):
    """Installs one into the build folder, once; its name, and how to run its picker."""
    target = os.environ.get("EMULATOR_SDK_NODE_MODULES")
    required = os.environ.get("REQUIRE_ALL") == "1"
    install, run = map(shlex.split, LIBRARIES[request.param])
    if not target or not shutil.which(install[0]):
        assert not required, f"{install[0]} is not there"
        pytest.skip(f"{install[0]} is not there")
    folder = pathlib.Path(target).parent / "identities" / request.param
    sources = b"".join(path.read_bytes() for path in sorted((HERE / "identities").iterdir()))
    if not (folder / "installed").exists() or (folder / "installed").read_bytes() != sources:
        shutil.copytree(HERE / "identities", folder, dirs_exist_ok=True)
        done = subprocess.run(install, cwd=folder, capture_output=True, text=True, timeout=500, check=False)
        if done.returncode != 0:
            assert not required, done.stderr
            pytest.skip(f"the library for {request.param} could not be installed")
        (folder / "installed").write_bytes(sources)
    return request.param, run, folder


@pytest.fixture(scope="module")
def cloud():
    with Emulator() as emulator:
        state = emulator.cloud
        state.keys.update({name: {"secret": SECRET, "token": "", "ends": None} for name in KEYS})
        state.keys.update({name: {"secret": SECRET, "token": TOKEN, "ends": None} for name in STS_KEYS})
        state.roles["outside"] = {"trusts": ["LTAI*"], "external_id": "abcd1234"}
        state.check_signature = also_signed_the_old_way(state)
        state.tokens_in_urls = True  # where the library for Python puts them
        yield emulator


def also_signed_the_old_way(state):
    """The libraries sign AssumeRole by HMAC-SHA1 over query and form, as was usual before ACS3-HMAC-SHA256."""
    check = state.check_signature

    def check_either(method, path, query, headers, body):
        given = dict(query) | dict(parse_qsl(body.decode()))
        if given.get("SignatureMethod") != "HMAC-SHA1":
            return check(method, path, query, headers, body)
        said, signer = given.pop("Signature"), state.keys[given["AccessKeyId"]]
        joined = "&".join(f"{quote(name, safe='~')}={quote(given[name], safe='~')}" for name in sorted(given))
        text = f"{method}&%2F&{quote(joined, safe='~')}"
        right = base64.b64encode(hmac.digest((signer["secret"] + "&").encode(), text.encode(), "sha1")).decode()
        if said != right or given.get("SecurityToken", "") != signer["token"]:
            raise Refusal("SignatureDoesNotMatch")
        return signer

    return check_either


def picked_by_library(cloud, library, variables):
    name, run, folder = library
    more = {"PYTHONPATH": str(folder / "packages"), "NODE_EXTRA_CA_CERTS": cloud.ca, "EMULATOR_API": cloud.api}
    done = subprocess.run(run, cwd=folder, env={**cloud.environment(), **variables, **more}, capture_output=True,
                          text=True, timeout=60, check=True)
    said = json.loads(done.stdout.splitlines()[-1])
    print(said)  # the reason, where a test fails
    return cloud.cloud.keys.get(said["id"], {}).get("role", said["id"]) if "id" in said else None


def picked_by_program(cloud, variables):
    result = pull(cloud, DEMO + "/a", variables)
    print(result.err)
    return caller(cloud) if result.status == 0 else None


def with_roles(cloud, pick, *arguments):
    """Who was picked, and which roles STS was asked for, where and with what."""
    asked, assumed = len(cloud.log("sts")), len(cloud.cloud.assumed)
    who = pick(cloud, *arguments)
    hosts = [entry["host"] for entry in cloud.log("sts")[asked:]]
    return who, hosts, [(given["RoleArn"], given.get("DurationSeconds", "3600"), given.get("Policy"),
                         given.get("ExternalId")) for given in cloud.cloud.assumed[assumed:]]


def place(cloud, home, variables, files):
    """Writes the files; the variables of whoever runs there."""
    places = {"HOME": str(home), "METADATA": cloud.metadata}
    for name, text in files.items():
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_text(string.Template(text).substitute(places), encoding="utf-8")
        (home / name).chmod(0o600)
    return {name: string.Template(value).substitute(places) for name, value in variables.items()} | {
        "HOME": str(home), "PATH": os.environ["PATH"]}


@pytest.mark.parametrize("case", TABLE)
def test_same_identity(cloud, library, tmp_path, case):
    who, variables, files, differing = TABLE[case]
    files = {**files, "token": cloud.cloud.mint(CLAIMS)}
    if INI in files and "python" not in differing:
        files[INI + ".ini"] = files[INI]  # where the library for Python looks for it
    variables = place(cloud, tmp_path, {**variables, "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"}, files)

    ours = with_roles(cloud, picked_by_program, variables)
    theirs = with_roles(cloud, picked_by_library, library, variables)
    assert ours[0] == who
    if library[0] in differing:
        assert theirs != ours, f"the library for {library[0]} no longer differs: {differing[library[0]]}"
    else:
        assert theirs == ours


# -- on a node -------------------------------------------------------------------------------------------------------

METADATA_ADDRESS = "100.100.100.200"  # the libraries ask no other
CLONE_NEWNET, SIOCSIFFLAGS, SIOCSIFADDR, UP_AND_RUNNING = 0x40000000, 0x8914, 0x8916, 0x41


@contextlib.contextmanager
def network_of_its_own():
    """For this thread and what it starts: loopback and nothing else, with the metadata service's address on it."""
    libc = ctypes.CDLL(None)
    with open("/proc/thread-self/ns/net", encoding="ascii") as before:
        if libc.unshare(CLONE_NEWNET) != 0:
            skip_where_permitted("network namespaces are not allowed here")
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
                fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", UP_AND_RUNNING))
                fcntl.ioctl(control, SIOCSIFADDR, struct.pack("16sHxx4s8x", b"lo:1", socket.AF_INET,
                                                              socket.inet_aton(METADATA_ADDRESS)))
            yield
        finally:
            assert libc.setns(before.fileno(), CLONE_NEWNET) == 0


def with_requests(cloud, pick, *arguments):
    """Who was picked; what the metadata service and the credentials URI were asked for it, and whether by session."""
    asked = len(cloud.log())
    who = pick(cloud, *arguments)
    return who, list(dict.fromkeys(
        (entry["method"], entry["path"].rstrip("?"), "x-aliyun-ecs-metadata-token" in entry["headers"])
        for entry in cloud.log()[asked:] if entry["service"] in ("metadata", "uri")
        and "region-id" not in entry["path"]))


@pytest.mark.parametrize("case", NODE)
def test_same_identity_on_a_node(library, tmp_path, case):
    who, mode, role_of_node, variables, files = NODE[case]
    with network_of_its_own(), Emulator(("0.0.0.0", 80)) as cloud:
        cloud.cloud.metadata_mode, cloud.cloud.role = mode, role_of_node
        if INI in files:
            files = {**files, INI + ".ini": files[INI]}
        variables = place(cloud, tmp_path, {**variables, "ALIBABA_CLOUD_IMDS_ENDPOINT": ""}, files)
        ours = with_requests(cloud, picked_by_program, variables)
        assert ours[0] == who
        assert with_requests(cloud, picked_by_library, library, variables) == ours
