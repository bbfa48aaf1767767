"""The emulator on its own: metadata service, signatures, replay, tokens of pods, log-in, and that it leaves nothing."""

import base64
import hashlib
import json
import os
import secrets
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
import signature
from cloud import ACCOUNT, OIDC_PROVIDER
from emulator import Emulator
from identity_fixtures import CLAIMS, KEY, SECRET

EMPTY = hashlib.sha256(b"").hexdigest()
HOST, INSTANCE = "cr.cn-hangzhou.aliyuncs.com", [("InstanceId", "cri-demo567890abcdef")]
URL = f"https://{HOST}/?InstanceId=cri-demo567890abcdef"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SESSIONS, ROLES = "/latest/api/token", "ram/security-credentials/"
TTL, SESSION = "X-aliyun-ecs-metadata-token-ttl-seconds", "X-aliyun-ecs-metadata-token"


@pytest.fixture
def cloud():
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(scope="module")
def shared():
    """One for all tests that change nothing."""
    with Emulator() as emulator:
        yield emulator


def ask(cloud, url, headers=None, method="GET", data=None):
    """(status, headers, body) by way of the proxy."""
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({"https": cloud.proxy}),
        urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=cloud.ca)))
    try:
        with opener.open(urllib.request.Request(url, data, headers or {}, method=method), timeout=10) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def ask_metadata(cloud, item, headers=None, method="GET"):
    """(status, text)"""
    status, _, body = ask(cloud, urllib.parse.urljoin(cloud.metadata + "/latest/meta-data/", item), headers, method)
    return status, body.decode()


def utc(offset_s=0):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + offset_s))


def signed(key_id=KEY, secret=SECRET, **more):
    """The headers of a call of GetAuthorizationToken; a header that is None is left out."""
    headers = {"host": HOST, "x-acs-action": "GetAuthorizationToken", "x-acs-version": "2018-12-01",
               "x-acs-date": utc(),
               "x-acs-content-sha256": EMPTY, "x-acs-signature-nonce": secrets.token_hex(16)}
    headers.update({"x-acs-" + name.replace("_", "-"): value for name, value in more.items()})
    headers = {name: value for name, value in headers.items() if value is not None}
    canonical = signature.canonical_request("POST", "/", INSTANCE, headers, b"")
    names, mark = canonical.split("\n")[-2], signature.sign(secret, canonical)
    headers["authorization"] = f"ACS3-HMAC-SHA256 Credential={key_id},SignedHeaders={names},Signature={mark}"
    return headers


def call(cloud, headers, data=None, url=URL):
    """What the API answers."""
    return json.loads(ask(cloud, url, headers, "POST", data)[2])


def code_of(*arguments):
    """The code by which the API refuses, None if it does not."""
    answer = call(*arguments)
    return None if answer.get("Code") == "success" else answer["Code"]


@pytest.mark.parametrize("method, path, host, action, version, date, nonce, query, expected", [
    ("POST", "/", "ecs.cn-shanghai.aliyuncs.com", "RunInstances", "2014-05-26", "2023-10-26T10:22:32Z",
     "3156853299f313e23d1673dc12e1703d",
     [("RegionId", "cn-shanghai"), ("ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd")],
     "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"),
    ("POST", "/", "cr-vpc.cn-hangzhou.aliyuncs.com", "ListInstance", "2018-12-01", "2026-01-02T03:04:05Z",
     "d410180a5abf7fe235dd9b74aca91fc1",
     [("PageSize", "100"), ("InstanceName", "a b*c~d/e'(f)!+g"), ("PageNo", "1")],
     "7a64e14440b6a0218243dae02fd382ac8759dc6bce361b10b722e29bd1db60bd"),
])
def test_published_vectors(method, path, host, action, version, date, nonce, query, expected):
    headers = {"host": host, "x-acs-action": action, "x-acs-version": version, "x-acs-date": date,
               "x-acs-signature-nonce": nonce, "x-acs-content-sha256": EMPTY, "accept": "not signed"}
    canonical = signature.canonical_request(method, path, query, headers, b"")
    assert signature.sign("YourAccessKeySecret", canonical) == expected


