"""Codes and failures of the ACR API: status, advice, retries."""

import json
import re
from urllib.parse import quote

import pytest
from identity_fixtures import ACCESS_KEY, PULLER, SECRET
from program_run import DEMO, SHORT_S, assert_failed, pull


ONCE, TWICE, SOME = {1}, {2}, range(3, 10)


REFUSALS = [
    ("Throttling", 400, 75, SOME, "throttled"), ("Throttling.User", 429, 75, SOME, "throttled"),
    ("Throttling.Api", 400, 75, SOME, "throttled"), ("Rejected.Throttling", 503, 75, SOME, "throttled"),
    ("Odd.Throttling", 403, 75, SOME, "throttled"), ("ServiceUnavailable", 503, 75, SOME, "temporarily unavailable"),
    ("InternalError", 500, 75, SOME, "temporarily unavailable"),
    ("SystemError", 400, 75, SOME, "temporarily unavailable"),
    ("Never.Heard.Of", 502, 75, SOME, "temporarily unavailable"),
    ("InvalidTimeStamp.Expired", 400, 78, TWICE, "NTP"),
    ("InvalidTimeStamp.Format", 400, 78, TWICE, "cannot read the date"),
    ("IllegalTimestamp", 400, 78, ONCE | TWICE, "NTP"),
    ("SignatureNonceUsed", 400, 75, TWICE, "proxy that sends requests twice"),
    ("InvalidSecurityToken.Expired", 400, 77, TWICE, "renew them where they come from"),
    ("InvalidSecurityToken.Malformed", 400, 77, ONCE, "security token"),
    ("InvalidSecurityToken.MismatchWithAccessKey", 403, 77, ONCE, "belong together"),
    ("MissingSecurityToken", 400, 77, ONCE, "ALIBABA_CLOUD_SECURITY_TOKEN"),
    ("InvalidAccessKeyId.NotFound", 404, 77, TWICE, "AccessKey"),
    ("InvalidAccessKeyId.Inactive", 403, 77, ONCE, "AccessKey"),
    ("Forbidden.AccessKeyDisabled", 403, 77, ONCE, "AccessKey"), ("SignatureDoesNotMatch", 400, 77, ONCE, "secret"),
    ("IncompleteSignature", 400, 77, ONCE, "secret"), ("NoPermission", 403, 77, ONCE, "cr:GetAuthorizationToken"),
    ("Forbidden", 403, 77, ONCE, "cr:GetAuthorizationToken"),
    ("Forbidden.RAM", 400, 77, ONCE, "cr:GetAuthorizationToken"),
    ("AccessDenied", 403, 77, ONCE, "RAM policy"), ("NoPrivilege", 403, 77, ONCE, "RAM policy"),
    ("AUTHENTICATION_FAILED", 403, 77, ONCE, "RAM policy"),
    ("Forbidden.RiskControl", 403, 77, ONCE, "state of the Alibaba Cloud account"),
    ("InstanceNotExist", 404, 77, ONCE, "belongs to the account"),
    ("InstanceNotExist", 200, 77, ONCE, "belongs to the account"),
    ("INSTANCE_NOT_EXIST", 404, 77, ONCE, "belongs to the account"),
    ("INSTANCE_NOT_EXIST", 200, 77, ONCE, "belongs to the account"),
    ("INSTANCE_STATUS_NOT_SUPPORT", 400, 77, ONCE, "stopped"), ("InstanceStatusNotSupport", 200, 77, ONCE, "stopped"),
    ("InvalidParameter.InstanceId", 400, 78, ONCE, "Correct in the configuration the parameter that the service names"),
    ("InvalidVersion", 400, 78, ONCE, "endpoints"),
    ("Never.Heard.Of", 400, 77, ONCE, "Look up the code"), ("EntityNotExist.User", 404, 77, ONCE, "Look up the code"),
]


@pytest.mark.parametrize("code, http_status, status, tries, words", [
    pytest.param(*row, marks=[pytest.mark.slow] if row[3] is SOME else []) for row in REFUSALS])
def test_api_refusals(cloud, code, http_status, status, tries, words):
    cloud.fault("acr", code=code, status=http_status)
    assert_failed(pull(cloud, DEMO + "/a"), status, words, code, "FAULT-0001")
    assert len(cloud.log("acr")) in tries
    assert len({entry["headers"]["x-acs-signature-nonce"] for entry in cloud.log("acr")}) == len(cloud.log("acr"))


@pytest.mark.parametrize("status_200", [True, False])
def test_instance_that_does_not_exist(cloud, tmp_path, status_200):
    cloud.cloud.refusals_with_status_200 = status_200
    config = {"registries": [{"match": [DEMO], "instanceId": "cri-another"}]}
    assert_failed(pull(cloud, DEMO + "/a", config=config, tmp_path=tmp_path), 77, "INSTANCE_NOT_EXIST", "cri-another",
                  "cn-hangzhou")
    assert len(cloud.log("acr")) == 1


