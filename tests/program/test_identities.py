"""Whose credentials sign: every source of the official chain, roles assumed by STS, an identity for each registry."""

import json
import os
import pwd
import shlex
import subprocess
import sys

import pytest
from provider import DEADLINE_S, DEMO, PROGRAM, WRAPPER, Emulator, assert_failed, caller, pull, request, secrets_of

KEY, SECRET = "LTAIemulatorkey00001", "emulator-secret-0000000001"
ACCESS_KEY = {"ALIBABA_CLOUD_ACCESS_KEY_ID": KEY, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET}
PULLER = "acs:ram::1234567890123456:role/puller"
PARTNER = "acs:ram::9999999999999999:role/partner"
PROVIDER = "acs:ram::1234567890123456:oidc-provider/ack-rrsa-c0123456789"
POD_ROLE = "acs:ram::1234567890123456:role/pod"
CLAIMS = {"iss": "https://oidc.example", "aud": "sts.aliyuncs.com", "sub": "system:serviceaccount:default:app"}
NO_METADATA = {"ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"}


@pytest.fixture
def cloud():
    with Emulator() as emulator:
        yield emulator


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
    path.chmod(0o600)
    return str(path)


def cli(home, *profiles, current="default"):
    return write(home / ".aliyun" / "config.json", {
        "current": current, "profiles": [{"name": "default", "region_id": "cn-hangzhou", **p} for p in profiles]})


def ini(home, text):
    return write(home / ".alibabacloud" / "credentials", text)


def oidc(cloud, tmp_path, **claims):
    token = write(tmp_path / "token", cloud.cloud.mint({**CLAIMS, **claims}) + "\n")
    return {"ALIBABA_CLOUD_ROLE_ARN": POD_ROLE, "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": PROVIDER,
            "ALIBABA_CLOUD_OIDC_TOKEN_FILE": token}


def print_json(**fields):
    """A command line that prints a document, with both kinds of quotes to be split."""
    return f"{sys.executable} -c " + shlex.quote(f"import json; print(json.dumps({fields!r}))")


# -- environment -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [
    ("ALICLOUD_ACCESS_KEY", "ALICLOUD_SECRET_KEY", "ALICLOUD_ACCESS_KEY_STS_TOKEN"),
    ("ALIBABACLOUD_ACCESS_KEY_ID", "ALIBABACLOUD_ACCESS_KEY_SECRET", "ALIBABACLOUD_SECURITY_TOKEN"),
    ("ALICLOUD_ACCESS_KEY_ID", "ALICLOUD_ACCESS_KEY_SECRET", "ALICLOUD_SECURITY_TOKEN"),
])
def test_older_names(cloud, names):
    issued = cloud.cloud.issue_credentials(role="older")
    parts = issued["AccessKeyId"], issued["AccessKeySecret"], issued["SecurityToken"]
    pull(cloud, DEMO + "/a", dict(zip(names, parts))).answer
    assert caller(cloud) == "older" and cloud.log("metadata") == []


def test_official_names_go_before_older_ones_and_are_not_mixed_with_them(cloud):
    pull(cloud, DEMO + "/a", {**ACCESS_KEY, "ALICLOUD_ACCESS_KEY": "x", "ALICLOUD_SECURITY_TOKEN": "stale"}).answer
    assert caller(cloud) == KEY


def test_oidc_role(cloud, tmp_path):
    pull(cloud, DEMO + "/a", {**oidc(cloud, tmp_path), "ALIBABA_CLOUD_ROLE_SESSION_NAME": "job-7"}).answer
    assert caller(cloud) == "pod" and cloud.log("metadata") == []
    call = cloud.log("sts")[-1]
    assert call["host"] == "sts.aliyuncs.com" and "authorization" not in call["headers"]
    assert cloud.cloud.assumed[-1]["RoleSessionName"] == "job-7"


@pytest.mark.parametrize("more, hosts", [
    ({"ALIBABA_CLOUD_STS_REGION": "cn-beijing"}, ["sts.cn-beijing.aliyuncs.com"]),
    ({"ALIBABA_CLOUD_STS_REGION": "cn-beijing", "ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED": "true"},
     ["sts-vpc.cn-beijing.aliyuncs.com"]),
    ({"ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED": "true"}, ["sts.aliyuncs.com"]),
    ({"ALIBABA_CLOUD_STS_ENDPOINT": "sts-vpc.cn-shanghai.aliyuncs.com"}, ["sts-vpc.cn-shanghai.aliyuncs.com"]),
    ({"ALIBABA_CLOUD_STS_ENDPOINT": "https://sts.cn-shanghai.aliyuncs.com"}, ["sts.cn-shanghai.aliyuncs.com"]),
])
def test_sts_endpoints_of_the_environment(cloud, tmp_path, more, hosts):
    pull(cloud, DEMO + "/a", {**oidc(cloud, tmp_path), **more}).answer
    assert [entry["host"] for entry in cloud.log("sts")] == hosts


