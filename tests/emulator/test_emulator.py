"""The emulator on its own: signatures, replay, tokens of pods, log-in to a registry, and that it leaves nothing."""

import base64
import hashlib
import json
import os
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
import signature
from emulator import Emulator

EMPTY = hashlib.sha256(b"").hexdigest()


@pytest.fixture
def cloud():
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


def signed(host, query, nonce, date=None, version="2018-12-01", action="GetAuthorizationToken"):
    headers = {"host": host, "x-acs-action": action, "x-acs-version": version, "x-acs-content-sha256": EMPTY,
               "x-acs-date": date or time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
               "x-acs-signature-nonce": nonce}
    canonical = signature.canonical_request("POST", "/", query, headers, b"")
    mark = signature.sign("emulator-secret-0000000001", canonical)
    names = canonical.split("\n")[-2]
    headers["authorization"] = f"ACS3-HMAC-SHA256 Credential=LTAIemulatorkey00001,SignedHeaders={names},Signature={mark}"
    return headers


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


def test_replay_and_old_dates_are_refused(cloud):
    host, query = "cr.cn-hangzhou.aliyuncs.com", [("InstanceId", "cri-demo567890abcdef")]
    url = f"https://{host}/?InstanceId=cri-demo567890abcdef"
    headers = signed(host, query, "nonce-1")
    assert ask(cloud, url, headers, "POST")[0] == 200
    assert json.loads(ask(cloud, url, headers, "POST")[2])["Code"] == "SignatureNonceUsed"
    old = signed(host, query, "nonce-2", "2020-01-01T00:00:00Z")
    assert json.loads(ask(cloud, url, old, "POST")[2])["Code"] == "InvalidTimeStamp.Expired"


def test_log_in_with_an_issued_password(cloud):
    host = "cr.cn-hangzhou.aliyuncs.com"
    url = f"https://{host}/?InstanceId=cri-demo567890abcdef"
    answer = json.loads(ask(cloud, url, signed(host, [("InstanceId", "cri-demo567890abcdef")], "n"), "POST")[2])
    auth = "https://dockerauth.cn-hangzhou.aliyuncs.com/auth?service=s&scope=repository:a:pull"

    def log_in(password):
        basic = base64.b64encode(f"{answer['TempUsername']}:{password}".encode()).decode()
        return ask(cloud, auth, {"Authorization": "Basic " + basic})

    assert log_in(answer["AuthorizationToken"])[0] == 200
    assert log_in("wrong")[0] == 401
    cloud.cloud.clock_offset_s = 3700
    assert log_in(answer["AuthorizationToken"])[0] == 401


@pytest.mark.parametrize("change, code", [
    ({}, None), ({"sub": "system:serviceaccount:default:other"}, "AuthenticationFail.NoPermission"),
    ({"aud": "other"}, "AuthenticationFail.NoPermission"), ({"exp": 1}, "AuthenticationFail.OIDCToken.Expired"),
])
def test_tokens_of_pods(cloud, change, code):
    claims = {"iss": "https://oidc.example", "aud": "sts.aliyuncs.com", "sub": "system:serviceaccount:default:app"}
    form = urllib.parse.urlencode({
        "RoleArn": "acs:ram::1234567890123456:role/pod", "RoleSessionName": "pod-1",
        "OIDCProviderArn": "acs:ram::1234567890123456:oidc-provider/ack-rrsa-c0123456789",
        "OIDCToken": cloud.cloud.mint({**claims, **change})})
    answer = json.loads(ask(cloud, "https://sts.cn-hangzhou.aliyuncs.com/?Action=AssumeRoleWithOIDC&Version=2015-04-01",
                            {"Content-Type": "application/x-www-form-urlencoded"}, "POST", form.encode())[2])
    assert answer.get("Code") == code and ("Credentials" in answer) == (code is None)


def test_forged_token(cloud):
    head, payload, mark = cloud.cloud.mint({"sub": "a"}).split(".")
    forged = base64.urlsafe_b64encode(b'{"sub":"b","exp":99999999999}').rstrip(b"=").decode()
    form = urllib.parse.urlencode({"RoleArn": "acs:ram::1234567890123456:role/pod", "RoleSessionName": "pod-1",
                                   "OIDCProviderArn": "acs:ram::1234567890123456:oidc-provider/ack-rrsa-c0123456789",
                                   "OIDCToken": f"{head}.{forged}.{mark}"})
    answer = ask(cloud, "https://sts.aliyuncs.com/?Action=AssumeRoleWithOIDC&Version=2015-04-01",
                 {"Content-Type": "application/x-www-form-urlencoded"}, "POST", form.encode())
    assert json.loads(answer[2])["Code"] == "AuthenticationFail.OIDCToken.Invalid"


def test_every_secret_is_known_for_good(cloud):
    state = cloud.cloud
    session = ask(cloud, cloud.metadata + "/latest/api/token", {"X-aliyun-ecs-metadata-token-ttl-seconds": "1"}, "PUT")[2]
    node = json.loads(ask(cloud, cloud.metadata + "/latest/meta-data/ram/security-credentials/" + state.role)[2])
    ended, uri = state.issue_credentials(-60), json.loads(ask(cloud, cloud.metadata + "/credentials")[2])
    host, query = "cr.cn-hangzhou.aliyuncs.com", [("InstanceId", "cri-demo567890abcdef")]
    answer = json.loads(ask(cloud, f"https://{host}/?InstanceId={query[0][1]}", signed(host, query, "n"), "POST")[2])
    basic = base64.b64encode(f"cr_temp_user:{answer['AuthorizationToken']}".encode()).decode()
    bearer = json.loads(ask(cloud, "https://dockerauth.cn-hangzhou.aliyuncs.com/auth?service=s&scope=repository:a:pull",
                            {"Authorization": "Basic " + basic})[2])["token"]
    made = [session.decode(), state.mint({"sub": "pod"}), answer["AuthorizationToken"], bearer, "emulator-secret-0000000001",
            *(issued[name] for issued in (node, ended, uri) for name in ("AccessKeySecret", "SecurityToken"))]
    state.keys = {"LTAIprofile": {"secret": "of a profile", "token": "", "ends": None}}
    assert sorted(state.secrets) == sorted([*made, "of a profile"])


def test_command_runs_with_the_emulator_and_ends_it():
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "emulator.py")
    done = subprocess.run([sys.executable, "-B", program, "sh", "-c", 'cat; test -f "$SSL_CERT_FILE" && dirname "$SSL_CERT_FILE"; exit 3'],
                          input="given\n", capture_output=True, text=True, check=False)
    given, directory = done.stdout.split()
    assert (done.returncode, given) == (3, "given") and not os.path.exists(directory)


def test_leaves_nothing_behind():
    with Emulator() as emulator:
        directory = os.path.dirname(emulator.ca)
        assert os.path.isdir(directory)
    assert not os.path.exists(directory)