def test_nonce_that_was_used_is_followed_by_another(cloud):
    cloud.fault("acr", times=1, code="SignatureNonceUsed")
    assert pull(cloud, DEMO + "/a").auth
    first, second = (entry["headers"]["x-acs-signature-nonce"] for entry in cloud.log("acr"))
    assert first != second


@pytest.mark.parametrize("code", ["InvalidTimeStamp.Expired", "InvalidTimeStamp.Format", "IllegalTimestamp"])
def test_clock_is_mended_however_the_refusal_is_called(cloud, code):
    cloud.cloud.clock_offset_s = 20 * 60
    cloud.fault("acr", times=1, code=code)
    assert pull(cloud, DEMO + "/a").auth
    assert len(cloud.log("acr")) == 2


def test_only_a_key_that_passes_is_fetched_anew_when_it_is_unknown(cloud):
    """Expired STS keys are called unknown too; that a lasting key is unknown stays so."""
    cloud.fault("acr", times=1, code="InvalidAccessKeyId.NotFound")
    assert pull(cloud, DEMO + "/a").auth
    assert cloud.operations("metadata").count("credentials") == 2
    first, second = (re.search("Credential=(STS[^,]+)", entry["headers"]["authorization"])[1]
                     for entry in cloud.log("acr"))
    assert first != second
    cloud.fault("acr", times=1, code="InvalidAccessKeyId.NotFound")
    assert_failed(pull(cloud, DEMO + "/a", ACCESS_KEY), 77, "InvalidAccessKeyId.NotFound", "deleted or disabled")
    assert len(cloud.log("acr")) == 3


def test_final_refusals_are_not_retried(cloud):
    cloud.cloud.permissions = set()
    assert_failed(pull(cloud, DEMO + "/a"), 77, "NoPermission", "cr:GetAuthorizationToken", "KubernetesWorkerRole")
    assert len(cloud.log("acr")) == 1


def test_service_that_quotes_the_security_token(cloud):
    issued = cloud.cloud.issue_credentials()
    cloud.fault("acr", status=400, body=json.dumps({"Code": "Odd", "Message": "saw " + issued["SecurityToken"]}))
    key = {"ALIBABA_CLOUD_ACCESS_KEY_ID": issued["AccessKeyId"],
           "ALIBABA_CLOUD_ACCESS_KEY_SECRET": issued["AccessKeySecret"],
           "ALIBABA_CLOUD_SECURITY_TOKEN": issued["SecurityToken"]}
    assert_failed(pull(cloud, DEMO + "/a", key), 77, "Odd")


@pytest.mark.parametrize("fault", [
    pytest.param({"code": "Throttling.User", "retry_after": 1}, marks=pytest.mark.slow), {"code": "ServiceUnavailable"},
    {"reset": "request"},
    {"reset": "headers"}, {"reset": "body"}, {"truncate": True}, {"close": True},
])
def test_trouble_that_passes(cloud, fault):
    cloud.fault("acr", "GetAuthorizationToken", times=2, **fault)
    assert pull(cloud, DEMO + "/a").auth
    assert cloud.operations("acr").count("GetAuthorizationToken") == 3


def test_each_try_is_signed_anew(cloud):
    cloud.fault("acr", "GetAuthorizationToken", times=2, code="ServiceUnavailable")
    pull(cloud, DEMO + "/a").answer
    nonces = [entry["headers"]["x-acs-signature-nonce"] for entry in cloud.log("acr")]
    assert len(nonces) >= 3 and len(set(nonces)) == len(nonces)


def test_retry_after_beyond_the_deadline_fails_at_once(cloud):
    cloud.fault("acr", code="Throttling.User", retry_after=3600)
    result = pull(cloud, DEMO + "/a")
    assert_failed(result, 75, "Throttling.User")
    assert len(cloud.log("acr")) == 1


def test_expired_security_token_is_fetched_anew_once(cloud):
    cloud.fault("acr", times=1, code="InvalidSecurityToken.Expired")
    assert pull(cloud, DEMO + "/a").auth
    assert cloud.operations("metadata").count("credentials") == 2


@pytest.mark.parametrize("fault, status", [
    ({"stall": True}, 75), ({"garbage": True}, 69), ({"endless": True}, 69), ({"body_bytes": 1 << 30}, 69),
    ({"body": "<html>hello</html>"}, 69), ({"body": "{}"}, 69), ({"redirect": "https://attacker.example/"}, 69),
    ({"body": '{"IsSuccess":true,"TempUsername":"u","AuthorizationToken":"p","ExpireTime":1}'}, 69),
    pytest.param({"drip": {"bytes": 1, "interval_ms": 500}}, 75, marks=pytest.mark.slow),
    pytest.param({"reset": "request"}, 75, marks=pytest.mark.slow),
])
def test_api_faults(cloud, fault, status):
    cloud.fault("acr", **fault)
    assert_failed(pull(cloud, DEMO + "/a", deadline_s=SHORT_S), status)


