"""TLS, proxies and names: what peers may do to a connection, and what is said when there is none."""

import contextlib
import json
import os
import select
import shutil
import socket
import subprocess
import threading
import time
from urllib.parse import urlsplit

import cache_records
import pytest
from program_run import DEADLINE_S, DEMO, PROGRAM, SHORT_S, WRAPPER, assert_failed, pull, request, run
from tls import Authority


CHALLENGE = ('HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer service="registry.aliyuncs.com:cn-hangzhou:china:'
             'cri-demo567890abcdef"\r\nContent-Length: 0\r\n\r\n')


@contextlib.contextmanager
def tls_server(cloud, *arguments):
    """openssl's server on a free port, with a certificate of the cloud's authority: (process, port)."""
    certificate = cloud.authority.certificate("127.0.0.1")
    key = os.path.join(os.path.dirname(certificate), "server.key")
    with subprocess.Popen(["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", certificate, "-key", key,
                           *arguments],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE,
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
        with subprocess.Popen([*WRAPPER, PROGRAM, "--no-cache", "--config", str(path)], stdin=subprocess.PIPE,
                              text=True,
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


@pytest.mark.parametrize("proxy", ["http://user:S3cr#tPw@127.0.0.1:1", "http://user:S3cr/tPw@127.0.0.1:1",
                                   "S3crtPw://user:S3crtPw@h",
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


def test_proxy_that_admits_public_hosts_alone(cloud):
    cloud.fault("proxy", "connect", host="*-vpc.*", status=403)
    assert pull(cloud, DEMO + "/a").auth and cloud.log("acr")[-1]["host"] == "cr.cn-hangzhou.aliyuncs.com"
    cloud.fault("proxy", "connect", status=403)
    assert_failed(pull(cloud, DEMO + "/a"), 75, "the proxy refuses with HTTP status 403", "NO_PROXY")


def test_proxy_that_wants_a_password_is_asked_once(cloud, tmp_path):
    """One that is wrong is wrong again, and may lock an account."""
    status, words = 407, "user and password into HTTPS_PROXY"
    cloud.fault("proxy", "connect", status=status)
    config = {"registries": [{"match": [DEMO], "instanceId": "cri-demo567890abcdef"}],
              "endpoints": {"network": "public"}}
    assert_failed(pull(cloud, DEMO + "/a", config=config, tmp_path=tmp_path), 69, f"refuses with HTTP status {status}",
                  words)
    assert len(cloud.log("proxy")) <= 2  # the second one opened early, beside the metadata service


def test_unusable_proxy_does_not_matter_to_exceptions(cloud, tmp_path):
    config = {"registries": [{"match": [DEMO], "instanceId": "cri-demo567890abcdef", "apiEndpoint": cloud.api}]}
    more = {"HTTPS_PROXY": "http://user:S3cr#tPw@127.0.0.1:1", "NO_PROXY": "127.0.0.1"}
    assert pull(cloud, DEMO + "/a", more, config=config, tmp_path=tmp_path).auth
    cloud.fault("tls", reset=True)
    assert_failed(pull(cloud, DEMO + "/a", more, config=config, tmp_path=tmp_path), 75, "connection failed")


@contextlib.contextmanager
def https_proxy(cloud, context):
    """The emulator's proxy behind TLS: its URL."""
    def connect(plain):
        with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as client, \
                socket.create_connection(("127.0.0.1", urlsplit(cloud.proxy).port)) as proxy:
            ways = {client: proxy, proxy: client}
            while True:
                for source in [client] if client.pending() else select.select(list(ways), [], [])[0]:
                    data = source.recv(65536)
                    if not data:
                        return
                    ways[source].sendall(data)

    def serve(listener):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=connect, args=(listener.accept()[0],), daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield "https://127.0.0.1:%d" % listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def test_proxy_with_tls_is_verified(cloud, tmp_path):
    config = {"registries": [{"match": [DEMO], "instanceId": "cri-demo567890abcdef"}]}
    with https_proxy(cloud, cloud.authority.context("127.0.0.1")) as proxy:
        assert pull(cloud, DEMO + "/a", {"HTTPS_PROXY": proxy}, config=config, tmp_path=tmp_path).auth
    asked = cloud.log("proxy")
    (tmp_path / "other").mkdir()
    other = Authority(str(tmp_path / "other"))
    for context in (other.context("127.0.0.1"), cloud.authority.context("example.com")):
        with https_proxy(cloud, context) as proxy:
            result = pull(cloud, DEMO + "/a", {"HTTPS_PROXY": proxy}, config=config, tmp_path=tmp_path)
        assert_failed(result, 69, "certificate")
    assert cloud.log("proxy") == asked


def test_keys_of_tls_are_written_nowhere(cloud, tmp_path):
    assert pull(cloud, DEMO + "/a", {"SSLKEYLOGFILE": str(tmp_path / "keys")}).auth
    assert not (tmp_path / "keys").exists()


def test_old_tls_is_not_tried_again(cloud, tmp_path):
    """No other try would find a version in common."""
    with tls_server(cloud, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0") as (_, port):
        config = {"registries": [{"match": [DEMO], "instanceId": "cri-demo567890abcdef",
                                  "apiEndpoint": f"https://127.0.0.1:{port}"}]}
        result = pull(cloud, DEMO + "/a", {"NO_PROXY": "127.0.0.1"}, config=config, tmp_path=tmp_path)
    assert_failed(result, 69, "TLS 1.2")


def test_peer_without_tls_is_not_tried_again(cloud, tmp_path):
    config = {"registries": [{"match": [DEMO], "instanceId": "cri-demo567890abcdef",
                              "apiEndpoint": cloud.metadata.replace("http:", "https:")}]}
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


# -- a network that fails --------------------------------------------------------------------------------------


@contextlib.contextmanager
def black_hole():
    """An address where nothing answers, not even with a refusal: a listener whose queue is full drops what comes."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        with contextlib.suppress(TimeoutError):
            while True:
                stack.enter_context(socket.create_connection(listener.getsockname(), timeout=1))
        yield "%s:%d" % listener.getsockname()


@pytest.mark.slow
def test_metadata_service_in_a_black_hole_is_given_up_within_seconds(cloud):
    """A second for each of three connections: off the cloud nobody shall wait for the deadline."""
    with black_hole() as address:
        result = pull(cloud, DEMO + "/a", {"ALIBABA_CLOUD_IMDS_ENDPOINT": "http://" + address})
    assert_failed(result, 75, "ECS metadata service", "no answer in time", address)
    assert result.seconds < (8 if not WRAPPER else 20)


ROUTES = "Check routes, security groups and proxy variables of the node"
BETWEEN = "check firewalls and proxies between the node and the service"
STRANGER = "Check what answers in place of the service: endpoints, proxy variables and name resolution"


@pytest.mark.parametrize("where, fault, status, words", [
    pytest.param("https://127.0.0.1:1", {}, 75, ["127.0.0.1:1: no connection", ROUTES], marks=pytest.mark.slow),
    pytest.param("proxy", {}, 75, ["no connection", ROUTES], marks=pytest.mark.slow),
    pytest.param("black hole", {}, 75, ["no answer in time", ROUTES], marks=pytest.mark.slow),
    ("api", {"service": "acr", "stall": True}, 75, ["no answer in time", "raise --deadline", ROUTES]),
    pytest.param("api", {"service": "tls", "stall": True}, 75, ["no answer in time", ROUTES], marks=pytest.mark.slow),
    ("api", {"service": "tls", "reset": True}, 75, ["connection failed", BETWEEN]),
    pytest.param("api", {"service": "acr", "reset": "request"}, 75, ["connection failed", BETWEEN],
                 marks=pytest.mark.slow),
    ("api", {"service": "acr", "garbage": True}, 69, ["not an HTTP answer", STRANGER]),
    ("api", {"service": "acr", "endless": True}, 69, ["answer larger than", STRANGER]),
])
def test_network_that_fails_says_what_to_check(cloud, tmp_path, where, fault, status, words):
    more = {"HTTPS_PROXY": "http://127.0.0.1:1"} if where == "proxy" else {"NO_PROXY": "127.0.0.1"}
    if fault:
        cloud.fault(**fault)
    with black_hole() if where == "black hole" else contextlib.nullcontext("") as nowhere:
        endpoint = {"api": cloud.api, "black hole": "https://" + nowhere,
                    "proxy": "https://acr.example.com"}.get(where, where)
        entry = {"match": [DEMO], "instanceId": "cri-demo567890abcdef", "apiEndpoint": endpoint}
        result = pull(cloud, DEMO + "/a", more, config={"registries": [entry]}, tmp_path=tmp_path,
                      deadline_s=SHORT_S if "no answer in time" in words else DEADLINE_S)
    assert_failed(result, status, *words)


TLS_DEADLINE_S = 3


@pytest.mark.slow
def test_tls_that_is_never_answered_ends_in_time(cloud):
    """Neither by the registry nor, on the early connection, by the API: the run ends by itself, not by its watchdog."""
    cloud.fault("tls", stall=True)
    assert_failed(pull(cloud, DEMO + "/a", deadline_s=TLS_DEADLINE_S), 75, ".aliyuncs.com", "deadline")


@pytest.mark.slow
def test_tls_that_is_never_answered_lets_a_stale_token_be_served(node):
    node.cloud.cloud.token_life_s = cache_records.SHORT_LIFE_S
    password = node.password()
    cache_records.age(node.directory, 110)
    for path in node.files("instance"):  # so that the registry is asked as well
        path.unlink()
    node.cloud.fault("tls", stall=True)
    assert node.password(deadline_s=TLS_DEADLINE_S) == password


def test_challenge_and_metadata_service_are_asked_at_once(cloud, tmp_path):
    """Each answers only when the other has been asked."""
    known = cloud.cloud
    asked = {"metadata": threading.Event(), "challenge": threading.Event()}

    def wait_for(other, own, answer):
        def answer_late(*arguments):
            asked[own].set()
            asked[other].wait(60)
            return answer(*arguments)
        return answer_late
    known.metadata = wait_for("challenge", "metadata", known.metadata)
    known.challenge = wait_for("metadata", "challenge", known.challenge)
    config = {"registries": [{"match": ["hub.example.com"]}]}
    assert pull(cloud, "hub.example.com/a", config=config, tmp_path=tmp_path).auth
    assert cloud.operations("registry") == ["challenge"] and cloud.operations("acr") == ["GetAuthorizationToken"]


# -- certificates ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault, status, words", [
    ({"tls": "unknown-ca"}, 69, ["certificate", "SSL_CERT_FILE replaces the node's CA certificates"]),
    ({"tls": "wrong-name"}, 69, ["certificate", "Check what answers under this name"]),
    ({"tls": "expired"}, 69, ["certificate", "the certificate must be renewed"]),
    ({"reset": "tls"}, 75, ["connection failed"]),
])
def test_tls(cloud, fault, status, words, tmp_path):
    """Straight at the API, so that nothing but the program sees the handshake."""
    config = {"registries": [{"match": [DEMO], "instanceId": "cri-demo567890abcdef", "apiEndpoint": cloud.api}]}
    cloud.fault("tls", **fault)
    assert_failed(pull(cloud, DEMO + "/a", {"NO_PROXY": "127.0.0.1"}, config=config, tmp_path=tmp_path), status, *words)
    assert cloud.log("acr") == []


def test_hashed_directory_of_certificates(cloud, tmp_path):
    shutil.copy(cloud.ca, tmp_path / "ca.pem")
    subprocess.run(["openssl", "rehash", str(tmp_path)], check=True)
    environment = cloud.environment()
    del environment["SSL_CERT_FILE"]
    assert run(request(DEMO + "/a"), {**environment, "SSL_CERT_DIR": str(tmp_path)}).auth
    assert_failed(run(request(DEMO + "/a"), environment), 69, "certificate")


@pytest.mark.slow
def test_long_list_of_directories_of_certificates(cloud, tmp_path):
    """Whatever its length, it counts, and the system's store does not."""
    directory = tmp_path / "ca"
    directory.mkdir()
    shutil.copy(cloud.ca, directory / "ca.pem")
    subprocess.run(["openssl", "rehash", str(directory)], check=True)
    environment = {name: value for name, value in cloud.environment().items() if name != "SSL_CERT_FILE"}
    for length in (4095, 4096, 100000):
        places = ":".join(f"/nonexistent/{number:05}" for number in range(length // 19)) + ":" + str(directory)
        places = "/" * (length - len(places)) + places
        assert run(request(DEMO + "/a"), {**environment, "SSL_CERT_DIR": places}).auth, length


def test_bundle_with_many_certificates_is_searched(cloud, tmp_path):
    bundle = tmp_path / "bundle.pem"
    with open(os.path.join(os.path.dirname(cloud.ca), "other", "ca.pem"), encoding="ascii") as other, \
            open(cloud.ca, encoding="ascii") as own:
        bundle.write_text("# comment\n" + other.read() * 100 + own.read())
    assert pull(cloud, DEMO + "/a", {"SSL_CERT_FILE": str(bundle)}).auth
