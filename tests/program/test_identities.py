"""Whose credentials sign: every source of the official chain, roles assumed by STS, an identity for each registry."""

import calendar
import json
import os
import pwd
import socket
import threading
import time

import pytest
from identity_fixtures import (ACCESS_KEY, KEY, NO_METADATA, PARTNER_ROLE, POD_ROLE, PROVIDER, PULLER, SECRET, cli,
                               credentials_server, ini, oidc, print_json, write)
from program_run import DEMO, SHORT_S, Emulator, assert_failed, caller, pull, skip_where_permitted


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


# A host that is put together with one of these would be somebody else's; the empty one says nothing.
NO_REGIONS = ["oss-x.evil.example/", "cn-hangzhou.evil", "CN-HANGZHOU", "oss-cn-hangzhou", "cn-hangzhou@evil.example", "cn-",
              "cn-hangzhou/", "cn-hangzhou#", "cn_hangzhou", "cn-hang zhou", "cn-" + "x" * 61]


@pytest.mark.parametrize("region", NO_REGIONS)
def test_region_of_sts_that_is_none(cloud, tmp_path, region):
    key = {"access_key_id": KEY, "access_key_secret": SECRET}
    oidc_provider = {"oidc_provider_arn": PROVIDER, "oidc_token_file": write(tmp_path / "token", "a.b.c")}
    result = pull(cloud, DEMO + "/a", {**ACCESS_KEY, "ALIBABA_CLOUD_STS_REGION": region})
    assert_failed(result, 78, "ALIBABA_CLOUD_STS_REGION must be a region id")
    for mode, more in (("RamRoleArn", key), ("RamRoleArnWithRoleName", {}), ("OIDC", oidc_provider)):
        cli(tmp_path, {"mode": mode, **more, "ram_role_arn": PULLER, "sts_region": region})
        assert_failed(pull(cloud, DEMO + "/a", {"HOME": str(tmp_path)}), 78, "profile default", "sts_region must be a region id")
    assert cloud.log() == []


def test_region_of_sts_that_nobody_names(cloud, tmp_path):
    """Empty is as good as not set, and the region of a profile's other calls is not that of STS."""
    cli(tmp_path, {"mode": "RamRoleArn", "access_key_id": KEY, "access_key_secret": SECRET, "ram_role_arn": PULLER,
                   "sts_region": "", "region_id": "cn-hangzhou.evil"})
    for more in ({"HOME": str(tmp_path)}, oidc(cloud, tmp_path)):
        pull(cloud, DEMO + "/a", {**more, "ALIBABA_CLOUD_STS_REGION": ""}).answer
        assert cloud.log("sts")[-1]["host"] == "sts.aliyuncs.com"
    assert not any("evil" in entry["host"] for entry in cloud.log())


# -- profiles --------------------------------------------------------------------------------------------------


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
    ([{"mode": "CloudSSO", "access_token": "eyJ"}], "set ALIBABA_CLOUD_CLI_PROFILE_DISABLED=true"), ([{"mode": "OAuth"}], "person"),
    ([{"mode": "RsaKeyPair"}], "not supported"),
    ([{"mode": "ChainableRamRoleArn", "ram_role_arn": PULLER}], "source_profile"),
    ([{"mode": "ChainableRamRoleArn", "ram_role_arn": PULLER, "source_profile": "gone"}], "gone"),
    ([{"mode": "ChainableRamRoleArn", "ram_role_arn": PULLER, "source_profile": "default"}],
     "config.json: source profile default: its source profiles stand behind one another without an end"),
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


CORRECT_TOKEN_FILE = "Correct ALIBABA_CLOUD_OIDC_TOKEN_FILE, or the profile's oidc_token_file"


@pytest.mark.parametrize("token, mode, words", [
    ("", 0o600, ["is empty", CORRECT_TOKEN_FILE]), (" \n", 0o600, ["is empty", CORRECT_TOKEN_FILE]), ("x", 0o622, ["chmod go-w"]),
    pytest.param("x" * 20001, 0o600, ["larger", CORRECT_TOKEN_FILE], id="too long")])
