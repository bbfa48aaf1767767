"""The official libraries for Go, Node and Python, given the same files and variables, pick the identity that the program picks."""

import json
import os
import shlex
import shutil
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "program"))
from provider import DEMO, Emulator, pull  # noqa: E402

SECRET = "s3cret-s3cret-s3cret"
PROVIDER = "acs:ram::1234567890123456:oidc-provider/ack-rrsa-c0123456789"
POD_ROLE = "acs:ram::1234567890123456:role/pod"
CLAIMS = {"iss": "https://oidc.example", "aud": "sts.aliyuncs.com", "sub": "system:serviceaccount:default:app"}


def install(folder, files, *commands):
    """Runs commands in a folder beside the build's other things, once; the folder."""
    required = os.environ.get("REQUIRE_OFFICIAL_SDK") == "1"
    base = os.environ.get("EMULATOR_SDK_NODE_MODULES")
    if not base or not shutil.which(commands[0][0]):
        assert not required, f"{commands[0][0]} is not there"
        pytest.skip(f"{commands[0][0]} is not there")
    target = os.path.join(base + "-identities", folder)
    os.makedirs(target, exist_ok=True)
    for name in files:
        shutil.copy(os.path.join(HERE, "identities", name), target)
    if not os.path.exists(os.path.join(target, "installed")):
        for command in commands:
            done = subprocess.run(command, cwd=target, capture_output=True, text=True, timeout=600, check=False)
            if done.returncode != 0:
                assert not required, done.stderr
                pytest.skip(f"{command[0]} could not install the library")
        with open(os.path.join(target, "installed"), "w", encoding="ascii"):
            pass
    return target


