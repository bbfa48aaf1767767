"""Each misbehaviour of the emulator, seen from the socket: it does what it says, where and as often as it says."""

import re
import socket
import ssl
import time

import pytest
from emulator import Emulator

NAME = "cr.cn-hangzhou.aliyuncs.com"
REGION = rb"HTTP/1\.1 200 OK\r\n(?s:.*)\r\n\r\ncn-hangzhou"
HALF = rb'HTTP/1\.1 200 OK\r\nContent-Length: 1000\r\n\r\n\{"half":'


@pytest.fixture(scope="module")
def shared():
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def cloud(shared):
    yield shared
    shared.heal()


def connect(url, timeout=30):
    host, _, port = url.rpartition("/")[2].partition(":")
    return socket.create_connection((host, int(port)), timeout)


class Encrypted:
    """TLS around a socket, of which Python's own would not tell whether it was reset or closed."""

    def __init__(self, connection, ca, name=NAME):
        self._connection, self._came, self._to_go = connection, ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = ssl.create_default_context(cafile=ca).wrap_bio(self._came, self._to_go, server_hostname=name)
        self._pump(self._tls.do_handshake)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._connection.close()

    def _pump(self, step, *arguments):
        while True:
            try:
                return step(*arguments)
            except ssl.SSLWantReadError:
                pass
            finally:
                if self._to_go.pending:
                    self._connection.sendall(self._to_go.read())
            if not (data := self._connection.recv(65536)):
                return data
            self._came.write(data)

    def recv(self, size):
        return self._pump(self._tls.read, size)

    def sendall(self, data):
        self._pump(self._tls.write, data)