def test_sts_falls_back_to_the_global_endpoint(cloud, tmp_path):
    cloud.cloud.unresolvable = {"sts-vpc.cn-beijing.aliyuncs.com", "sts.cn-beijing.aliyuncs.com"}
    more = {"ALIBABA_CLOUD_STS_REGION": "cn-beijing", "ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED": "true"}
    pull(cloud, DEMO + "/a", {**oidc(cloud, tmp_path), **more}).answer
    assert [entry["host"] for entry in cloud.log("sts")] == ["sts.aliyuncs.com"]


# -- profiles --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile, who", [
    ({"mode": "AK", "access_key_id": KEY, "access_key_secret": SECRET, "sts_token": "left over"}, KEY),
    ({"mode": "RamRoleArn", "access_key_id": KEY, "access_key_secret": SECRET, "ram_role_arn": PULLER,
      "ram_session_name": "node-9", "expired_seconds": 900}, "puller"),
    ({"mode": "RamRoleArn", "access_key_id": KEY, "access_key_secret": SECRET, "ram_role_arn": PARTNER,
      "external_id": "abcd1234"}, "partner"),
    ({"mode": "EcsRamRole", "ram_role_name": "KubernetesWorkerRole"}, "KubernetesWorkerRole"),
    ({"mode": "EcsRamRole", "ram_role_name": ""}, "KubernetesWorkerRole"),
    ({"mode": "RamRoleArnWithRoleName", "ram_role_name": "", "ram_role_arn": PULLER}, "puller"),
    ({"mode": "External", "process_command": print_json(mode="AK", access_key_id=KEY, access_key_secret=SECRET)}, KEY),
])
def test_cli_profile(cloud, tmp_path, profile, who):
    cli(tmp_path, profile)
    host = "foreign-registry.cn-hangzhou.cr.aliyuncs.com" if who == "partner" else DEMO
    pull(cloud, host + "/a", {"HOME": str(tmp_path)}).answer
    assert caller(cloud) == who
    if "ram_session_name" in profile:
        assert cloud.cloud.assumed[-1]["RoleSessionName"] == "node-9"
        assert cloud.cloud.assumed[-1]["DurationSeconds"] == "900"


def test_cli_profile_with_sts_token(cloud, tmp_path):
    issued = cloud.cloud.issue_credentials(role="signed-in")
    cli(tmp_path, {"mode": "StsToken", "access_key_id": issued["AccessKeyId"],
                   "access_key_secret": issued["AccessKeySecret"], "sts_token": issued["SecurityToken"]})
    pull(cloud, DEMO + "/a", {"HOME": str(tmp_path)}).answer
    assert caller(cloud) == "signed-in"


def test_cli_profile_by_oidc_with_what_the_environment_adds(cloud, tmp_path):
    variables = oidc(cloud, tmp_path)
    cli(tmp_path, {"mode": "OIDC", "oidc_token_file": variables.pop("ALIBABA_CLOUD_OIDC_TOKEN_FILE"),
                   "sts_region": "cn-beijing", "enable_vpc": True})
    pull(cloud, DEMO + "/a", {**variables, "HOME": str(tmp_path)}).answer
    assert caller(cloud) == "pod" and cloud.log("sts")[-1]["host"] == "sts-vpc.cn-beijing.aliyuncs.com"


def test_cli_profiles_behind_one_another(cloud, tmp_path):
    cli(tmp_path, {"mode": "ChainableRamRoleArn", "source_profile": "middle", "ram_role_arn": PARTNER,
                   "external_id": "abcd1234"},
        {"name": "middle", "mode": "ChainableRamRoleArn", "source_profile": "key", "ram_role_arn": PULLER},
        {"name": "key", "mode": "AK", "access_key_id": KEY, "access_key_secret": SECRET})
    pull(cloud, "foreign-registry.cn-hangzhou.cr.aliyuncs.com/a", {"HOME": str(tmp_path)}).answer
    assert caller(cloud) == "partner"
    assert [given["RoleArn"] for given in cloud.cloud.assumed] == [PULLER, PARTNER]


def test_which_file_and_which_profile(cloud, tmp_path):
    own = {"mode": "AK", "access_key_id": KEY, "access_key_secret": SECRET}
    cloud.cloud.keys.update({name: {"secret": "s3cret-s3cret", "token": "", "ends": None} for name in ("LTAIb", "LTAIc")})
    second = {"name": "second", "mode": "AK", "access_key_id": "LTAIb", "access_key_secret": "s3cret-s3cret"}
    home = {"HOME": str(tmp_path)}
    cli(tmp_path, own, second)
    ini(tmp_path, "[default]\ntype = access_key\naccess_key_id = LTAIc\naccess_key_secret = s3cret-s3cret\n")
    elsewhere = write(tmp_path / "else.json", {"current": "second", "profiles": [second]})
    for more, who in [({}, KEY), ({"ALIBABA_CLOUD_PROFILE": "second"}, "LTAIb"),
                      ({"ALIBABA_CLOUD_CONFIG_FILE": elsewhere}, "LTAIb"),
                      ({"ALIBABA_CLOUD_CLI_PROFILE_DISABLED": "true"}, "LTAIc")]:
        pull(cloud, DEMO + "/a", {**home, **more}).answer
        assert caller(cloud) == who, more
    pull(cloud, DEMO + "/a", home, config={"identity": {"profile": "second"}}, tmp_path=tmp_path).answer
    assert caller(cloud) == "LTAIb"