@pytest.mark.parametrize("mode, service, plain, invented", [
    ("normal", 200, 200, 401), ("hardened", 200, 403, 401), ("no-token-service", 404, 200, 401),
    ("disabled", 404, 404, 404),
])
def test_metadata_modes(cloud, mode, service, plain, invented):
    cloud.cloud.metadata_mode = mode
    status, session = ask_metadata(cloud, SESSIONS, {TTL: "60"}, "PUT")
    answers = [ask_metadata(cloud, "region-id", headers)[0] for headers in ({}, {SESSION: "invented"})]
    assert [status, *answers] == [service, plain, invented]
    if status == 200:
        assert ask_metadata(cloud, "region-id", {SESSION: session}) == (200, "cn-hangzhou")
        cloud.cloud.clock_offset_s = 61
        assert ask_metadata(cloud, "region-id", {SESSION: session})[0] == 401


@pytest.mark.parametrize("headers, status", [
    ({}, 400), ({TTL: ""}, 400), ({TTL: "0"}, 400), ({TTL: "1"}, 200), ({TTL: "21600"}, 200), ({TTL: "21601"}, 400),
    ({TTL: "-1"}, 400), ({TTL: "soon"}, 400), ({TTL: "60", "X-Forwarded-For": "10.0.0.1"}, 403),
])
def test_metadata_sessions(shared, headers, status):
    assert ask_metadata(shared, SESSIONS, headers, "PUT")[0] == status


def test_metadata_session_is_put(shared):
    assert ask_metadata(shared, SESSIONS, {TTL: "60"})[0] == 404


@pytest.mark.parametrize("role, item, headers, expected", [
    ("worker", "region-id", {}, (200, "cn-hangzhou")), ("worker", "owner-account-id", {}, (200, "1234567890123456")),
    ("worker", ROLES, {}, (200, "worker")), ("", ROLES, {}, 404), ("worker", ROLES + "other", {}, 404),
    ("", ROLES + "worker", {}, 404), ("worker", "no-such-item", {}, 404),
    ("worker", "region-id?", {}, (200, "cn-hangzhou")),
    ("worker", ROLES, {"X-Forwarded-For": "10.0.0.1"}, 403),
])
def test_metadata_items(shared, monkeypatch, role, item, headers, expected):
    monkeypatch.setattr(shared.cloud, "role", role)
    answer = ask_metadata(shared, item, headers)
    assert answer == expected or answer[0] == expected


def test_metadata_credentials(cloud):
    said = json.loads(ask_metadata(cloud, ROLES + cloud.cloud.role)[1])
    known = cloud.cloud.keys[said["AccessKeyId"]]
    assert (said["Code"], said["AccessKeySecret"], said["SecurityToken"]) == ("Success", known["secret"],
                                                                              known["token"])
    assert said["Expiration"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(known["ends"]))


SIGNED = {  # what is signed, what is changed afterwards, and the answer
    "as it should be": ({}, {}, None),
    "header that needs no signature": ({}, {"accept": "text/plain"}, None),
    "not signed": ({}, {"authorization": ""}, "IncompleteSignature"),
    "signed half": ({}, {"authorization": f"ACS3-HMAC-SHA256 Credential={KEY}"}, "IncompleteSignature"),
    "unknown key": ({"key_id": "LTAIunknown"}, {}, "InvalidAccessKeyId.NotFound"),
    "wrong secret": ({"secret": "wrong"}, {}, "SignatureDoesNotMatch"),
    "changed": ({}, {"x-acs-action": "ListInstance"}, "SignatureDoesNotMatch"),
    "added": ({}, {"x-acs-other": "unsigned"}, "SignatureDoesNotMatch"),
    "hash of another body": ({"content_sha256": hashlib.sha256(b"other").hexdigest()}, {}, "SignatureDoesNotMatch"),
    "no hash": ({"content_sha256": None}, {}, "SignatureDoesNotMatch"),
    "no date": ({"date": None}, {}, "InvalidTimeStamp.Format"),
    "date of another form": ({"date": "Wed, 25 Nov 2026 00:00:00 GMT"}, {}, "InvalidTimeStamp.Format"),
    "no nonce": ({"signature_nonce": None}, {}, "SignatureNonceUsed"),
    "token that the key does not have": ({"security_token": "CAISother"}, {},
                                         "InvalidSecurityToken.MismatchWithAccessKey"),
    "other version": ({"version": "2017-01-01"}, {}, "InvalidVersion"),
    "no permission": ({"action": "DeleteInstance"}, {}, "NoPermission"),
}


@pytest.mark.parametrize("case", SIGNED)
def test_signed_calls(shared, case):
    before, after, code = SIGNED[case]
    assert code_of(shared, signed(**before) | after) == code


def test_body_is_part_of_the_signature(shared):
    assert code_of(shared, signed(), b"PageNo=1") == "SignatureDoesNotMatch"


