"""CLI profiles and the credentials file: every mode and key, and files that cannot be used."""

import os
import pwd

import pytest
from identity_fixtures import KEY, NO_METADATA, PARTNER_ROLE, PULLER, SECRET, cli, ini, oidc, print_json, write
from program_run import DEMO, assert_failed, caller, pull, skip_where_permitted


@pytest.mark.parametrize("profile, who", [
    ({"mode": "AK", "access_key_id": KEY, "access_key_secret": SECRET, "sts_token": "left over"}, KEY),
    ({"mode": "RamRoleArn", "access_key_id": KEY, "access_key_secret": SECRET, "ram_role_arn": PULLER,
      "ram_session_name": "node-9", "expired_seconds": 900}, "puller"),
    ({"mode": "RamRoleArn", "access_key_id": KEY, "access_key_secret": SECRET, "ram_role_arn": PARTNER_ROLE,
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
    cli(tmp_path, {"mode": "ChainableRamRoleArn", "source_profile": "middle", "ram_role_arn": PARTNER_ROLE,
                   "external_id": "abcd1234"},
        {"name": "middle", "mode": "ChainableRamRoleArn", "source_profile": "key", "ram_role_arn": PULLER},
        {"name": "key", "mode": "AK", "access_key_id": KEY, "access_key_secret": SECRET})
    pull(cloud, "foreign-registry.cn-hangzhou.cr.aliyuncs.com/a", {"HOME": str(tmp_path)}).answer
    assert caller(cloud) == "partner"
    assert [given["RoleArn"] for given in cloud.cloud.assumed] == [PULLER, PARTNER_ROLE]


def test_which_file_and_which_profile(cloud, tmp_path):
    own = {"mode": "AK", "access_key_id": KEY, "access_key_secret": SECRET}
    cloud.cloud.keys.update({name: {"secret": "s3cret-s3cret", "token": "", "ends": None}
                             for name in ("LTAIb", "LTAIc")})
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


def test_user_without_a_home_has_no_profiles(cloud):
    """Neither HOME nor an entry in the user database; /root would be somebody else's."""
    if os.geteuid() != 0:
        skip_where_permitted("becoming another user needs root")
    nobody = next(uid for uid in range(54321, 60000) if uid not in {user.pw_uid for user in pwd.getpwall()})
    result = pull(cloud, DEMO + "/a", NO_METADATA,
                  prefix=["setpriv", "--reuid", str(nobody), "--regid", str(nobody), "--clear-groups"])
    assert_failed(result, 78, "no identity found", "CLI profile: this user has no home directory",
                  "credentials file: this user has no home directory")


@pytest.mark.parametrize("text, who", [
    ("# comment\n[default]\ntype=access_key\naccess_key_id = %s  # mine\naccess_key_secret = \"%s\"\n" % (KEY, SECRET),
     KEY),
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


@pytest.mark.parametrize("spoil, words", [
    (lambda home: write(home / ".aliyun" / "config.json", "{"), "config.json"),
    (lambda home: write(home / ".aliyun" / "config.json", "x" * (1024 * 1024 + 1)), "more than 1048576 bytes"),
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


def test_credentials_file_with_sts_credentials(cloud, tmp_path):
    issued = cloud.cloud.issue_credentials(role="of-the-file")
    ini(tmp_path, f"[default]\ntype = sts\naccess_key_id = {issued['AccessKeyId']}\n"
                  f"access_key_secret = {issued['AccessKeySecret']}\nsts_token = {issued['SecurityToken']}\n")
    result = pull(cloud, DEMO + "/a", {"HOME": str(tmp_path)})
    assert result.auth and caller(cloud) == "of-the-file"


@pytest.mark.parametrize("profile, variables", [
    ({"sts_region": "cn-beijing"}, {"ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED": "true"}),
    ({"enable_vpc": True}, {"ALIBABA_CLOUD_STS_REGION": "cn-beijing"}),
    ({"enable_vpc": True, "sts_region": "cn-beijing", "ram_role_arn": ""}, {"ALIBABA_CLOUD_ROLE_ARN": PULLER}),
])
def test_profile_and_environment_complete_one_another(cloud, tmp_path, profile, variables):
    cli(tmp_path,
        {"mode": "RamRoleArn", "access_key_id": KEY, "access_key_secret": SECRET, "ram_role_arn": PULLER, **profile})
    pull(cloud, DEMO + "/a", {"HOME": str(tmp_path), **variables}).answer
    assert caller(cloud) == "puller" and cloud.log("sts")[-1]["host"] == "sts-vpc.cn-beijing.aliyuncs.com"


@pytest.mark.parametrize("mode", [{"mode": "EcsRamRole"}, {"mode": "RamRoleArnWithRoleName", "ram_role_arn": PULLER}])
def test_profile_of_the_instance_role_does_not_go_on_to_the_credentials_uri(cloud, tmp_path, mode):
    """The metadata service is absent, but the profile names it: the next source of the chain is another identity."""
    cli(tmp_path, mode)
    result = pull(cloud, DEMO + "/a", {"HOME": str(tmp_path), "ALIBABA_CLOUD_IMDS_ENDPOINT": "http://127.0.0.1:1",
                                       "ALIBABA_CLOUD_CREDENTIALS_URI": cloud.metadata + "/credentials"})
    assert_failed(result, 75, "ECS metadata service")
    assert cloud.log("uri") == []


@pytest.mark.parametrize("variable, text", [
    ("ALIBABA_CLOUD_CONFIG_FILE", {"current": "a", "profiles": [{"name": "a", "mode": "AK", "accesskeyid": KEY}]}),
    ("ALIBABA_CLOUD_CREDENTIALS_FILE", "[default]\ntype = access_key\naccesskeyid = a\n"),
])
def test_misspelt_keys_of_a_named_file_are_not_passed_over(cloud, tmp_path, variable, text):
    result = pull(cloud, DEMO + "/a", {variable: write(tmp_path / "named", text)})
    assert_failed(result, 78, "access_key_id is missing")
    assert cloud.log("metadata") == []


def test_comment_behind_a_quoted_value(cloud, tmp_path):
    ini(tmp_path,
        f'[default]\ntype = access_key\naccess_key_id = "{KEY}"  # mine\naccess_key_secret = \'{SECRET}\';old\n')
    pull(cloud, DEMO + "/a", {"HOME": str(tmp_path)}).answer
    assert caller(cloud) == KEY