def test_home_from_the_password_database(cloud):
    """A kubelet often runs without HOME; the path that is named shows that the database was asked."""
    result = pull(cloud, DEMO + "/a", NO_METADATA)
    assert pwd.getpwuid(os.geteuid()).pw_dir + "/.aliyun/config.json" in result.err


@pytest.mark.parametrize("text, who", [
    ("# comment\n[default]\ntype=access_key\naccess_key_id = %s  # mine\naccess_key_secret = \"%s\"\n" % (KEY, SECRET), KEY),
    ("[other]\ntype = access_key\n[default]\n; old\nrole_arn = x\ntype = ram_role_arn\naccess_key_id = %s\n"
     "access_key_secret = '%s'\nrole_arn = %s\nrole_session_name = node-3\n" % (KEY, SECRET, PULLER), "puller"),
    ("[default]\r\ntype = ecs_ram_role\r\nrole_name =\r\n", "KubernetesWorkerRole"),
])
def test_credentials_file(cloud, tmp_path, text, who):
    ini(tmp_path, text)
    pull(cloud, DEMO + "/a", {"HOME": str(tmp_path)}).answer
    assert caller(cloud) == who


def test_blank_profile_of_a_fresh_cli_is_passed_over(cloud, tmp_path):
    cli(tmp_path, {"mode": "AK", "access_key_id": "", "access_key_secret": ""})
    pull(cloud, DEMO + "/a", {"HOME": str(tmp_path)}).answer
    assert caller(cloud) == "KubernetesWorkerRole"


@pytest.mark.parametrize("profiles, words", [
    ([{"mode": "AK", "access_key_id": KEY}], "access_key_secret"),
    ([{"mode": "StsToken", "access_key_id": KEY, "access_key_secret": SECRET}], "sts_token"),
    ([{"mode": "RamRoleArn", "access_key_id": KEY, "access_key_secret": SECRET}], "ram_role_arn"),
    ([{"mode": "RamRoleArn", "access_key_id": KEY, "access_key_secret": SECRET, "ram_role_arn": "puller"}], "ARN"),
    ([{"mode": "OIDC", "ram_role_arn": POD_ROLE}], "oidc_provider_arn"),
    ([{"mode": "External"}], "process_command"), ([{"mode": "CredentialsURI"}], "credentials_uri"),
    ([{"mode": "CloudSSO", "access_token": "eyJ"}], "person"), ([{"mode": "OAuth"}], "person"),
    ([{"mode": "RsaKeyPair"}], "not supported"),
    ([{"mode": "ChainableRamRoleArn", "ram_role_arn": PULLER}], "source_profile"),
    ([{"mode": "ChainableRamRoleArn", "ram_role_arn": PULLER, "source_profile": "gone"}], "gone"),
    ([{"mode": "ChainableRamRoleArn", "ram_role_arn": PULLER, "source_profile": "default"}], "without an end"),
    ([{"mode": "ChainableRamRoleArn", "ram_role_arn": PULLER, "source_profile": "b"},
      {"name": "b", "mode": "ChainableRamRoleArn", "ram_role_arn": PULLER, "source_profile": "default"}], "without an end"),
])
def test_broken_profile_is_not_passed_over(cloud, tmp_path, profiles, words):
    cli(tmp_path, *profiles)
    result = pull(cloud, DEMO + "/a", {"HOME": str(tmp_path)})
    assert_failed(result, 78, words, "profile default", secrets=[SECRET, "eyJ"])
    assert cloud.log("metadata") == [] and cloud.log("acr") == []


@pytest.mark.parametrize("spoil, words", [
    (lambda home: write(home / ".aliyun" / "config.json", "{"), "config.json"),
    (lambda home: write(home / ".aliyun" / "config.json", "x" * (1024 * 1024 + 1)), "larger"),
    (lambda home: cli(home, {"mode": 7}), "profiles[0].mode must be a string"),
    (lambda home: (home / ".aliyun" / "config.json").chmod(0o622), "chmod go-w"),
    (lambda home: ini(home, "nonsense\n"), "line 1"), (lambda home: ini(home, "[default\n"), "line 1"),
    (lambda home: ini(home, "[default]\ntype = bearer\nbearer_token = x\n"), "bearer"),
    (lambda home: ini(home, "[default]\ntype = access_key\naccess_key_id = a\0b\n"), "NUL"),
])
def test_spoilt_file_is_not_passed_over(cloud, tmp_path, spoil, words):
    cli(tmp_path)
    spoil(tmp_path)
    assert_failed(pull(cloud, DEMO + "/a", {"HOME": str(tmp_path)}), 78, words)
    assert cloud.log("acr") == []


