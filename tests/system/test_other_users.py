"""Other users of the machine: whose files the program reads, and who may call it with rights that they do not have."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest
from identity_fixtures import KEY, POD_ROLE, PROVIDER, SECRET, cli, print_json, write
from program_run import DEMO, PROGRAM, WRAPPER, Result, assert_failed, request, skip_where_permitted

ROOT_ID, USER_ID, OTHER_ID = 0, 65534, 65533


@pytest.fixture
def place():
    """A folder that other users may enter, with the program in it."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        skip_where_permitted("running as other users needs root and setpriv")
    with tempfile.TemporaryDirectory(prefix="acr-program-") as directory:
        os.chmod(directory, 0o755)
        shutil.copy(PROGRAM, os.path.join(directory, "program"))
        yield pathlib.Path(directory)


def run_as(user, arguments, place, environment):
    done = subprocess.run(["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *WRAPPER,
                           place / "program",
                           *arguments], input=request(DEMO + "/a"), capture_output=True, text=True, check=False,
                          env=environment)
    return Result(done)


# -- files -----------------------------------------------------------------------------------------------------


def configuration(place):
    path = write(place / "config.json", {"cache": {"enabled": False}, "identity": {"source": "env"}})
    return path, {"ACR_CREDENTIAL_PROVIDER_CONFIG": path}, "ALIBABA_CLOUD_ACCESS_KEY_ID"


def profile(place):
    """With a command that would run as whoever runs the program."""
    path = cli(place, {"mode": "External", "process_command": print_json(mode="none")})
    return path, {"HOME": str(place)}, "process_command"


def token(place):
    path = write(place / "token", "x")
    return path, {"ALIBABA_CLOUD_ROLE_ARN": POD_ROLE, "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": PROVIDER,
                  "ALIBABA_CLOUD_OIDC_TOKEN_FILE": path}, "OIDC"


@pytest.mark.parametrize("owner, reader, is_read", [
    (ROOT_ID, ROOT_ID, True), (OTHER_ID, ROOT_ID, False),
    (ROOT_ID, USER_ID, True), (USER_ID, USER_ID, True), (OTHER_ID, USER_ID, False),
])
@pytest.mark.parametrize("make", [configuration, profile, token])
def test_file_of_another_user_is_refused(cloud, place, make, owner, reader, is_read):
    """Otherwise who gets root to run the program, such as by sudo with HOME kept, would have root run a command."""
    path, environment, words = make(place)
    for folder in place.rglob("*/"):
        folder.chmod(0o755)
    os.chmod(path, 0o644)
    os.chown(path, owner, owner)
    result = run_as(reader, ["--no-cache"], place, {
        **cloud.environment(), "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true", **environment})
    if is_read:
        assert result.status != 0 and words in result.err and "belongs to" not in result.err
    else:
        assert_failed(result, 78, path + " belongs to neither root nor the user", "Run: chown root " + path)
        assert cloud.log("sts") == cloud.log("acr") == []


# -- set-user-id -----------------------------------------------------------------------------------------------


@pytest.mark.skipif(bool(WRAPPER), reason="the file would not be executed, and so its bits not count")
@pytest.mark.parametrize("mode", [0o755, 0o4755])
def test_environment_of_a_caller_with_fewer_rights_does_not_count(cloud, place, mode):
    """Neither the proxy nor the trust store nor the AccessKey of whoever calls a set-user-id file."""
    if os.statvfs(place).f_flag & os.ST_NOSUID:
        skip_where_permitted("set-user-id files are not allowed in the temporary folder")
    config = {"endpoints": {"metadata": cloud.metadata}, "cache": {"enabled": False}, "registries": [
        {"match": [DEMO], "region": "cn-hangzhou", "instanceId": "cri-a", "apiEndpoint": "https://127.0.0.1:1"}]}
    path = write(place / "config.json", config)
    os.chmod(path, 0o644)
    os.chown(place / "program", USER_ID, USER_ID)
    os.chmod(place / "program", mode)
    environment = {**cloud.environment(), "ALIBABA_CLOUD_ACCESS_KEY_ID": KEY, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET}
    environment["SSL_CERT_FILE"] = shutil.copy(environment["SSL_CERT_FILE"], place / "ca.pem")
    result = run_as(OTHER_ID, ["--config", path, "--deadline", "5"], place, environment)
    if mode == 0o755:
        assert "AccessKey" in result.err and cloud.log("proxy") != []
    else:
        assert_failed(result, 75, "KubernetesWorkerRole", "127.0.0.1:1")
        assert cloud.log("proxy") == []