def test_vpc_endpoint_is_returned_to(cloud):
    cloud.fault("proxy", "connect", times=1, host="cr-vpc.*")
    cloud.cloud.unresolvable = {"cr.cn-hangzhou.aliyuncs.com"}
    assert pull(cloud, DEMO + "/a").auth
    assert cloud.log("acr")[-1]["host"] == "cr-vpc.cn-hangzhou.aliyuncs.com"


@pytest.mark.slow
def test_back_off_does_not_starve_what_runs_beside_it(cloud, tmp_path):
    """The challenge comes while a throttled AssumeRole is waited for longer than a challenge may take."""
    cloud.fault("sts", times=1, code="Throttling.User", retry_after=7)
    cloud.fault("registry", "challenge", delay_ms=300)
    config = {"registries": [{"match": ["hub.example.com"]}],
              "identity": {"assumeRole": [{"roleArn": PULLER}]}}
    assert pull(cloud, "hub.example.com/a", config=config, tmp_path=tmp_path, arguments=["--deadline", "30"]).auth


def test_secret_at_the_edge_of_a_message(cloud):
    for before in range(485, 506, 4):
        cloud.fault("acr", times=1, status=400, body=json.dumps({"Code": "Odd", "Message": "x" * before + SECRET}))
        result = pull(cloud, DEMO + "/a", ACCESS_KEY)
        assert_failed(result, 77, "Odd", secrets=[SECRET[:8]])


def test_default_port_of_an_endpoint(cloud, tmp_path):
    config = {"endpoints": {"acr": "https://cr.cn-hangzhou.aliyuncs.com:443"}}
    assert pull(cloud, DEMO + "/a", config=config, tmp_path=tmp_path).auth


def test_sts_access_key_that_is_unknown_by_now(cloud):
    cloud.fault("acr", times=1, code="InvalidAccessKeyId.NotFound")
    pull(cloud, DEMO + "/a").answer
    assert cloud.operations("metadata").count("credentials") == 2
    before = len(cloud.log("acr"))
    cloud.fault("acr", code="InvalidAccessKeyId.NotFound")
    assert_failed(pull(cloud, DEMO + "/a", ACCESS_KEY), 77, "InvalidAccessKeyId.NotFound")
    assert len(cloud.log("acr")) == before + 1  # an AccessKey does not come back


def test_wrong_clock_is_found_out_once(cloud):
    cloud.cloud.challenge_enabled = False
    cloud.cloud.clock_offset_s = 20 * 60
    result = pull(cloud, DEMO + "/a", arguments=["--log-level", "warning"])
    assert result.auth and result.err.count("Run NTP") == 1
    assert len(cloud.log("acr")) == 4  # one that is refused, and the three


def test_time_stamp_that_was_too_slow_on_its_way_is_signed_anew(cloud):
    cloud.fault("acr", times=1, code="InvalidTimeStamp.Expired")
    assert pull(cloud, DEMO + "/a").auth
    assert len(cloud.log("acr")) == 2


@pytest.mark.parametrize("message", ["saw {}", "saw {} again and again"])
def test_service_that_quotes_an_encoded_security_token(cloud, message):
    issued = cloud.cloud.issue_credentials()
    cloud.cloud.keys[issued["AccessKeyId"]]["token"] = token = "CAIS+secret/token=="
    cloud.fault("acr", status=400, body='{"Code":"Odd","Message":"%s"}' % message.format(quote(token, safe="")))
    key = {"ALIBABA_CLOUD_ACCESS_KEY_ID": issued["AccessKeyId"],
           "ALIBABA_CLOUD_ACCESS_KEY_SECRET": issued["AccessKeySecret"], "ALIBABA_CLOUD_SECURITY_TOKEN": token}
    assert_failed(pull(cloud, DEMO + "/a", key), 77, "Odd", "[redacted]", secrets=["CAIS%2B", "secret%2Ftoken"])


def test_refusal_of_personal_edition_with_status_200(cloud):
    cloud.fault("acr", status=200, body='{"code":"USER_NOT_EXIST","message":"none","requestId":"R-7"}')
    assert_failed(pull(cloud, "registry.cn-hangzhou.aliyuncs.com/a"), 77, "USER_NOT_EXIST", "R-7", "registry password")


def test_nonsense_tells_its_request_id(cloud):
    cloud.fault("acr", status=200, headers={"x-acs-request-id": "R-8"}, body='{"IsSuccess":true}')
    assert_failed(pull(cloud, DEMO + "/a"), 69, "R-8", "TempUsername", "endpoints and proxy")
