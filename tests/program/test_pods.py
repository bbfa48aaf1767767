"""Pods with a RAM role of their own (KEP-4412): the role is assumed with the token, or the pull fails."""

import calendar
import glob
import json
import os
import re
import time
from urllib.parse import parse_qs, urlsplit

import identity_fixtures
import pytest
import yaml
from identity_fixtures import POD_ROLE, PROVIDER
from program_run import DEMO, ROOT, SHORT_S, WRAPPER, assert_failed, caller, request, run

ARN = "acr.aliyun.com/role-arn"
NAME = "pod-identity.alibabacloud.com/role-name"
CLAIMS = {**identity_fixtures.CLAIMS, "aud": [identity_fixtures.CLAIMS["aud"]]}  # as the kubelet writes them
KNOWN = {"oidcProviderArn": PROVIDER}


def pull(cloud, tmp_path, annotations, pod=None, more=None, token=None, version="v1", keywords=None, **settings):
    token = cloud.cloud.mint(CLAIMS) if token is None else token
    fields = {"serviceAccountAnnotations": annotations, **({"serviceAccountToken": token} if token else {})}
    return run(request(DEMO + "/a", version, **fields), {**cloud.environment(), **(more or {})},
               config={"podIdentity": KNOWN if pod is None else pod, **settings}, tmp_path=tmp_path, **(keywords or {}))


@pytest.mark.parametrize("annotations, pod, more", [
    ({ARN: POD_ROLE}, KNOWN, {}), ({NAME: "pod"}, {**KNOWN, "accountId": "1234567890123456"}, {}),
    ({NAME: "pod"}, KNOWN, {}),  # the node's owner account
    ({NAME: "pod"}, {"clusterId": "c0123456789", "accountId": "1234567890123456"}, {}),
    ({ARN: POD_ROLE}, {"clusterId": "c0123456789"}, {}),
    ({ARN: POD_ROLE}, {}, {"ALIBABA_CLOUD_OIDC_PROVIDER_ARN": PROVIDER}),
    ({"pod-identity.alibabacloud.com/role-arn": POD_ROLE}, KNOWN, {}),
    ({ARN: POD_ROLE, NAME: "other"}, KNOWN, {}),
    ({ARN: POD_ROLE}, KNOWN, {"ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAIx", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "y"}),
])
def test_role_of_the_pod(cloud, tmp_path, annotations, pod, more):
    assert list(pull(cloud, tmp_path, annotations, pod, more).auth) == [DEMO]
    assert caller(cloud) == "pod"
    assert cloud.cloud.assumed[-1]["RoleSessionName"].startswith("acr-")
    if not WRAPPER:  # a slow run may miss the one try to locate the node, and then goes to the public endpoint
        assert cloud.log("sts")[-1]["host"] == "sts-vpc.cn-hangzhou.aliyuncs.com"
    assert "credentials" not in cloud.operations("metadata")


@pytest.mark.parametrize("region", ["oss-cn-hangzhou", "cn-hangzhou.evil", "CN-HANGZHOU", "evil.example/", "<html>"])
def test_region_of_the_metadata_service_that_is_none(cloud, tmp_path, region):
    """A pod's token goes to no host that is made of it."""
    cloud.fault("metadata", "region", body=region)
    pull(cloud, tmp_path, {ARN: POD_ROLE}).answer
    assert [entry["host"] for entry in cloud.log("sts")] == ["sts.aliyuncs.com"]


def test_pod_without_a_metadata_service(cloud, tmp_path):
    pull(cloud, tmp_path, {ARN: POD_ROLE}, more={"ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"}).answer
    assert caller(cloud) == "pod" and cloud.log("metadata") == []
    assert cloud.log("sts")[-1]["host"] == "sts.aliyuncs.com"


@pytest.mark.parametrize("annotations, token", [({}, None), ({"other": "x"}, None), ({}, "")])
def test_pod_without_a_role_is_served_as_the_node(cloud, tmp_path, annotations, token):
    pull(cloud, tmp_path, annotations, token=token).answer
    assert caller(cloud) == "KubernetesWorkerRole"