def test_signature_names_what_it_covers(shared):
    headers = signed()
    headers["authorization"] = headers["authorization"].replace("host;", "")
    assert code_of(shared, headers) == "SignatureDoesNotMatch"


@pytest.mark.parametrize("life_s, token, code", [
    (60, {}, None), (60, {"security_token": None}, "MissingSecurityToken"), (-60, {}, "InvalidSecurityToken.Expired"),
    (60, {"security_token": "CAISother"}, "InvalidSecurityToken.MismatchWithAccessKey"),
])
def test_security_tokens(shared, life_s, token, code):
    issued = shared.cloud.issue_credentials(life_s)
    key = {"key_id": issued["AccessKeyId"], "secret": issued["AccessKeySecret"],
           "security_token": issued["SecurityToken"]}
    assert code_of(shared, signed(**key | token)) == code


@pytest.mark.parametrize("minutes, code", [(-16, "InvalidTimeStamp.Expired"), (-14, None), (14, None),
                                           (16, "InvalidTimeStamp.Expired")])
def test_dates(shared, minutes, code):
    assert code_of(shared, signed(date=utc(60 * minutes))) == code


def test_replay(shared):
    headers = signed()
    assert [code_of(shared, headers) for _ in range(2)] == [None, "SignatureNonceUsed"]


@pytest.mark.parametrize("path, names", [("/", {"Code", "Message", "RequestId"}),
                                         ("/tokens", {"code", "message", "requestId"})])
def test_refusals_by_style(shared, path, names):
    assert call(shared, {}, url=f"https://{HOST}{path}").keys() == names


def log_in(cloud, password, *scopes, auth="https://dockerauth.cn-hangzhou.aliyuncs.com/auth"):
    """(status, bearer token)"""
    basic = base64.b64encode(f"cr_temp_user:{password}".encode()).decode()
    query = urllib.parse.urlencode([("service", "s"), *(("scope", scope) for scope in scopes)])
    status, _, body = ask(cloud, f"{auth}?{query}", {"Authorization": "Basic " + basic})
    return status, json.loads(body).get("token")


def test_log_in_with_an_issued_password(cloud):
    password = call(cloud, signed())["AuthorizationToken"]
    assert log_in(cloud, password, "repository:a:pull")[0] == 200
    assert log_in(cloud, "wrong", "repository:a:pull")[0] == 401
    cloud.cloud.clock_offset_s = 3700
    assert log_in(cloud, password, "repository:a:pull")[0] == 401


@pytest.mark.parametrize("globs, scopes, granted", [
    ({"*"}, [], []), ({"*"}, ["repository:team/app:pull,push"], [["pull", "push"]]), (set(), [], []),
    (["team/*", "base"], ["repository:team/app:pull", "repository:base:pull", "repository:other/app:pull,push"],
     [["pull"], ["pull"], ["push"]]),
    (set(), ["registry:catalog:*", "repository:team/app:pull"], [["*"], []]),
])
def test_what_a_log_in_may_pull(cloud, globs, scopes, granted):
    cloud.cloud.pull_repositories = globs
    status, token = log_in(cloud, call(cloud, signed())["AuthorizationToken"], *scopes)
    access = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))["access"]
    assert (status, [scope["actions"] for scope in access]) == (200, granted)
    assert [f"{scope['type']}:{scope['name']}" for scope in access] == [scope.rpartition(":")[0] for scope in scopes]


@pytest.mark.parametrize("auth_host, host", [
    (None, "dockerauth.cn-shanghai.aliyuncs.com"), ("auth.{region}.example.com", "auth.cn-shanghai.example.com"),
    ("auth.example.com", "auth.example.com"), ("harbour-registry.cn-shanghai.cr.aliyuncs.com",) * 2,
])
def test_token_service_that_challenges_name(cloud, auth_host, host):
    if auth_host:
        assert ask(cloud, f"https://{host}/auth")[0] == 404
        cloud.cloud.auth_host = auth_host
    status, headers, _ = ask(cloud, "https://harbour-registry.cn-shanghai.cr.aliyuncs.com/v2/")
    assert status == 401 and f'realm="https://{host}/auth"' in headers["WWW-Authenticate"]
    password = call(cloud, signed())["AuthorizationToken"]
    assert log_in(cloud, password, auth=f"https://{host}/auth")[0] == 200
    assert [request["host"] for request in cloud.log("auth")] == [host]