@pytest.fixture(scope="module", params=["go", "node", "python"])
def library(request):
    """(name, command that prints what the library picks)"""
    if request.param == "go":
        target = install("go", ["go.mod", "go.sum", "main.go"], ["go", "build", "-o", "pick", "."])
        return "go", [os.path.join(target, "pick")]
    if request.param == "node":
        target = install("node", ["package.json", "package-lock.json", "pick.js"],
                         ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"])
        return "node", ["node", os.path.join(target, "pick.js")]
    target = install("python", ["requirements.txt", "pick.py"], ["/usr/bin/python3", "-m", "venv", "venv"],
                     ["venv/bin/pip", "install", "--quiet", "--requirement", "requirements.txt"])
    return "python", [os.path.join(target, "venv", "bin", "python"), os.path.join(target, "pick.py")]


@pytest.fixture(scope="module")
def cloud():
    with Emulator() as emulator:
        for name in "abcdefg":
            emulator.cloud.keys["LTAI" + name] = {"secret": SECRET, "token": "", "ends": None}
        yield emulator


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    path.chmod(0o600)
    return str(path)


def environment(name):
    return {"ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAI" + name, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET}


def key(letter, name="default"):
    return {"name": name, "mode": "AK", "access_key_id": "LTAI" + letter, "access_key_secret": SECRET}


def cli(path, *profiles, current="default"):
    return write(path, {"current": current, "profiles": profiles, "meta_path": ""})


def ini(path, *sections):
    text = "".join(f"[{section}]\ntype = access_key\naccess_key_id = LTAI{letter}\naccess_key_secret = {SECRET}\n"
                   for section, letter in sections)
    write(path.with_suffix(".ini"), text)  # where the library for Python looks
    return write(path, text)


CLI, INI = ".aliyun/config.json", ".alibabacloud/credentials"


# Each makes files below a home and gives the variables.

def case_environment(home, _):
    return environment("a")


def case_environment_before_profiles(home, _):
    cli(home / CLI, key("b"))
    ini(home / INI, ("default", "c"))
    return environment("a")


def case_sts_credentials_of_the_environment(home, cloud):
    issued = cloud.cloud.issue_credentials()
    return {"ALIBABA_CLOUD_ACCESS_KEY_ID": issued["AccessKeyId"],
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": issued["AccessKeySecret"],
            "ALIBABA_CLOUD_SECURITY_TOKEN": issued["SecurityToken"]}


def case_cli_profile_before_credentials_file(home, _):
    cli(home / CLI, key("b"))
    ini(home / INI, ("default", "c"))
    return {}


def case_cli_profile_that_is_current(home, _):
    cli(home / CLI, key("a"), key("b", name="second"), current="second")
    return {}


def case_cli_profile_by_name(home, _):
    cli(home / CLI, key("a"), key("b", name="second"))
    return {"ALIBABA_CLOUD_PROFILE": "second"}


def case_cli_profile_with_sts_token(home, cloud):
    issued = cloud.cloud.issue_credentials()
    cli(home / CLI, {"name": "default", "mode": "StsToken", "access_key_id": issued["AccessKeyId"],
                     "access_key_secret": issued["AccessKeySecret"], "sts_token": issued["SecurityToken"]})
    return {}


def case_cli_file_elsewhere(home, _):
    cli(home / CLI, key("a"))
    return {"ALIBABA_CLOUD_CONFIG_FILE": cli(home / "elsewhere.json", key("b"))}


def case_cli_profile_disabled(home, _):
    cli(home / CLI, key("b"))
    ini(home / INI, ("default", "c"))
    return {"ALIBABA_CLOUD_CLI_PROFILE_DISABLED": "true"}


def case_external_process(home, _):
    document = {"mode": "AK", "access_key_id": "LTAId", "access_key_secret": SECRET}
    cli(home / CLI, {"name": "default", "mode": "External",
                     "process_command": f"{sys.executable} -c " + shlex.quote(f"print('{json.dumps(document)}')")})
    return {}


def case_credentials_file(home, _):
    ini(home / INI, ("other", "a"), ("default", "c"))
    return {}


def case_credentials_file_section(home, _):
    ini(home / INI, ("default", "a"), ("other", "c"))
    return {"ALIBABA_CLOUD_PROFILE": "other"}


def case_credentials_file_elsewhere(home, _):
    ini(home / INI, ("default", "a"))
    return {"ALIBABA_CLOUD_CREDENTIALS_FILE": ini(home / "elsewhere.ini", ("default", "e"))}


def case_credentials_uri(home, cloud):
    return {"ALIBABA_CLOUD_CREDENTIALS_URI": cloud.metadata + "/credentials"}


def case_oidc(home, cloud):
    return {"ALIBABA_CLOUD_ROLE_ARN": POD_ROLE, "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": PROVIDER,
            "ALIBABA_CLOUD_OIDC_TOKEN_FILE": write(home / "token", cloud.cloud.mint(CLAIMS))}


CASES = {name[len("case_"):]: case for name, case in list(globals().items()) if name.startswith("case_")}

# What a library does not do, so that there is nothing to compare.
DIFFERENT = {
    ("node", "oidc"): "its HTTP client knows no proxy",
    ("node", "cli_file_elsewhere"): "it does not read ALIBABA_CLOUD_CONFIG_FILE",
    ("python", "oidc"): "it trusts its own CA certificates alone",
    ("python", "cli_file_elsewhere"): "it does not read ALIBABA_CLOUD_CONFIG_FILE",
}


def who(cloud, key_id):
    """Credentials that were made for one call are compared by the role that they belong to."""
    return cloud.cloud.keys.get(key_id, {}).get("role", key_id)


@pytest.mark.parametrize("case", CASES)
def test_same_identity(cloud, library, tmp_path, case):
    name, command = library
    if (name, case) in DIFFERENT:
        pytest.skip(DIFFERENT[name, case])
    variables = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
                 **CASES[case](tmp_path, cloud)}
    trust = {"HTTPS_PROXY": cloud.proxy, "SSL_CERT_FILE": cloud.ca, "REQUESTS_CA_BUNDLE": cloud.ca}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, env={**variables, **trust})
    official = json.loads(done.stdout)
    assert "id" in official, official
    pull(cloud, DEMO + "/a", variables).answer
    signed = cloud.log("acr")[-1]["headers"]["authorization"]
    assert who(cloud, signed.split("Credential=")[1].split(",")[0]) == who(cloud, official["id"])