def test_spoilt_token_file_is_not_passed_over(cloud, tmp_path, token, mode, words):
    variables = oidc(cloud, tmp_path)
    (tmp_path / "token").write_text(token)
    (tmp_path / "token").chmod(mode)
    assert_failed(pull(cloud, DEMO + "/a", variables), 78, *words)
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
    ({"ALIBABA_CLOUD_OIDC_TOKEN_FILE": "/nonexistent/token"},
     "Set ALIBABA_CLOUD_ROLE_ARN, ALIBABA_CLOUD_OIDC_PROVIDER_ARN and ALIBABA_CLOUD_OIDC_TOKEN_FILE together, or none"),
    ({"ALIBABA_CLOUD_OIDC_TOKEN_FILE": "/nonexistent/token", "ALIBABA_CLOUD_ROLE_ARN": POD_ROLE,
      "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": PROVIDER}, CORRECT_TOKEN_FILE),
    ({"ALIBABA_CLOUD_CONFIG_FILE": "/dev/null"}, "not a regular file. Correct ALIBABA_CLOUD_CONFIG_FILE, which names it"),
])
def test_names_of_what_is_not_there(cloud, tmp_path, variables, words):
    assert_failed(pull(cloud, DEMO + "/a", {"HOME": str(tmp_path), **variables}), 78, words)
    assert cloud.log("acr") == []


@pytest.mark.parametrize("profile, variables", [
    ({"sts_region": "cn-beijing"}, {"ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED": "true"}),
    ({"enable_vpc": True}, {"ALIBABA_CLOUD_STS_REGION": "cn-beijing"}),
    ({"enable_vpc": True, "sts_region": "cn-beijing", "ram_role_arn": ""}, {"ALIBABA_CLOUD_ROLE_ARN": PULLER}),
])
def test_profile_and_environment_complete_one_another(cloud, tmp_path, profile, variables):
    cli(tmp_path, {"mode": "RamRoleArn", "access_key_id": KEY, "access_key_secret": SECRET, "ram_role_arn": PULLER, **profile})
    pull(cloud, DEMO + "/a", {"HOME": str(tmp_path), **variables}).answer
    assert caller(cloud) == "puller" and cloud.log("sts")[-1]["host"] == "sts-vpc.cn-beijing.aliyuncs.com"


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


def test_metadata_service_that_was_there_is_not_absent(cloud, node):
    """Another identity must not stand in for a service that is only down."""
    with Emulator() as host:
        host.cloud = cloud.cloud
        more = {"ALIBABA_CLOUD_CREDENTIALS_URI": cloud.metadata + "/credentials", "ALIBABA_CLOUD_IMDS_ENDPOINT": host.metadata}
        node.pull(more=more).answer
    for path in node.files():
        path.unlink()
    assert_failed(node.pull(more=more), 75, "ECS metadata service")
    assert caller(cloud) == "KubernetesWorkerRole" and cloud.log("uri") == []


@pytest.mark.parametrize("uri", ["https://host:99999/c", "https://[zz]/c", "http://127.0.0.1:0x/c", "https://user@host/c", "https:///c",
                                 "https://host:/c", "ftp://host/c", "https://a b/c"])
def test_credentials_uri_that_is_none_is_asked_of_nobody(cloud, uri):
    assert_failed(pull(cloud, DEMO + "/a", {**NO_METADATA, "ALIBABA_CLOUD_CREDENTIALS_URI": uri}), 78, "credentials URI: it must be https")
    assert "connect" not in cloud.operations("proxy") or all(entry["host"].endswith("aliyuncs.com:443") for entry in cloud.log("proxy"))


def test_credentials_uri_by_https_and_by_configuration(cloud, tmp_path):
    more = {"ALIBABA_CLOUD_CREDENTIALS_URI": "https://credentials.example/of/this/node?x=1"}
    pull(cloud, DEMO + "/a", more, config={"identity": {"source": "uri"}}, tmp_path=tmp_path).answer
    assert caller(cloud) == "uri" and cloud.log("metadata") == []
    assert "credentials.example:443" in [entry["host"] for entry in cloud.log("proxy")]


def test_credentials_uri_without_tls_is_asked_by_no_proxy(cloud):
    """Neither is the metadata service: what they say is for this machine alone."""
    proxies = dict.fromkeys(("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"), cloud.proxy)
    uri = {**NO_METADATA, "ALIBABA_CLOUD_CREDENTIALS_URI": cloud.metadata + "/credentials"}
    for more, who in ((uri, "uri"), ({}, "KubernetesWorkerRole")):
        pull(cloud, DEMO + "/a", {**more, **proxies}).answer
        assert caller(cloud) == who
    assert set(cloud.operations("proxy")) == {"connect"} and "proxied" not in cloud.operations("metadata")
    assert not any(entry["host"].startswith("127.") for entry in cloud.log("proxy"))


