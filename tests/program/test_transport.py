"""TLS, proxies and names: what peers may do to a connection, and what is said when there is none."""

import contextlib
import json
import os
import shutil
import subprocess
import time
from urllib.parse import quote

import pytest
from provider import DEMO, PROGRAM, WRAPPER, assert_failed, pull, request, run
from tls import Authority


CHALLENGE = ('HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer service="registry.aliyuncs.com:cn-hangzhou:china:'
             'cri-demo567890abcdef"\r\nContent-Length: 0\r\n\r\n')


@contextlib.contextmanager
def tls_server(cloud, *arguments):
    """openssl's server on a free port, with a certificate of the cloud's authority: (process, port)."""
    cloud.authority.context("127.0.0.1")
    folder = os.path.dirname(cloud.ca)
    leaf = next(name for name in os.listdir(folder) if name.startswith("leaf") and name.endswith(".pem"))
    with subprocess.Popen(["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", os.path.join(folder, leaf), "-key",
                           os.path.join(folder, "server.key"), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, bufsize=1) as server:
        try:
            yield server, next(line for line in server.stdout if line.startswith("ACCEPT")).rpartition(":")[2].strip()
        finally:
            server.kill()


def test_peer_that_goes_on_with_tls_after_its_answer(cloud, tmp_path):
    """A HelloRequest reaches a connection whose exchange is over: what that leads to, sanitizers see."""
    with tls_server(cloud, "-tls1_2") as (server, port):
        config = {"registries": [{"match": [f"127.0.0.1:{port}"]}]}
        cloud.fault("metadata", "credentials", delay_ms=1500)  # the challenge is answered long before
        path = tmp_path / "config.json"
        path.write_text(json.dumps(config))
        path.chmod(0o600)
        with subprocess.Popen([*WRAPPER, PROGRAM, "--no-cache", "--config", str(path)], stdin=subprocess.PIPE, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env={**cloud.environment(), "NO_PROXY": "127.0.0.1"}) as process:
            process.stdin.write(request(f"127.0.0.1:{port}/a"))
            process.stdin.close()
            process.stdin = None
            next(line for line in server.stdout if line.startswith("GET /v2/"))
            server.stdin.write(CHALLENGE)
            server.stdin.flush()
            time.sleep(0.3)
            server.stdin.write("r\n")
            server.stdin.flush()
            out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "") and cloud.cloud.issued[-1] in out


@pytest.mark.parametrize("proxy", ["http://user:S3cr#tPw@127.0.0.1:1", "http://user:S3cr/tPw@127.0.0.1:1", "S3crtPw://user:S3crtPw@h",
                                   "http://user:S3crtPw@127.0.0.1:99999"])
def test_password_of_a_proxy_that_cannot_be_read_is_not_shown(cloud, proxy):
    result = pull(cloud, DEMO + "/a", {"HTTPS_PROXY": proxy}, arguments=["--log-level", "debug"])
    assert result.status == 78 and "HTTPS_PROXY" in result.err and "percent-encoded" in result.err
    assert "S3cr" not in result.err and "tPw" not in result.err


def test_password_of_a_proxy_that_refuses_is_not_shown(cloud):
    proxy = cloud.proxy.replace("http://", "http://user:S3crtPw@")
    cloud.fault("proxy", "connect")
    result = pull(cloud, DEMO + "/a", {"HTTPS_PROXY": proxy})
    assert_failed(result, 75, "502", secrets=["S3crtPw"])


def test_old_tls_is_not_tried_again(cloud, tmp_path):
    """No other try would find a version in common."""
    with tls_server(cloud, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0") as (_, port):
        config = {"registries": [{"match": [DEMO], "instanceId": "cri-demo567890abcdef",
                                  "apiEndpoint": f"https://127.0.0.1:{port}"}]}
        result = pull(cloud, DEMO + "/a", {"NO_PROXY": "127.0.0.1"}, config=config, tmp_path=tmp_path)
    assert_failed(result, 69, "TLS 1.2")


def test_both_a_file_and_a_directory_of_certificates(cloud, tmp_path):
    """Another authority of the same name in the directory does not hide the one in the file."""
    (tmp_path / "other").mkdir()
    other = Authority(str(tmp_path / "other"))
    (tmp_path / "directory").mkdir()
    shutil.copy(other.ca, tmp_path / "directory" / "ca.pem")
    subprocess.run(["openssl", "rehash", str(tmp_path / "directory")], check=True)
    assert pull(cloud, DEMO + "/a", {"SSL_CERT_DIR": str(tmp_path / "directory")}).auth


def test_file_of_certificates_that_is_not_there(cloud):
    assert_failed(pull(cloud, DEMO + "/a", {"SSL_CERT_FILE": "/nonexistent"}), 78, "SSL_CERT_FILE cannot be read")


def test_vpc_endpoint_that_does_not_answer_is_left_for_good(cloud):
    cloud.cloud.challenge_enabled = False  # ListInstance twice, then the token
    cloud.cloud.unresolvable = {"cr-vpc.cn-hangzhou.aliyuncs.com"}
    assert pull(cloud, DEMO + "/a").auth
    assert cloud.operations("acr") == ["ListInstance", "ListInstance", "GetAuthorizationToken"]
    hosts = [entry["host"] for entry in cloud.log("proxy")]
    assert hosts.count("cr-vpc.cn-hangzhou.aliyuncs.com:443") == 1


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


def test_image_with_a_scheme():
    assert_failed(run(request("https://" + DEMO + "/a")), 65, "no scheme", "//")


def test_long_host_keeps_its_port(cloud, tmp_path):
    name = ".".join(["a" * 49] * 5) + ".de"  # 252 bytes
    config = {"registries": [{"match": [name + ":65535"]}]}
    assert_failed(pull(cloud, name + ":65535/a", config=config, tmp_path=tmp_path), 78, "instanceId")
    assert name + ":65535" in {entry["host"] for entry in cloud.log("proxy")}