def assume(cloud, form, headers=None, **query):
    """The code by which STS refuses a pod's role, None if it gives it."""
    form = urllib.parse.urlencode({
        "RoleArn": f"acs:ram::{ACCOUNT}:role/pod", "RoleSessionName": "pod-1",
        "OIDCProviderArn": OIDC_PROVIDER, **form})
    query = urllib.parse.urlencode({"Action": "AssumeRoleWithOIDC", "Version": "2015-04-01", **query})
    answer = call(cloud, FORM | (headers or {}), form.encode(), "https://sts.cn-hangzhou.aliyuncs.com/?" + query)
    assert ("Credentials" in answer) == ("Code" not in answer)
    return answer.get("Code")


@pytest.mark.parametrize("change, code", [
    ({}, None), ({"sub": "system:serviceaccount:default:other"}, "AuthenticationFail.NoPermission"),
    ({"aud": "other"}, "AuthenticationFail.NoPermission"), ({"exp": 1}, "AuthenticationFail.OIDCToken.Expired"),
])
def test_tokens_of_pods(shared, change, code):
    assert assume(shared, {"OIDCToken": shared.cloud.mint({**CLAIMS, **change})}) == code


def test_forged_token(shared):
    head, payload, mark = shared.cloud.mint({"sub": "a"}).split(".")
    forged = base64.urlsafe_b64encode(b'{"sub":"b","exp":99999999999}').rstrip(b"=").decode()
    assert assume(shared, {"OIDCToken": f"{head}.{forged}.{mark}"}) == "AuthenticationFail.OIDCToken.Invalid"


def test_token_of_a_pod_is_taken_from_the_body_alone(shared):
    token = {"OIDCToken": shared.cloud.mint(CLAIMS)}
    assert [assume(shared, {}), assume(shared, {}, **token), assume(shared, token, **token)] == ["MissingParameter"] * 3


@pytest.mark.parametrize("headers, query, code", [
    ({}, {"Timestamp": utc(), "SignatureNonce": "fresh"}, None), ({}, {"SignatureNonce": "used"}, "SignatureNonceUsed"),
    ({}, {"Timestamp": "2020-01-01T00:00:00Z"}, "InvalidTimeStamp.Expired"),
    ({}, {"Timestamp": ""}, "InvalidTimeStamp.Format"),
    ({"x-acs-signature-nonce": "used"}, {}, "SignatureNonceUsed"),
    ({"x-acs-date": "2020-01-01T00:00:00Z"}, {}, "InvalidTimeStamp.Expired"),
    ({"x-acs-content-sha256": EMPTY}, {}, "InvalidParameter"),
])
def test_calls_that_nobody_signs(cloud, headers, query, code):
    token = {"OIDCToken": cloud.cloud.mint(CLAIMS)}
    assert assume(cloud, token, SignatureNonce="used") is None
    assert assume(cloud, token, headers, **query) == code


def test_every_secret_is_known_for_good(cloud):
    state = cloud.cloud
    session = ask_metadata(cloud, SESSIONS, {TTL: "1"}, "PUT")[1]
    node, uri = (json.loads(ask_metadata(cloud, item)[1]) for item in (ROLES + state.role, "/credentials"))
    ended = state.issue_credentials(-60)
    answer = call(cloud, signed())
    bearer = log_in(cloud, answer["AuthorizationToken"], "repository:a:pull")[1]
    made = [session, state.mint({"sub": "pod"}), answer["AuthorizationToken"], bearer, SECRET,
            *(issued[name] for issued in (node, ended, uri) for name in ("AccessKeySecret", "SecurityToken"))]
    state.keys = {"LTAIprofile": {"secret": "of a profile", "token": "", "ends": None}}
    assert sorted(state.secrets) == sorted([*made, "of a profile"])


def test_command_runs_with_the_emulator_and_ends_it():
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "emulator.py")
    done = subprocess.run([sys.executable, "-B", program, "sh", "-c",
                           'cat; test -f "$SSL_CERT_FILE" && dirname "$SSL_CERT_FILE"\n'
                           'echo ${SSL_CERT_DIR-none}; exit 3'],
                          input="given\n", capture_output=True, text=True, check=False,
                          env={**os.environ, "SSL_CERT_DIR": "/etc/ssl/certs"})
    given, directory, certificates = done.stdout.split()
    assert (done.returncode, given, certificates) == (3, "given", "none") and not os.path.exists(directory)


def test_leaves_nothing_behind():
    with Emulator() as emulator:
        directory = os.path.dirname(emulator.ca)
        assert os.path.isdir(directory)
    assert not os.path.exists(directory)