@pytest.mark.parametrize("host, address", [("127.0.0.2", "127.0.0.2"), ("localhost", "127.0.0.1"), ("[::1]", "::1")])
def test_credentials_uri_of_this_machine(cloud, host, address):
    if address == "::1" and not os.path.exists("/proc/net/if_inet6"):
        skip_where_permitted("this machine has no IPv6")
    with credentials_server(cloud, address) as port:
        uri = {"ALIBABA_CLOUD_CREDENTIALS_URI": f"http://{host}:{port}/credentials"}
        pull(cloud, DEMO + "/a", {**NO_METADATA, **uri}).answer
        assert caller(cloud) == "uri"


@pytest.mark.parametrize("uri", [
    "http://192.0.2.1/credentials", "http://credentials.example/", "http://127.0.0.1.attacker.example/", "ftp://127.0.0.1/",
    "http://user@127.0.0.1/", "http://[2001:db8::1]/", "https:///", "http://127.0.0.1/#a", "credentials", "http://[::1",
    "http://10.0.0.1/", "http://[::1].attacker.example/", "http://[2001:db8::1%25lo]/", "http://[fe80::7%25lo", "http://127.1/",
    "http://[::1%25@[2001:db8::1]/x", "https://[::1%25@[2001:db8::1]/x", "http://[::1%25lo\\@evil.example]/x", "http://169.253.0.1/", "http://2130706433/", "http://localhost.attacker.example/",
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
    assert_failed(pull(cloud, DEMO + "/a", uri, deadline_s=SHORT_S), status, "credentials URI")


def test_expired_credentials_of_a_uri(cloud):
    """By the cloud's clock, not by the node's."""
    uri = {**NO_METADATA, "ALIBABA_CLOUD_CREDENTIALS_URI": cloud.metadata + "/credentials"}
    cloud.cloud.clock_offset_s = -7200
    pull(cloud, DEMO + "/a", uri).answer
    cloud.cloud.credentials_life_s = -60
    assert_failed(pull(cloud, DEMO + "/a", uri), 77, "expired")


# -- the chain as a whole --------------------------------------------------------------------------------------


def test_chain_that_finds_nothing_lists_every_source(cloud, tmp_path):
    result = pull(cloud, DEMO + "/a", {**NO_METADATA, "HOME": str(tmp_path)})
    assert_failed(result, 78, "environment: ALIBABA_CLOUD_ACCESS_KEY_ID is not set",
                  "OIDC: ALIBABA_CLOUD_OIDC_TOKEN_FILE is not set", f"CLI profile: there is no {tmp_path}/.aliyun/config.json",
                  f"credentials file: there is no {tmp_path}/.alibabacloud/credentials",
                  "ECS metadata service: ALIBABA_CLOUD_ECS_METADATA_DISABLED forbids it",
                  "credentials URI: ALIBABA_CLOUD_CREDENTIALS_URI is not set",
                  "Unset ALIBABA_CLOUD_ECS_METADATA_DISABLED, or set ALIBABA_CLOUD_ACCESS_KEY_ID and")


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


@pytest.mark.parametrize("claims, words", [
    ({"aud": "api"}, "audience is api; set the audience of the projected token to sts.aliyuncs.com"),
    (None, "not a JSON Web Token: let the token file hold one of a service account"),
])
def test_refused_token_of_a_file_is_not_told_about_the_kubelet(cloud, tmp_path, claims, words):
    variables = oidc(cloud, tmp_path, **(claims or {}))
    if claims is None:
        write(tmp_path / "token", "no-token")
    result = pull(cloud, DEMO + "/a", variables)
    assert_failed(result, 77, words)
    assert "kubelet" not in result.err and "serviceAccountTokenAudience" not in result.err


# -- roles -----------------------------------------------------------------------------------------------------


def test_roles_of_the_configuration(cloud, tmp_path):
    policy = '{"Version":"1","Statement":[{"Effect":"Allow","Action":"cr:*","Resource":"*"}]}'
    config = {"identity": {"assumeRole": [
        {"roleArn": PULLER, "durationSeconds": 1800, "policy": policy, "sourceIdentity": "team-a"},
        {"roleArn": PARTNER_ROLE, "externalId": "abcd1234", "sessionName": "pull@node"}]}}
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
    ({"roleArn": PARTNER_ROLE, "externalId": "wrong"}, 77, ["NoPermission", "externalId"]),
])
def test_roles_that_are_refused(cloud, tmp_path, role, status, words):
    config = {"identity": {"assumeRole": [role]}}
    result = pull(cloud, DEMO + "/a", config=config, tmp_path=tmp_path)
    assert_failed(result, status, role["roleArn"], "KubernetesWorkerRole", *words)
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
    assert_failed(pull(cloud, DEMO + "/a", config=config, tmp_path=tmp_path, deadline_s=SHORT_S), status)