@pytest.mark.parametrize("token, mode, words", [("", 0o600, "is empty"), (" \n", 0o600, "is empty"), ("x", 0o622, "chmod go-w")])
def test_spoilt_token_file_is_not_passed_over(cloud, tmp_path, token, mode, words):
    variables = oidc(cloud, tmp_path)
    (tmp_path / "token").write_text(token)
    (tmp_path / "token").chmod(mode)
    assert_failed(pull(cloud, DEMO + "/a", variables), 78, words)
    assert cloud.log("acr") == []


def test_credentials_file_with_sts_credentials(cloud, tmp_path):
    issued = cloud.cloud.issue_credentials(role="of-the-file")
    ini(tmp_path, f"[default]\ntype = sts\naccess_key_id = {issued['AccessKeyId']}\n"
                  f"access_key_secret = {issued['AccessKeySecret']}\nsts_token = {issued['SecurityToken']}\n")
    result = pull(cloud, DEMO + "/a", {"HOME": str(tmp_path)})
    assert result.auth and caller(cloud) == "of-the-file"


@pytest.mark.parametrize("profile, words", [
    ({"mode": "AK", "access_key_secret": SECRET}, "access_key_id"),
    ({"mode": "AK", "access_key_id": "x" * 200, "access_key_secret": SECRET}, "too long"),
    ({"mode": "AK", "access_key_id": "LTAI x", "access_key_secret": SECRET}, "blanks"),
    ({"mode": "OIDC", "ram_role_arn": PULLER, "oidc_provider_arn": PROVIDER}, "oidc_token_file"),
    ({"mode": "ChainableRamRoleArn", "source_profile": "x" * 300, "ram_role_arn": PULLER}, "too long"),
])
def test_profile_that_lacks_what_its_mode_needs(cloud, tmp_path, profile, words):
    cli(tmp_path, profile)
    assert_failed(pull(cloud, DEMO + "/a", {"HOME": str(tmp_path)}), 78, words, secrets=[SECRET])
    assert cloud.log("acr") == []


@pytest.mark.parametrize("variables, words", [
    ({"ALIBABA_CLOUD_PROFILE": "gone"}, "gone"),
    ({"ALIBABA_CLOUD_CONFIG_FILE": "/nonexistent/config.json"}, "ALIBABA_CLOUD_CONFIG_FILE"),
    ({"ALIBABA_CLOUD_CREDENTIALS_FILE": "/nonexistent/credentials"}, "ALIBABA_CLOUD_CREDENTIALS_FILE"),
    ({"ALIBABA_CLOUD_OIDC_TOKEN_FILE": "/nonexistent/token"}, "ALIBABA_CLOUD_ROLE_ARN"),
    ({"ALIBABA_CLOUD_OIDC_TOKEN_FILE": "/nonexistent/token", "ALIBABA_CLOUD_ROLE_ARN": POD_ROLE,
      "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": PROVIDER}, "/nonexistent/token"),
])
def test_names_of_what_is_not_there(cloud, tmp_path, variables, words):
    assert_failed(pull(cloud, DEMO + "/a", {"HOME": str(tmp_path), **variables}), 78, words)
    assert cloud.log("acr") == []


# -- external process ------------------------------------------------------------------------------------------


def external(cloud, tmp_path, command, **keywords):
    cli(tmp_path, {"mode": "External", "process_command": command})
    return pull(cloud, DEMO + "/a", {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}, **keywords)


def test_external_process_with_a_token_is_run_without_a_shell(cloud, tmp_path):
    issued = cloud.cloud.issue_credentials(role="external")
    document = write(tmp_path / "two words.json", {
        "mode": "StsToken", "access_key_id": issued["AccessKeyId"], "access_key_secret": issued["AccessKeySecret"],
        "sts_token": issued["SecurityToken"], "expiration": issued["Expiration"]})
    external(cloud, tmp_path, f"cat '{document}'").answer
    external(cloud, tmp_path, "cat " + document.replace(" ", "\\ ")).answer
    assert caller(cloud) == "external"
    assert_failed(external(cloud, tmp_path, f"cat '{document}' ; true"), 69, "exit status 1")


@pytest.mark.parametrize("command, status, words", [
    ("sh -c 'echo so sorry >&2; exit 3'", 69, ["exit status 3", "so sorry"]),
    ("sh -c 'kill -9 $$'", 69, ["signal 9"]), ("no-such-command", 69, ["exit status 127", "No such file"]),
    ("echo hello", 69, ["line 1"]), ("yes", 69, ["65536 bytes"]), ("sh -c 'yes >&2'", 75, ["in time"]),
    ("sleep 77", 75, ["in time"]), ("sh -c 'exec >&- 2>&-; sleep 77'", 75, ["in time"]),
    ("echo 'open", 78, ["quote"]), ("echo \\", 78, ["backslash"]), (" ", 78, ["empty"]),
    (print_json(mode="EcsRamRole"), 69, ["EcsRamRole"]), (print_json(mode="AK", access_key_id=KEY), 69, ["access_key_secret"]),
    (print_json(mode="AK", access_key_id=KEY, access_key_secret="a\nb"), 69, ["access_key_secret"]),
    (print_json(mode="StsToken", access_key_id=KEY, access_key_secret=SECRET), 69, ["sts_token"]),
])
def test_external_process_that_fails(cloud, tmp_path, command, status, words):
    assert_failed(external(cloud, tmp_path, command), status, "process_command", *words, secrets=[SECRET])
    assert cloud.log("acr") == []