def test_pod_without_a_role_can_be_refused(cloud, tmp_path):
    result = pull(cloud, tmp_path, {}, {**KNOWN, "withoutRole": "refuse"})
    assert_failed(result, 77, "names no RAM role", ARN)
    assert cloud.log("acr") == [] and cloud.log("metadata") == []
    # A static pod has no service account: its image is the node's own.
    pull(cloud, tmp_path, {}, {**KNOWN, "withoutRole": "refuse"}, token="").answer


@pytest.mark.parametrize("claims, role, words", [
    ({"aud": ["api"]}, POD_ROLE, ["oidc:aud", "audience is api", "sts.aliyuncs.com"]),
    ({"aud": "api"}, POD_ROLE,
     ["oidc:aud", "audience is api; set the kubelet's serviceAccountTokenAudience to sts.aliyuncs.com"]),
    ({"sub": "system:serviceaccount:default:other"}, POD_ROLE,
     ["oidc:sub", "system:serviceaccount:default:other", f"and name {PROVIDER} as principal"]),
    ({"iss": "https://other.example"}, POD_ROLE, ["https://other.example"]),
    ({"exp": 1}, POD_ROLE, ["has expired", "NTP"]),
    ({}, "acs:ram::1234567890123456:role/none", ["EntityNotExist.Role"]),
    ({}, "acs:ram::1234567890123456:role/closed", ["AuthenticationFail.NoPermission"]),
])
def test_refused_role_is_a_failure(cloud, tmp_path, claims, role, words):
    token = cloud.cloud.mint({**CLAIMS, **claims})
    result = pull(cloud, tmp_path, {ARN: role}, token=token)
    assert_failed(result, 77, role, *words, secrets=[token, token.split(".")[1], token.split(".")[2]])
    assert cloud.log("acr") == []


@pytest.mark.parametrize("service", ["sts", "acr"])
@pytest.mark.parametrize("fault, status", [
    ({"stall": True}, 75), ({"reset": "request"}, 75), ({"reset": "body"}, 75), ({"close": True}, 75),
    ({"status": 503}, 75),
    ({"code": "Throttling.User"}, 75), ({"garbage": True}, 69), ({"body": "{}"}, 69), ({"body": "<html>"}, 69),
])
@pytest.mark.slow
def test_trouble_never_makes_a_pod_the_node(cloud, tmp_path, service, fault, status):
    """Nor does it get the token that the node has kept for itself."""
    node = {"with_cache": True, "arguments": ["--cache-dir", str(tmp_path / "cache")]}
    pull(cloud, tmp_path, {}, keywords=node).answer
    before = cloud.operations("metadata"), cloud.log("acr")
    cloud.fault(service, **fault)
    result = pull(cloud, tmp_path, {ARN: POD_ROLE}, keywords={**node, "deadline_s": SHORT_S})
    assert_failed(result, status, POD_ROLE)
    assert {"role", "credentials"}.isdisjoint(cloud.operations("metadata")[len(before[0]):])
    assert cloud.log("acr") == before[1] if service == "sts" else caller(cloud) == "pod"


@pytest.mark.parametrize("offset_s", [20 * 60, -20 * 60])
def test_pod_on_a_node_with_a_wrong_clock(cloud, tmp_path, offset_s):
    """The one call that is not signed is stamped with the time too, and as the service tells it where that refuses."""
    cloud.cloud.clock_offset_s = offset_s
    cloud.fault("sts", times=1, code="InvalidTimeStamp.Expired")
    result = pull(cloud, tmp_path, {ARN: POD_ROLE}, keywords={"arguments": ["--log-level", "warning"]})
    assert result.auth and caller(cloud) == "pod" and "Run NTP" in result.err
    first, second = (parse_qs(urlsplit(entry["path"]).query) for entry in cloud.log("sts"))
    stamps = [calendar.timegm(time.strptime(query["Timestamp"][0], "%Y-%m-%dT%H:%M:%SZ")) for query in (first, second)]
    assert abs(stamps[0] - time.time()) < 300 > abs(stamps[1] - cloud.cloud.now())
    assert first["SignatureNonce"] != second["SignatureNonce"]