def test_sts_trouble_that_passes(cloud, tmp_path):
    cloud.fault("sts", times=1, code="ServiceUnavailable")
    cloud.fault("sts", times=1, reset="headers")
    config = {"identity": {"assumeRole": [{"roleArn": PULLER}]}}
    pull(cloud, DEMO + "/a", config=config, tmp_path=tmp_path).answer
    assert caller(cloud) == "puller"


def stamps_of(calls):
    """By which clock they are signed."""
    return [calendar.timegm(time.strptime(call["headers"]["x-acs-date"], "%Y-%m-%dT%H:%M:%SZ")) for call in calls]


@pytest.mark.parametrize("offset_s", [20 * 60, -20 * 60])
@pytest.mark.parametrize("image, config, service", [
    (DEMO + "/a", {"identity": {"assumeRole": [{"roleArn": PULLER}]}}, "sts"),
    ("registry.cn-hangzhou.aliyuncs.com/a", {}, "acr")])
def test_call_on_a_node_with_a_wrong_clock(cloud, tmp_path, offset_s, image, config, service):
    cloud.cloud.clock_offset_s = offset_s
    result = pull(cloud, image, config=config, tmp_path=tmp_path, arguments=["--log-level", "warning"])
    assert result.auth and "Run NTP" in result.err
    first, second = stamps_of(cloud.log(service))
    assert abs(first - time.time()) < 300 > abs(second - cloud.cloud.now())


def test_nonce_of_sts_that_was_used(cloud, tmp_path):
    config = {"identity": {"assumeRole": [{"roleArn": PULLER}]}}
    cloud.fault("sts", times=1, code="SignatureNonceUsed")
    pull(cloud, DEMO + "/a", config=config, tmp_path=tmp_path).answer
    first, second = (entry["headers"]["x-acs-signature-nonce"] for entry in cloud.log("sts"))
    assert caller(cloud) == "puller" and first != second
    cloud.fault("sts", code="SignatureNonceUsed")
    assert_failed(pull(cloud, DEMO + "/a", config=config, tmp_path=tmp_path), 75, "SignatureNonceUsed", "requests twice")
    assert len(cloud.log("sts")) == 4


def test_ended_role_session_is_assumed_anew(cloud, tmp_path):
    cloud.fault("acr", times=1, code="InvalidSecurityToken.Expired")
    config = {"identity": {"assumeRole": [{"roleArn": PULLER}]}}
    pull(cloud, DEMO + "/a", config=config, tmp_path=tmp_path).answer
    assert len(cloud.cloud.assumed) == 2


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


# -- names that must not come to mean somebody else --------------------------------------------------------------


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


@pytest.mark.parametrize("profile", [{"mode": "EcsRamRole"}, {"mode": "RamRoleArnWithRoleName", "ram_role_arn": PULLER}])
def test_metadata_service_that_is_forbidden_is_forbidden_to_profiles(cloud, tmp_path, profile):
    cli(tmp_path, profile)
    assert_failed(pull(cloud, DEMO + "/a", {**NO_METADATA, "HOME": str(tmp_path)}), 78, "ALIBABA_CLOUD_ECS_METADATA_DISABLED",
                  "Unset it, or name another source")
    assert cloud.log("metadata") == []


@pytest.mark.parametrize("variables, config, profile, words", [
    ({"ALIBABA_CLOUD_ECS_METADATA": "Gone"}, {}, None, "correct ALIBABA_CLOUD_ECS_METADATA, which names it"),
    ({}, {"roleName": "Gone"}, None, "correct roleName in the configuration"),
    ({}, {}, {"mode": "EcsRamRole", "ram_role_name": "Gone"}, "correct the role's name in the profile"),
])
def test_role_that_is_not_attached_is_told_with_who_named_it(cloud, tmp_path, variables, config, profile, words):
    if profile:
        cli(tmp_path, profile)
    result = pull(cloud, DEMO + "/a", {"HOME": str(tmp_path), **variables}, config={"identity": config}, tmp_path=tmp_path)
    assert_failed(result, 78, "RAM role Gone is not attached", words)