def test_nothing_of_an_external_process_stays(cloud, tmp_path):
    mark = f"7{id(cloud) % 100000}"
    assert_failed(external(cloud, tmp_path, f"sh -c 'sleep {mark} & sleep {mark}'"), 75, "in time")
    assert subprocess.run(["pgrep", "-f", f"^sleep {mark}$"], capture_output=True, check=False).stdout == b""


def issued_document(cloud, tmp_path):
    issued = cloud.cloud.issue_credentials(role="external")
    return write(tmp_path / "document.json", {
        "mode": "StsToken", "access_key_id": issued["AccessKeyId"], "access_key_secret": issued["AccessKeySecret"],
        "sts_token": issued["SecurityToken"]})


def test_what_an_external_process_leaves_in_the_background_is_not_waited_for(cloud, tmp_path):
    mark = f"8{id(cloud) % 100000}"
    document = issued_document(cloud, tmp_path)
    try:
        result = external(cloud, tmp_path, f"sh -c 'sleep {mark} & cat {document}'")
        assert result.auth and result.seconds < DEADLINE_S - 1
    finally:
        subprocess.run(["pkill", "-f", f"^sleep {mark}$"], check=True)


def test_external_process_under_a_parent_that_ignores_its_children(cloud, tmp_path):
    cli(tmp_path, {"mode": "External", "process_command": "cat " + issued_document(cloud, tmp_path)})
    command = [*WRAPPER, PROGRAM, "--no-cache", "--deadline", str(DEADLINE_S), "get", "--output", "password", DEMO]
    completed = subprocess.run(["env", "--ignore-signal=CHLD", *command], capture_output=True, check=False,
                               env={**cloud.environment(), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"})
    assert (completed.returncode, completed.stderr) == (0, b"") and completed.stdout.startswith(b"reg-")


@pytest.mark.parametrize("mode", [{}, {"mode": "AK"}, {"mode": "StsToken"}])
def test_external_process_whose_mode_says_less_than_its_token(cloud, tmp_path, mode):
    issued = cloud.cloud.issue_credentials(role="external")
    external(cloud, tmp_path, print_json(access_key_id=issued["AccessKeyId"], access_key_secret=issued["AccessKeySecret"],
                                         sts_token=issued["SecurityToken"], **mode)).answer
    assert caller(cloud) == "external"


@pytest.mark.parametrize("profile, variables", [
    ({"sts_region": "cn-beijing"}, {"ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED": "true"}),
    ({"enable_vpc": True}, {"ALIBABA_CLOUD_STS_REGION": "cn-beijing"}),
    ({"enable_vpc": True, "sts_region": "cn-beijing", "ram_role_arn": ""}, {"ALIBABA_CLOUD_ROLE_ARN": PULLER}),
])
def test_profile_and_environment_complete_one_another(cloud, tmp_path, profile, variables):
    cli(tmp_path, {"mode": "RamRoleArn", "access_key_id": KEY, "access_key_secret": SECRET, "ram_role_arn": PULLER, **profile})
    pull(cloud, DEMO + "/a", {"HOME": str(tmp_path), **variables}).answer
    assert caller(cloud) == "puller" and cloud.log("sts")[-1]["host"] == "sts-vpc.cn-beijing.aliyuncs.com"


def test_external_process_can_be_forbidden(cloud, tmp_path):
    cli(tmp_path, {"mode": "External", "process_command": "true"})
    result = pull(cloud, DEMO + "/a", {"HOME": str(tmp_path), "ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS": "1"})
    assert_failed(result, 78, "ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS")


# -- credentials URI -------------------------------------------------------------------------------------------


def test_credentials_uri_comes_after_the_metadata_service(cloud):
    uri = {"ALIBABA_CLOUD_CREDENTIALS_URI": cloud.metadata + "/credentials"}
    pull(cloud, DEMO + "/a", uri).answer
    assert caller(cloud) == "KubernetesWorkerRole" and cloud.log("uri") == []
    for more in (NO_METADATA, {"ALIBABA_CLOUD_IMDS_ENDPOINT": "http://127.0.0.1:1"}):
        pull(cloud, DEMO + "/a", {**uri, **more}).answer
        assert caller(cloud) == "uri"
    cloud.cloud.role = ""
    pull(cloud, DEMO + "/a", uri).answer
    assert caller(cloud) == "uri"


def test_credentials_uri_by_https_and_by_configuration(cloud, tmp_path):
    more = {"ALIBABA_CLOUD_CREDENTIALS_URI": "https://credentials.example/of/this/node?x=1"}
    pull(cloud, DEMO + "/a", more, config={"identity": {"source": "uri"}}, tmp_path=tmp_path).answer
    assert caller(cloud) == "uri" and cloud.log("metadata") == []


@pytest.mark.parametrize("uri", [
    "http://192.0.2.1/credentials", "http://credentials.example/", "http://127.0.0.1.attacker.example/", "ftp://127.0.0.1/",
    "http://user@127.0.0.1/", "http://[2001:db8::1]/", "https:///", "http://127.0.0.1/#a", "credentials", "http://[::1", "http://10.0.0.1/",
])
def test_credentials_uri_in_the_open_is_refused(cloud, uri):
    assert_failed(pull(cloud, DEMO + "/a", {**NO_METADATA, "ALIBABA_CLOUD_CREDENTIALS_URI": uri}), 78, "credentials URI")
    assert cloud.log("proxy") == []


@pytest.mark.parametrize("fault, status", [
    ({"status": 404}, 69), ({"status": 500}, 75), ({"body": "<html>"}, 69), ({"body": "{}"}, 69), ({"endless": True}, 69),
    ({"redirect": "http://127.0.0.1:1/"}, 69), ({"stall": True}, 75), ({"reset": "request"}, 75),
])
def test_credentials_uri_that_fails(cloud, fault, status):
    cloud.fault("uri", **fault)
    uri = {**NO_METADATA, "ALIBABA_CLOUD_CREDENTIALS_URI": cloud.metadata + "/credentials"}
    assert_failed(pull(cloud, DEMO + "/a", uri), status, "credentials URI" if "stall" not in fault else "")


def test_expired_credentials_of_a_uri(cloud):
    """By the cloud's clock, not by the node's."""
    uri = {**NO_METADATA, "ALIBABA_CLOUD_CREDENTIALS_URI": cloud.metadata + "/credentials"}
    cloud.cloud.clock_offset_s = -7200
    pull(cloud, DEMO + "/a", uri).answer
    cloud.cloud.credentials_life_s = -60
    assert_failed(pull(cloud, DEMO + "/a", uri), 77, "expired", secrets=secrets_of(cloud))


# -- the chain as a whole --------------------------------------------------------------------------------------


def test_chain_that_finds_nothing_lists_every_source(cloud, tmp_path):
    result = pull(cloud, DEMO + "/a", {**NO_METADATA, "HOME": str(tmp_path)})
    assert_failed(result, 78, "environment: ALIBABA_CLOUD_ACCESS_KEY_ID is not set",
                  "OIDC: ALIBABA_CLOUD_OIDC_TOKEN_FILE is not set", f"CLI profile: there is no {tmp_path}/.aliyun/config.json",
                  f"credentials file: there is no {tmp_path}/.alibabacloud/credentials",
                  "ECS metadata service: ALIBABA_CLOUD_ECS_METADATA_DISABLED forbids it",
                  "credentials URI: ALIBABA_CLOUD_CREDENTIALS_URI is not set", "Attach a RAM role")


@pytest.mark.parametrize("source, word", [("env", "ALIBABA_CLOUD_ACCESS_KEY_ID"), ("oidc", "ALIBABA_CLOUD_OIDC_TOKEN_FILE"),
                                          ("profile", "config.json"), ("uri", "ALIBABA_CLOUD_CREDENTIALS_URI")])
def test_source_that_was_asked_for_is_the_only_one(cloud, tmp_path, source, word):
    config = {"identity": {"source": source}}
    assert_failed(pull(cloud, DEMO + "/a", {"HOME": str(tmp_path)}, config=config, tmp_path=tmp_path), 78, word)
    assert cloud.log("metadata") == []


def test_refused_oidc_role_never_becomes_the_role_of_the_node(cloud, tmp_path):
    result = pull(cloud, DEMO + "/a", oidc(cloud, tmp_path, sub="system:serviceaccount:default:other"))
    assert_failed(result, 77, "AuthenticationFail.NoPermission", "oidc:sub", "system:serviceaccount:default:other")
    assert cloud.log("metadata") == [] and cloud.log("acr") == []


# -- roles -----------------------------------------------------------------------------------------------------


def test_roles_of_the_configuration(cloud, tmp_path):
    policy = '{"Version":"1","Statement":[{"Effect":"Allow","Action":"cr:*","Resource":"*"}]}'
    config = {"identity": {"assumeRole": [
        {"roleArn": PULLER, "durationSeconds": 1800, "policy": policy, "sourceIdentity": "team-a"},
        {"roleArn": PARTNER, "externalId": "abcd1234", "sessionName": "pull@node"}]}}
    pull(cloud, "foreign-registry.cn-hangzhou.cr.aliyuncs.com/a", config=config, tmp_path=tmp_path).answer
    first, second = cloud.cloud.assumed
    assert caller(cloud) == "partner"
    assert (first["DurationSeconds"], first["Policy"], first["SourceIdentity"]) == ("1800", policy, "team-a")
    assert first["RoleSessionName"].startswith("acr-") and "ExternalId" not in first
    assert (second["RoleSessionName"], second["ExternalId"]) == ("pull@node", "abcd1234")
    assert [entry["host"] for entry in cloud.log("sts")] == ["sts-vpc.cn-hangzhou.aliyuncs.com"] * 2


@pytest.mark.parametrize("endpoints, host", [
    ({"network": "public"}, "sts.cn-hangzhou.aliyuncs.com"), ({"network": "vpc"}, "sts-vpc.cn-hangzhou.aliyuncs.com"),
    ({"sts": "https://sts.example.com"}, "sts.example.com"),
])
def test_sts_endpoints_of_the_configuration(cloud, tmp_path, endpoints, host):
    config = {"identity": {"assumeRole": [{"roleArn": PULLER}]}, "endpoints": endpoints}
    pull(cloud, DEMO + "/a", config=config, tmp_path=tmp_path).answer
    assert {entry["host"] for entry in cloud.log("sts")} == {host}


def test_vpc_alone_without_a_region_is_refused(cloud, tmp_path):
    config = {"identity": {"source": "env", "assumeRole": [{"roleArn": PULLER}]}, "endpoints": {"network": "vpc"}}
    assert_failed(pull(cloud, DEMO + "/a", ACCESS_KEY, config=config, tmp_path=tmp_path), 78, "endpoints.sts")


@pytest.mark.parametrize("role, status, words", [
    ({"roleArn": "acs:ram::1234567890123456:role/closed"}, 77, ["NoPermission", "trust policy", "sts:AssumeRole"]),
    ({"roleArn": "acs:ram::1234567890123456:role/none"}, 77, ["EntityNotExist.Role", "ARN"]),
    ({"roleArn": PARTNER, "externalId": "wrong"}, 77, ["NoPermission", "externalId"]),
])
def test_roles_that_are_refused(cloud, tmp_path, role, status, words):
    config = {"identity": {"assumeRole": [role]}}
    result = pull(cloud, DEMO + "/a", config=config, tmp_path=tmp_path)
    assert_failed(result, status, role["roleArn"], "KubernetesWorkerRole", *words, secrets=secrets_of(cloud))
    assert cloud.log("acr") == []


@pytest.mark.parametrize("fault, status", [
    ({"stall": True}, 75), ({"garbage": True}, 69), ({"body": "{}"}, 69), ({"body": "<html>"}, 69), ({"endless": True}, 69),
    ({"code": "Throttling.User"}, 75), ({"redirect": "https://attacker.example/"}, 69), ({"reset": "request"}, 75),
    ({"body": json.dumps({"Credentials": {"AccessKeyId": "a", "AccessKeySecret": "b", "SecurityToken": "c",
                                          "Expiration": "2020-01-02T03:04:05Z"}})}, 69),
])
def test_sts_faults(cloud, tmp_path, fault, status):
    cloud.fault("sts", **fault)
    config = {"identity": {"assumeRole": [{"roleArn": PULLER}]}}
    assert_failed(pull(cloud, DEMO + "/a", config=config, tmp_path=tmp_path), status, secrets=secrets_of(cloud))


def test_sts_trouble_that_passes(cloud, tmp_path):
    cloud.fault("sts", times=1, code="ServiceUnavailable")
    cloud.fault("sts", times=1, reset="headers")
    config = {"identity": {"assumeRole": [{"roleArn": PULLER}]}}
    pull(cloud, DEMO + "/a", config=config, tmp_path=tmp_path).answer
    assert caller(cloud) == "puller"


def test_ended_role_session_is_assumed_anew(cloud, tmp_path):
    cloud.fault("acr", times=1, code="InvalidSecurityToken.Expired")
    config = {"identity": {"assumeRole": [{"roleArn": PULLER}]}}
    pull(cloud, DEMO + "/a", config=config, tmp_path=tmp_path).answer
    assert len(cloud.cloud.assumed) == 2


def test_each_registry_has_its_own_identity(cloud, tmp_path):
    config = {"registries": [
        {"match": ["foreign-registry.*.cr.aliyuncs.com"],
         "identity": {"assumeRole": [{"roleArn": PARTNER, "externalId": "abcd1234"}]}},
        {"match": ["harbour-registry.*.cr.aliyuncs.com"], "identity": {"source": "env"}},
        {"match": ["my-registry-registry.*.cr.aliyuncs.com"], "identity": {"profile": "second"}}]}
    cloud.cloud.keys["LTAIb"] = {"secret": "s3cret-s3cret", "token": "", "ends": None}
    cli(tmp_path, {"name": "second", "mode": "AK", "access_key_id": "LTAIb", "access_key_secret": "s3cret-s3cret"})
    for image, more, who in [
            ("foreign-registry.cn-hangzhou.cr.aliyuncs.com/a", {}, "partner"),
            ("harbour-registry.cn-shanghai.cr.aliyuncs.com/a", ACCESS_KEY, KEY),
            ("my-registry-registry.cn-hangzhou.cr.aliyuncs.com/a", {"HOME": str(tmp_path)}, "LTAIb"),
            (DEMO + "/a", {}, "KubernetesWorkerRole")]:
        pull(cloud, image, more, config=config, tmp_path=tmp_path).answer
        assert caller(cloud) == who, image


def test_session_named_after_a_node_with_odd_characters(cloud, tmp_path):
    """The node's name is cleaned; a namespace of its own lets the test choose it."""
    if os.geteuid() != 0:
        pytest.skip("naming a node needs root")
    config = write(tmp_path / "config.json", {"identity": {"assumeRole": [{"roleArn": PULLER}]}})
    name = "node_1 (blue)." + "x" * 50
    script = f"printf %s {shlex.quote(name)} >/proc/sys/kernel/hostname && exec " + shlex.join(
        [*WRAPPER, PROGRAM, "--no-cache", "--deadline", str(DEADLINE_S), "--config", config])
    done = subprocess.run(["unshare", "--uts", "sh", "-c", script], input=request(DEMO + "/a"), text=True,
                          capture_output=True, env={**cloud.environment(), "PATH": "/usr/bin:/bin"}, check=False)
    if done.returncode == 1 and "unshare" in done.stderr:
        pytest.skip("namespaces are not allowed here")
    assert done.returncode == 0, done.stderr
    assert cloud.cloud.assumed[-1]["RoleSessionName"] == ("acr-node_1--blue-." + "x" * 50)[:64]


@pytest.mark.parametrize("fault", [{"status": 500}, {"stall": True}, {"reset": "request"}, {"close": True}])
def test_metadata_service_in_trouble_is_not_passed_over(cloud, fault):
    """It is there: the credentials URI behind it would be another identity."""
    cloud.fault("metadata", **fault)
    result = pull(cloud, DEMO + "/a", {"ALIBABA_CLOUD_CREDENTIALS_URI": cloud.metadata + "/credentials"})
    assert_failed(result, 75, "etadata")
    assert cloud.log("uri") == []


@pytest.mark.parametrize("mode", [{"mode": "EcsRamRole"}, {"mode": "RamRoleArnWithRoleName", "ram_role_arn": PULLER}])
def test_profile_of_the_instance_role_does_not_go_on_to_the_credentials_uri(cloud, tmp_path, mode):
    """The metadata service is absent, but the profile has named it: what comes behind it in the chain is somebody else."""
    cli(tmp_path, mode)
    result = pull(cloud, DEMO + "/a", {"HOME": str(tmp_path), "ALIBABA_CLOUD_IMDS_ENDPOINT": "http://127.0.0.1:1",
                                       "ALIBABA_CLOUD_CREDENTIALS_URI": cloud.metadata + "/credentials"})
    assert_failed(result, 75, "ECS metadata service")
    assert cloud.log("uri") == []


@pytest.mark.parametrize("files, variables, words", [
    ({".aliyun/config.json": {"current": "a", "profiles": [{"name": "a", "access_key_id": KEY, "access_key_secret": SECRET,
                                                            "ram_role_arn": PULLER}]}}, {}, "is missing"),
    ({"c.json": {"profiles": []}}, {"ALIBABA_CLOUD_CONFIG_FILE": "c.json"}, "no current profile"),
    ({".alibabacloud/credentials": "[default]\naccess_key_id = a\naccess_key_secret = b\n"}, {}, "is missing"),
    ({"c.ini": "[other]\ntype = access_key\n"}, {"ALIBABA_CLOUD_CREDENTIALS_FILE": "c.ini"}, "no profile default"),
    ({}, {"ALIBABA_CLOUD_SECURITY_TOKEN": "CAIS"}, "ALIBABA_CLOUD_ACCESS_KEY_ID"),
    ({}, {"ALIBABA_CLOUD_IMDSV2_DISABLED": "true", "ALIBABA_CLOUD_ECS_METADATA": "a/b"}, "ALIBABA_CLOUD_ECS_METADATA"),
])
def test_half_of_a_source_is_not_passed_over(cloud, tmp_path, files, variables, words):
    for name, content in files.items():
        write(tmp_path / name, content)
    variables = {name: str(tmp_path / value) if value in files else value for name, value in variables.items()}
    result = pull(cloud, DEMO + "/a", {"HOME": str(tmp_path), "ALIBABA_CLOUD_CREDENTIALS_URI": cloud.metadata + "/credentials",
                                       **variables})
    assert_failed(result, 78, words, secrets=[SECRET])
    assert cloud.log("acr") == []


def test_last_words_of_a_talkative_process(cloud, tmp_path):
    result = external(cloud, tmp_path, "sh -c 'seq 5000 >&2; echo the reason >&2; exit 1'")
    assert_failed(result, 69, "the reason")


def test_external_process_with_an_empty_token(cloud, tmp_path):
    external(cloud, tmp_path, print_json(mode="AK", access_key_id=KEY, access_key_secret=SECRET, sts_token="")).answer
    assert caller(cloud) == KEY