def test_nonce_of_a_pod_that_was_used(cloud, tmp_path):
    cloud.fault("sts", times=1, code="SignatureNonceUsed")
    pull(cloud, tmp_path, {ARN: POD_ROLE}).answer
    first, second = (parse_qs(urlsplit(entry["path"]).query)["SignatureNonce"] for entry in cloud.log("sts"))
    assert caller(cloud) == "pod" and first != second


def test_token_travels_in_no_url(cloud, tmp_path):
    """URLs stand in the logs of proxies and servers."""
    token = cloud.cloud.mint(CLAIMS)
    pull(cloud, tmp_path, {ARN: POD_ROLE}, token=token).answer
    assert cloud.cloud.assumed[-1]["OIDCToken"] == token
    for entry in cloud.log():
        assert "OIDCToken" not in entry["path"] and not any(part in entry["path"] for part in token.split("."))
        assert not any(token in value for value in entry["headers"].values())


@pytest.mark.parametrize("code, words", [
    ("AuthenticationFail.OIDCToken.AudienceNotMatch", PROVIDER + " must list sts.aliyuncs.com among its client ids"),
    ("AuthenticationFail.OIDCToken.IssuerNotMatch", "oidc:iss"),
    ("AuthenticationFail.OIDCToken.Expired", "has expired"), ("AuthenticationFail.NoPermission", "oidc:sub"),
    ("AuthenticationFail.OIDCToken.PublicKeyFingerprintMismatch", "oidc:iss"),
    ("EntityNotExist.OIDCProvider", "provider's ARN"),
])
def test_codes_of_sts(cloud, tmp_path, code, words):
    cloud.fault("sts", code=code)
    result = pull(cloud, tmp_path, {ARN: POD_ROLE}, token=cloud.cloud.mint({**CLAIMS, "aud": "sts.aliyuncs.com"}))
    assert_failed(result, 77, code, words)


@pytest.mark.parametrize("code, message, claims, words", [
    ("AuthenticationFail.NoPermission", "No such OIDC Provider registered.", {},
     "Check that OIDC provider " + PROVIDER),
    ("AuthenticationFail.NoPermission", "Parameter OIDCProviderArn is not valid", {},
     "Check that OIDC provider " + PROVIDER),
    ("AuthenticationFail.OIDCToken.Invalid", "no", {}, "the cluster that made the token"),
    ("AuthenticationFail.OIDCToken.IssuerNotMatch", "no", {"aud": "api"}, "oidc:iss"),
    ("AuthenticationFail.OIDCToken.AudienceNotMatch", "no", {"exp": 1}, "oidc:aud"),
    ("AuthenticationFail.NoPermission", "no", {"aud": ["api", "sts.aliyuncs.com"]}, "oidc:sub"),
    ("AuthenticationFail.NoPermission", "no", {"sub": "system:serviceaccount:" + "n" * 63 + ":" + "a" * 63},
     CLAIMS["iss"]),
    ("NoPermission", "no", {}, "oidc:sub"),
])
def test_what_the_service_says_goes_before_what_the_token_says(cloud, tmp_path, code, message, claims, words):
    cloud.fault("sts", status=403, body=json.dumps({"Code": code, "Message": message}))
    assert_failed(pull(cloud, tmp_path, {ARN: POD_ROLE}, token=cloud.cloud.mint({**CLAIMS, **claims})), 77, code, words)