@pytest.mark.parametrize("body, words", [
    ("<html>", ["Check what answers at http", "in its place"]), ("{}", ["Check what answers at http", "in its place"]),
    ('{"Code": "Failed"}', ["(Failed)", "Check that RAM role KubernetesWorkerRole still exists and trusts ecs.aliyuncs.com"]),
])
def test_credentials_of_the_instance_that_are_none(cloud, body, words):
    cloud.fault("metadata", "credentials", body=body)
    assert_failed(pull(cloud, DEMO + "/a"), 69, "RAM role KubernetesWorkerRole", *words)


def test_metadata_service_that_goes_away_is_not_absent(cloud):
    """It took a connection once: the credentials URI behind it would be another identity."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        def take_one():
            connection, _ = server.accept()
            server.close()
            connection.close()

        taker = threading.Thread(target=take_one)
        taker.start()
        result = pull(cloud, DEMO + "/a", {"ALIBABA_CLOUD_IMDS_ENDPOINT": "http://127.0.0.1:%d" % server.getsockname()[1],
                                           "ALIBABA_CLOUD_CREDENTIALS_URI": cloud.metadata + "/credentials"})
        taker.join()
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


def test_misspelt_keys_of_the_usual_credentials_file_are_not_passed_over(cloud, tmp_path):
    ini(tmp_path, "[default]\ntype = access_key\naccesskeyid = a\n")
    assert_failed(pull(cloud, DEMO + "/a", {"HOME": str(tmp_path)}), 78, "access_key_id is missing")


@pytest.mark.parametrize("names", [
    {"ALIBABACLOUD_PROFILE": "second"}, {"ALICLOUD_PROFILE": "second"}, {"ALIBABA_CLOUD_PROFILE": "second", "ALICLOUD_PROFILE": "x"},
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


@pytest.mark.parametrize("variable", ["ALIBABA_CLOUD_ROLE_SESSION_NAME", "ALICLOUD_ROLE_SESSION_NAME"])
def test_session_name_of_the_environment_completes_a_profile(cloud, tmp_path, variable):
    cli(tmp_path, {"mode": "RamRoleArn", "access_key_id": KEY, "access_key_secret": SECRET, "ram_role_arn": PULLER})
    pull(cloud, DEMO + "/a", {"HOME": str(tmp_path), variable: "job-7"}).answer
    assert cloud.cloud.assumed[-1]["RoleSessionName"] == "job-7"


@pytest.mark.parametrize("word, who", [("true", "KubernetesWorkerRole"), ("TRUE", "KubernetesWorkerRole"), ("1", KEY), ("yes", KEY)])
def test_what_is_true_is_what_the_libraries_take_for_true(cloud, tmp_path, word, who):
    cli(tmp_path, {"mode": "AK", "access_key_id": KEY, "access_key_secret": SECRET})
    pull(cloud, DEMO + "/a", {"HOME": str(tmp_path), "ALIBABA_CLOUD_CLI_PROFILE_DISABLED": word}).answer
    assert caller(cloud) == who


@pytest.mark.parametrize("word", ["1", "t", "true"])
def test_normal_mode_of_the_metadata_service_alone(cloud, word):
    pull(cloud, DEMO + "/a", {"ALIBABA_CLOUD_IMDSV2_DISABLED": word}).answer
    assert "token" not in cloud.operations("metadata")


def test_absent_metadata_service_of_a_named_role_in_normal_mode(cloud):
    pull(cloud, DEMO + "/a", {"ALIBABA_CLOUD_IMDSV2_DISABLED": "true", "ALIBABA_CLOUD_ECS_METADATA": "Role",
                              "ALIBABA_CLOUD_IMDS_ENDPOINT": "http://127.0.0.1:1",
                              "ALIBABA_CLOUD_CREDENTIALS_URI": cloud.metadata + "/credentials"}).answer
    assert caller(cloud) == "uri"


@pytest.mark.parametrize("text, words", [
    ("type = ram_role_arn\naccess_key_id = a\naccess_key_secret = b\n", "role_arn is missing"),
    ("type = ram_role_arn\naccess_key_id = a\naccess_key_secret = b\nrole_arn = puller\n", "role_arn must be"),
    ("type = ecs_ram_role\nrole_name = a/b\n", "role_name must be"), ("type = bearer\n", "type bearer"),
])
def test_errors_of_a_credentials_file_name_its_own_keys(cloud, tmp_path, text, words):
    ini(tmp_path, "[default]\n" + text)
    result = pull(cloud, DEMO + "/a", {"HOME": str(tmp_path)})
    assert_failed(result, 78, words)
    assert "ram_" not in result.err.replace("ram_role", "") and "mode" not in result.err


def test_comment_behind_a_quoted_value(cloud, tmp_path):
    ini(tmp_path, f'[default]\ntype = access_key\naccess_key_id = "{KEY}"  # mine\naccess_key_secret = \'{SECRET}\';old\n')
    pull(cloud, DEMO + "/a", {"HOME": str(tmp_path)}).answer
    assert caller(cloud) == KEY


@pytest.mark.parametrize("config, variables, words", [
    ({"source": "uri"}, {}, "Set it up, or let the configuration name another source"),
    ({"profile": "gone"}, {}, "Set it up, or let the configuration name another source"),
    ({"source": "ecs"}, {"ALIBABA_CLOUD_IMDS_ENDPOINT": "http://127.0.0.1:1"}, "reaches http://127.0.0.1:1"),
    ({}, {"ALICLOUD_SECURITY_TOKEN": "CAIS"}, "ALICLOUD_SECURITY_TOKEN is set"),
    ({}, {**ACCESS_KEY, "ALIBABA_CLOUD_ACCESS_KEY_ID": "a b"}, "blanks or control bytes. Correct or unset it"),
    ({}, {**ACCESS_KEY, "ALIBABA_CLOUD_STS_REGION": "x/"}, "cn-shanghai. Correct or unset it"),
    ({}, {"ALIBABA_CLOUD_OIDC_TOKEN_FILE": "/token", "ALIBABA_CLOUD_ROLE_ARN": "pod",
          "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": PROVIDER}, "role/NAME. Correct or unset it"),
])
def test_advice_helps(cloud, tmp_path, config, variables, words):
    result = pull(cloud, DEMO + "/a", {"HOME": str(tmp_path), **variables}, config={"identity": config}, tmp_path=tmp_path)
    assert_failed(result, 75 if "127.0.0.1:1" in words else 78, words)
    assert "Attach a RAM role" not in result.err


# -- what has just ended is fetched anew, once -------------------------------------------------------------------


def test_credentials_that_end_before_a_role_is_assumed(cloud, tmp_path):
    cloud.fault("sts", times=1, code="InvalidSecurityToken.Expired")
    config = {"identity": {"assumeRole": [{"roleArn": PULLER}]}}
    pull(cloud, DEMO + "/a", config=config, tmp_path=tmp_path).answer
    assert caller(cloud) == "puller" and cloud.operations("metadata").count("credentials") == 2
    cloud.fault("sts", code="InvalidSecurityToken.Expired")
    assert_failed(pull(cloud, DEMO + "/a", config=config, tmp_path=tmp_path), 77, "InvalidSecurityToken.Expired")
    assert cloud.operations("metadata").count("credentials") == 4


def test_token_file_that_is_renewed_meanwhile(cloud, tmp_path):
    cloud.fault("sts", times=1, code="AuthenticationFail.OIDCToken.Expired")
    pull(cloud, DEMO + "/a", oidc(cloud, tmp_path)).answer
    assert caller(cloud) == "pod"


def test_sts_access_key_that_is_unknown_by_now(cloud):
    cloud.fault("acr", times=1, code="InvalidAccessKeyId.NotFound")
    pull(cloud, DEMO + "/a").answer
    assert cloud.operations("metadata").count("credentials") == 2
    before = len(cloud.log("acr"))
    cloud.fault("acr", code="InvalidAccessKeyId.NotFound")
    assert_failed(pull(cloud, DEMO + "/a", ACCESS_KEY), 77, "InvalidAccessKeyId.NotFound")
    assert len(cloud.log("acr")) == before + 1  # an AccessKey does not come back


def test_region_of_the_metadata_service_that_could_be_a_bucket(cloud, tmp_path):
    """sts-vpc.oss-cn-hangzhou.aliyuncs.com is whoever's bucket of that name."""
    cloud.cloud.region = "oss-cn-hangzhou"
    config = {"identity": {"assumeRole": [{"roleArn": PULLER}]}}
    pull(cloud, DEMO + "/a", config=config, tmp_path=tmp_path).answer
    assert not any("oss-" in entry["host"] for entry in cloud.log())
