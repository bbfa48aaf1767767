"""Whose credentials sign: every source of the official chain, roles assumed by STS, an identity for each registry."""

import pytest
from identity_fixtures import ACCESS_KEY, KEY, PARTNER_ROLE, SECRET, cli, ini, oidc, write
from program_run import DEMO, assert_failed, caller, pull


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


CORRECT_TOKEN_FILE = "Correct ALIBABA_CLOUD_OIDC_TOKEN_FILE, or the profile's oidc_token_file"


@pytest.mark.parametrize("token, mode, words", [
    ("", 0o600, ["is empty", CORRECT_TOKEN_FILE]), (" \n", 0o600, ["is empty", CORRECT_TOKEN_FILE]),
    ("x", 0o622, ["chmod go-w"]),
    pytest.param("x" * 20001, 0o600, ["more than 20000 bytes", CORRECT_TOKEN_FILE], id="too long")])
def test_spoilt_token_file_is_not_passed_over(cloud, tmp_path, token, mode, words):
    variables = oidc(cloud, tmp_path)
    (tmp_path / "token").write_text(token)
    (tmp_path / "token").chmod(mode)
    assert_failed(pull(cloud, DEMO + "/a", variables), 78, *words)
    assert cloud.log("acr") == []


def test_each_registry_has_its_own_identity(cloud, tmp_path):
    config = {"registries": [
        {"match": ["foreign-registry.*.cr.aliyuncs.com"],
         "identity": {"assumeRole": [{"roleArn": PARTNER_ROLE, "externalId": "abcd1234"}]}},
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


@pytest.mark.parametrize("variables", [ACCESS_KEY, {"ALIBABA_CLOUD_IMDS_ENDPOINT": "http://127.0.0.1:1"}])
def test_named_role_of_the_instance_is_the_only_source(cloud, tmp_path, variables):
    config = {"registries": [{"match": [DEMO], "identity": {"roleName": "KubernetesWorkerRole"}}]}
    more = {**variables, "ALIBABA_CLOUD_CREDENTIALS_URI": cloud.metadata + "/credentials"}
    result = pull(cloud, DEMO + "/a", more, config=config, tmp_path=tmp_path)
    if variables == ACCESS_KEY:
        assert result.auth and caller(cloud) == "KubernetesWorkerRole"
    else:
        assert_failed(result, 75, "ECS metadata service", "127.0.0.1:1")
    assert cloud.log("uri") == []


@pytest.mark.parametrize("names", [
    {"ALIBABACLOUD_PROFILE": "second"}, {"ALICLOUD_PROFILE": "second"},
    {"ALIBABA_CLOUD_PROFILE": "second", "ALICLOUD_PROFILE": "x"},
    {"ALIBABACLOUD_PROFILE_PATH": "other.json"}, {"ALIBABACLOUD_IGNORE_PROFILE": "TRUE"},
])
def test_older_names_of_other_variables(cloud, tmp_path, names):
    second = {"name": "second", "mode": "AK", "access_key_id": KEY, "access_key_secret": SECRET}
    cli(tmp_path, {"mode": "AK", "access_key_id": "LTAIother", "access_key_secret": SECRET}, second)
    write(tmp_path / "other.json", {"current": "second", "profiles": [second]})
    ini(tmp_path, f"[default]\ntype = access_key\naccess_key_id = {KEY}\naccess_key_secret = {SECRET}\n")
    pull(cloud, DEMO + "/a", {"HOME": str(tmp_path), **{
        name: str(tmp_path / value) if value.endswith(".json") else value for name, value in names.items()}}).answer
    assert caller(cloud) == KEY


@pytest.mark.parametrize("word, who", [("true", "KubernetesWorkerRole"), ("TRUE", "KubernetesWorkerRole"),
                                       ("1", "KubernetesWorkerRole"), ("yes", KEY)])
def test_what_is_true_is_what_the_libraries_take_for_true(cloud, tmp_path, word, who):
    cli(tmp_path, {"mode": "AK", "access_key_id": KEY, "access_key_secret": SECRET})
    pull(cloud, DEMO + "/a", {"HOME": str(tmp_path), "ALIBABA_CLOUD_CLI_PROFILE_DISABLED": word}).answer
    assert caller(cloud) == who