@pytest.mark.parametrize("annotations, pod, token, status, words", [
    ({ARN: POD_ROLE}, KNOWN, "", 78, "serviceAccountTokenAudience"),
    ({ARN: POD_ROLE}, {}, None, 78, "podIdentity.oidcProviderArn"),
    ({ARN: "pod"}, KNOWN, None, 78, "the annotation acr.aliyun.com/role-arn must"),
    ({"pod-identity.alibabacloud.com/role-arn": "pod"}, KNOWN, None, 78,
     "annotation pod-identity.alibabacloud.com/role-arn must"),
    ({ARN: ""}, KNOWN, None, 78, "ARN"), ({NAME: "a/b"}, KNOWN, None, 78, NAME),
    ({ARN: POD_ROLE}, KNOWN, "not-a-token", 77, "not a JSON Web Token: the kubelet has to send one"),
    ({ARN: POD_ROLE}, KNOWN, "a.%%.c", 77, "not a JSON Web Token"),
    ({ARN: POD_ROLE}, KNOWN, "a.e30.c", 77, "AuthenticationFail"),
])
def test_role_that_cannot_be_tried(cloud, tmp_path, annotations, pod, token, status, words):
    assert_failed(pull(cloud, tmp_path, annotations, pod, token=token), status, words)
    assert cloud.log("acr") == []


def test_account_that_nobody_knows(cloud, tmp_path):
    result = pull(cloud, tmp_path, {NAME: "pod"}, more={"ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"})
    assert_failed(result, 78, "podIdentity.accountId")
    cloud.fault("metadata", "account", status=404)
    assert_failed(pull(cloud, tmp_path, {NAME: "pod"}), 78, "podIdentity.accountId")


@pytest.mark.parametrize("annotations, pod", [({NAME: "pod"}, KNOWN), ({ARN: POD_ROLE}, {"clusterId": "c0123456789"})])
def test_account_that_is_none_gets_into_no_arn(cloud, tmp_path, annotations, pod):
    """Neither that of a role nor that of an OIDC provider."""
    token = cloud.cloud.mint(CLAIMS)
    for account in ("1234567890123456:role/evil", "9" * 30, "12345678901234ab", "123", "-1234567890123456", "<html>",
                    ""):
        cloud.heal()
        cloud.fault("metadata", "account", body=account)
        assert_failed(pull(cloud, tmp_path, annotations, pod, token=token), 78, "podIdentity.accountId")
    assert cloud.log("sts") == []


def test_service_that_quotes_the_token(cloud, tmp_path):
    token = cloud.cloud.mint(CLAIMS)
    cloud.fault("sts", status=400, body=json.dumps({"Code": "Odd", "Message": f"got {token}"}))
    result = pull(cloud, tmp_path, {ARN: POD_ROLE}, token=token, log={"level": "debug"})
    assert result.status == 77 and "Odd" in result.err and token not in result.err


def test_older_versions_know_no_service_account(cloud, tmp_path):
    pull(cloud, tmp_path, {ARN: POD_ROLE}, version="v1beta1").answer
    assert caller(cloud) == "KubernetesWorkerRole"


def test_pod_goes_before_the_identity_of_the_registry(cloud, tmp_path):
    pull(cloud, tmp_path, {ARN: POD_ROLE}, registries=[{"match": [DEMO], "identity": {"source": "ecs"}}]).answer
    assert caller(cloud) == "pod"


def test_kubelet_sends_every_annotation_that_is_read():
    """Else a pod annotated with that one alone would be served with the node's identity."""
    read = []
    for path in glob.glob(os.path.join(ROOT, "plugin", "identity", "*.[ch]")):
        with open(path, encoding="utf-8") as file:
            read += re.findall(r'"([a-z.-]+/role-[a-z]+)"', file.read())
    with open(os.path.join(ROOT, "deploy", "credential-provider-pods.yaml"), encoding="utf-8") as file:
        (provider,) = yaml.safe_load(file)["providers"]
    assert len(read) == 3 and set(read) == set(provider["tokenAttributes"]["optionalServiceAccountAnnotationKeys"])
