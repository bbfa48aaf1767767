"""Roles assumed by STS: the configuration's, the environment's and OIDC; STS endpoints and failures."""

import calendar
import json
import time

import pytest
from identity_fixtures import ACCESS_KEY, KEY, PARTNER_ROLE, PROVIDER, PULLER, SECRET, cli, oidc, write
from program_run import DEMO, SHORT_S, assert_failed, caller, pull


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
NO_REGIONS = ["oss-x.evil.example/", "cn-hangzhou.evil", "CN-HANGZHOU", "oss-cn-hangzhou", "cn-hangzhou@evil.example",
              "cn-",
              "cn-hangzhou/", "cn-hangzhou#", "cn_hangzhou", "cn-hang zhou", "cn-" + "x" * 61]


@pytest.mark.parametrize("region", NO_REGIONS)
def test_region_of_sts_that_is_none(cloud, tmp_path, region):
    key = {"access_key_id": KEY, "access_key_secret": SECRET}
    oidc_provider = {"oidc_provider_arn": PROVIDER, "oidc_token_file": write(tmp_path / "token", "a.b.c")}
    result = pull(cloud, DEMO + "/a", {**ACCESS_KEY, "ALIBABA_CLOUD_STS_REGION": region})
    assert_failed(result, 78, "ALIBABA_CLOUD_STS_REGION must be a region id")
    for mode, more in (("RamRoleArn", key), ("RamRoleArnWithRoleName", {}), ("OIDC", oidc_provider)):
        cli(tmp_path, {"mode": mode, **more, "ram_role_arn": PULLER, "sts_region": region})
        assert_failed(pull(cloud, DEMO + "/a", {"HOME": str(tmp_path)}), 78, "profile default",
                      "sts_region must be a region id")
    assert cloud.log() == []


def test_region_of_sts_that_nobody_names(cloud, tmp_path):
    """Empty is as good as not set, and the region of a profile's other calls is not that of STS."""
    cli(tmp_path, {"mode": "RamRoleArn", "access_key_id": KEY, "access_key_secret": SECRET, "ram_role_arn": PULLER,
                   "sts_region": "", "region_id": "cn-hangzhou.evil"})
    for more in ({"HOME": str(tmp_path)}, oidc(cloud, tmp_path)):
        pull(cloud, DEMO + "/a", {**more, "ALIBABA_CLOUD_STS_REGION": ""}).answer
        assert cloud.log("sts")[-1]["host"] == "sts.aliyuncs.com"
    assert not any("evil" in entry["host"] for entry in cloud.log())


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


@pytest.mark.parametrize("fault, status", [
    pytest.param({"stall": True}, 75, marks=pytest.mark.slow), ({"garbage": True}, 69), ({"body": "{}"}, 69),
    ({"body": "<html>"}, 69),
    ({"endless": True}, 69),
    pytest.param({"code": "Throttling.User"}, 75, marks=pytest.mark.slow),
    ({"redirect": "https://attacker.example/"}, 69), pytest.param({"reset": "request"}, 75, marks=pytest.mark.slow),
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
    assert_failed(pull(cloud, DEMO + "/a", config=config, tmp_path=tmp_path), 75, "SignatureNonceUsed",
                  "requests twice")
    assert len(cloud.log("sts")) == 4


def test_ended_role_session_is_assumed_anew(cloud, tmp_path):
    cloud.fault("acr", times=1, code="InvalidSecurityToken.Expired")
    config = {"identity": {"assumeRole": [{"roleArn": PULLER}]}}
    pull(cloud, DEMO + "/a", config=config, tmp_path=tmp_path).answer
    assert len(cloud.cloud.assumed) == 2


@pytest.mark.parametrize("variable", ["ALIBABA_CLOUD_ROLE_SESSION_NAME", "ALICLOUD_ROLE_SESSION_NAME"])
def test_session_name_of_the_environment_completes_a_profile(cloud, tmp_path, variable):
    cli(tmp_path, {"mode": "RamRoleArn", "access_key_id": KEY, "access_key_secret": SECRET, "ram_role_arn": PULLER})
    pull(cloud, DEMO + "/a", {"HOME": str(tmp_path), variable: "job-7"}).answer
    assert cloud.cloud.assumed[-1]["RoleSessionName"] == "job-7"


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


def test_region_of_the_metadata_service_that_could_be_a_bucket(cloud, tmp_path):
    """sts-vpc.oss-cn-hangzhou.aliyuncs.com is whoever's bucket of that name."""
    cloud.cloud.region = "oss-cn-hangzhou"
    config = {"identity": {"assumeRole": [{"roleArn": PULLER}]}}
    pull(cloud, DEMO + "/a", config=config, tmp_path=tmp_path).answer
    assert not any("oss-" in entry["host"] for entry in cloud.log())