def send(connection, target="/", host=NAME, method="GET"):
    connection.sendall(f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    return connection


def read(connection):
    """What comes, and how it ends; it is left open if nothing more comes in time."""
    came = b""
    with connection:
        try:
            while part := connection.recv(65536):
                came += part
        except ConnectionResetError:
            return came, "reset"
        except TimeoutError:
            return came, "open"
        return came, "closed"


def ask_metadata(cloud, timeout=30):
    return read(send(connect(cloud.metadata, timeout), "/latest/meta-data/region-id"))


def ask_api(cloud, timeout=30, name=NAME):
    return read(send(Encrypted(connect(cloud.api, timeout), cloud.ca, name), host=name))


def status(answer):
    came, end = answer
    assert end == "closed"
    return int(came.split()[1])


@pytest.mark.parametrize("ask", [ask_metadata, ask_api])
@pytest.mark.parametrize("fault, expected, end", [
    ({"close": True}, rb"", "closed"),
    ({"stall": True}, rb"", "open"),
    ({"garbage": True}, rb"(?s)(?!HTTP).{512}", "closed"),
    ({"truncate": True}, HALF, "closed"),
    ({"reset": "request"}, rb"", "reset"),
    ({"reset": "headers"}, rb"HTTP/1\.1 200 OK\r\n", "reset"),
    ({"reset": "body"}, HALF, "reset"),
    ({"body_bytes": 100000}, rb"HTTP/1\.1 200 OK\r\nContent-Length: 100000\r\n\r\nx{100000}", "closed"),
    ({"redirect": "http://elsewhere.example/"},
     rb"HTTP/1\.1 302 (?s:.*)\r\nLocation: http://elsewhere\.example/\r\n(?s:.*)", "closed"),
    ({"status": 503}, rb"HTTP/1\.1 503 (?s:.*)\r\nContent-Length: 0\r\n\r\n", "closed"),
    ({"body": "other"}, rb"HTTP/1\.1 200 (?s:.*)\r\nContent-Length: 5\r\n\r\nother", "closed"),
    ({"status": 401, "headers": {"Odd": "yes"}}, rb"HTTP/1\.1 401 (?s:.*)\r\nOdd: yes\r\n(?s:.*)", "closed"),
    ({"code": "Throttling.User", "retry_after": 7},
     rb'HTTP/1\.1 429 (?s:.*)\r\nRetry-After: 7\r\n(?s:.*)\{"Code": "Throttling\.User", .*\}', "closed"),
    ({"code": "Odd"}, rb'HTTP/1\.1 400 (?s:.*)\{"Code": "Odd", .*\}', "closed"),
    ({"code": "Odd", "status": 403}, rb'HTTP/1\.1 403 (?s:.*)\{"Code": "Odd", .*\}', "closed"),
])
def test_answers(cloud, ask, fault, expected, end):
    for service in ("metadata", "acr"):
        cloud.fault(service, **fault)
    came, ended = ask(cloud, timeout=0.5 if end == "open" else 30)
    assert re.fullmatch(expected, came) and ended == end, (came[:300], ended)


@pytest.mark.parametrize("fault", [{"delay_ms": 200}, {"drip": {"interval_ms": 5}}])
def test_answer_comes_late(cloud, fault):
    cloud.fault("metadata", **fault)
    started = time.monotonic()
    came, end = ask_metadata(cloud)
    assert re.fullmatch(REGION, came) and end == "closed" and time.monotonic() - started >= 0.2


def test_answer_without_end(cloud):
    cloud.fault("metadata", endless=True)
    with connect(cloud.metadata) as connection, connection.makefile("rb") as answer:
        send(connection, "/latest/meta-data/region-id")
        assert [answer.readline() for _ in range(3)] == [b"HTTP/1.1 200 OK\r\n", b"Transfer-Encoding: chunked\r\n",
                                                         b"\r\n"]
        block = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        assert all(answer.read(len(block)) == block for _ in range(64))


def test_stalled_connection_ends_with_the_emulator():
    with Emulator() as emulator:
        fault = emulator.fault("metadata", stall=True)
        connection = send(connect(emulator.metadata))
        while not fault["taken"]:
            time.sleep(0.01)
    assert read(connection) == (b"", "closed")


@pytest.mark.parametrize("kind, words", [("unknown-ca", "unable to get local issuer certificate"),
                                         ("expired", "has expired"), ("wrong-name", "Hostname mismatch")])
def test_certificates(cloud, kind, words):
    cloud.fault("tls", times=1, tls=kind)
    with connect(cloud.api) as connection, pytest.raises(ssl.SSLCertVerificationError, match=words):
        Encrypted(connection, cloud.ca)
    assert status(ask_api(cloud)) == 400


def test_certificate_of_another_authority_is_right_but_for_that(cloud):
    cloud.fault("tls", tls="unknown-ca")
    with connect(cloud.api) as connection:
        Encrypted(connection, cloud.other_authority.ca)


@pytest.mark.parametrize("fault, error", [({"reset": True}, ConnectionResetError), ({"stall": True}, TimeoutError)])
def test_handshakes(cloud, fault, error):
    cloud.fault("tls", **fault)
    with pytest.raises(error), connect(cloud.api, 0.5 if error is TimeoutError else 30) as connection:
        Encrypted(connection, cloud.ca)


def test_times_are_counted(cloud):
    fault = cloud.fault("metadata", times=2, status=503)
    assert [status(ask_metadata(cloud)) for _ in range(3)] == [503, 503, 200] and fault["taken"] == 2


def test_healed(cloud):
    fault = cloud.fault("metadata", status=503)
    assert status(ask_metadata(cloud)) == 503
    cloud.heal()
    assert status(ask_metadata(cloud)) == 200 and fault["taken"] == 1


@pytest.mark.parametrize("service, operation, host, met", [
    ("metadata", "region", "127.0.0.1", True), ("metadata", "*", "127.*", True), ("metadata", "role", "*", False),
    ("acr", "*", "*", False), ("metadata", "*", NAME, False),
])
def test_others_are_spared(cloud, service, operation, host, met):
    fault = cloud.fault(service, operation, host=host, status=503)
    answer = read(send(connect(cloud.metadata), "/latest/meta-data/region-id", "127.0.0.1"))
    assert (status(answer), fault["taken"]) == ((503, 1) if met else (200, 0))


def test_hosts_are_told_apart(cloud):
    cloud.fault("acr", host="cr-vpc.*", status=503)
    assert [status(ask_api(cloud, name=name)) for name in ("cr-vpc.cn-hangzhou.aliyuncs.com", NAME)] == [503, 400]


# -- the proxy -------------------------------------------------------------------------------------------------------


def tunnel(cloud, name=NAME, timeout=30):
    return send(connect(cloud.proxy, timeout), name + ":443", name + ":443", "CONNECT")


def open_tunnel(cloud):
    connection = tunnel(cloud)
    established = b"HTTP/1.1 200 Connection established\r\n\r\n"
    assert connection.recv(len(established), socket.MSG_WAITALL) == established
    return Encrypted(connection, cloud.ca)


def test_tunnel_leads_to_any_host(cloud):
    before = len(cloud.log())
    assert status(read(send(open_tunnel(cloud)))) == 400
    assert [(entry["service"], entry["host"]) for entry in cloud.log()[before:]] == [("proxy", NAME + ":443"),
                                                                                     ("acr", NAME)]


def test_reset_comes_through_the_tunnel(cloud):
    cloud.fault("acr", reset="body")
    came, end = read(send(open_tunnel(cloud)))
    assert re.fullmatch(HALF, came) and end == "reset"


@pytest.mark.parametrize("fault, expected", [
    ({}, 502), ({"status": 407}, 407), ({"close": True}, (b"", "closed")), ({"reset": "request"}, (b"", "reset")),
    ({"stall": True}, (b"", "open")),
])
def test_tunnel_that_is_refused(cloud, fault, expected):
    cloud.fault("proxy", "connect", host="cr.*", **fault)
    answer = read(tunnel(cloud, timeout=0.5 if "stall" in fault else 30))
    assert answer == expected or status(answer) == expected
    with tunnel(cloud, "sts.aliyuncs.com") as other:
        assert other.recv(12) == b"HTTP/1.1 200"


def test_unresolvable_host(cloud, monkeypatch):
    monkeypatch.setattr(cloud.cloud, "unresolvable", {NAME})
    assert status(read(tunnel(cloud))) == 502


def test_plain_requests_are_forbidden_to_the_proxy(cloud):
    assert status(read(send(connect(cloud.proxy), "http://100.100.100.200/latest/meta-data/region-id"))) == 403
    assert cloud.log("proxy")[-1]["operation"] == "plain"
