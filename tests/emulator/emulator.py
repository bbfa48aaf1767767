#!/usr/bin/env python3
"""An emulator of Alibaba Cloud on loopback: metadata service, ACR APIs, registries, and a proxy that leads there.

As a class for tests (`with Emulator() as cloud:`), and as a program for people: `emulator.py COMMAND` runs a command
with the variables that send a client to it; without one it prints them, and runs until its standard input ends.
"""

import fnmatch
import http.client
import json
import os
import re
import secrets
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cloud import STATUS_OF_CODE, Cloud, Refusal, Signer  # noqa: E402
from tls import Authority  # noqa: E402


def _reset(connection):
    """Ends a connection with RST instead of FIN, at once: whoever still reads from it is woken first."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RD)
    except OSError:
        pass
    # close() would wait for the files that were made of the socket.
    descriptor = connection.detach()
    if descriptor >= 0:
        os.close(descriptor)


class _Gone(Exception):
    """A fault has ended the connection."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, handler, emulator, address=("127.0.0.1", 0)):
        self.emulator = emulator
        super().__init__(address, handler)

    def handle_error(self, request, client_address):
        """Clients that go away are what this program is for."""

    def serve(self):
        """Until stop(), at once: serve_forever() would look for that from time to time only."""
        while True:
            try:
                self.process_request(*self.get_request())
            except OSError:
                if self.emulator.stopped.is_set():
                    return

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.server_close()

    @property
    def port(self):
        return self.server_address[1]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    service = "*"

    def log_message(self, *arguments):
        pass

    @property
    def emulator(self):
        return self.server.emulator

    def handle(self):
        try:
            super().handle()
        except (_Gone, OSError):
            self.close_connection = True

    def do_GET(self):
        self._serve()

    do_POST = do_PUT = do_PATCH = do_HEAD = do_GET

    def _read_body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _serve(self):
        body = self._read_body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        service, operation, answer = self.answer(headers, body)
        self.emulator.record(service=service, operation=operation, host=headers.get("host", ""), method=self.command,
                             path=self.path, headers=headers)
        fault = self.emulator.take_fault(service, operation, headers.get("host", ""))
        if fault:
            answer = self._misbehave(fault, answer)
        self._send(*answer())

    def _send(self, status, headers, body):
        self.send_response_only(status)
        self.send_header("Date", self.emulator.cloud.date())
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _misbehave(self, fault, answer):
        time.sleep(fault.get("delay_ms", 0) / 1000)
        if fault.get("stall"):
            self.emulator.stopped.wait(60)
            raise _Gone
        if fault.get("reset") == "request":
            _reset(self.connection)
            raise _Gone
        if fault.get("close"):
            self.connection.shutdown(socket.SHUT_RDWR)
            raise _Gone
        if fault.get("garbage"):
            self.wfile.write(secrets.token_bytes(512))
            self.connection.shutdown(socket.SHUT_RDWR)
            raise _Gone
        if fault.get("reset") in ("headers", "body") or fault.get("truncate"):
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            if fault.get("reset") != "headers":
                self.wfile.write(b"Content-Length: 1000\r\n\r\n{\"half\":")
            time.sleep(0.05)
            if fault.get("truncate"):
                self.connection.shutdown(socket.SHUT_RDWR)
            else:
                _reset(self.connection)
            raise _Gone
        if "body_bytes" in fault or fault.get("endless"):
            self._pour(fault.get("body_bytes"))
        if "drip" in fault:
            self._drip(fault["drip"], answer)
        if "redirect" in fault:
            return lambda: (302, {"Location": fault["redirect"]}, b"")
        if "code" in fault:
            headers = {"Retry-After": str(fault["retry_after"])} if "retry_after" in fault else {}
            status = fault.get("status", STATUS_OF_CODE.get(fault["code"], 400))
            said = {"Code": fault["code"], "Message": "A fault on demand.", "RequestId": "FAULT-0001"}
            return lambda: (status, headers, json.dumps(said).encode())
        if "status" in fault or "body" in fault:
            return lambda: (fault.get("status", 200), fault.get("headers", {}), fault.get("body", "").encode())
        return answer

    def _pour(self, size):
        block = b"x" * 65536
        if size is None:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while not self.emulator.stopped.is_set():
                self.wfile.write(b"10000\r\n" + block + b"\r\n")
        else:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            for start in range(0, size, len(block)):
                self.wfile.write(block[:size - start])
        raise _Gone

    def _drip(self, drip, answer):
        status, _, body = answer()
        whole = b"HTTP/1.1 %d OK\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body
        for byte in whole:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            if self.emulator.stopped.wait(drip["interval_ms"] / 1000):
                break
        raise _Gone


def _json(said):
    return 200, {"Content-Type": "application/json"}, json.dumps(said).encode()


class _Metadata(_Handler):
    def answer(self, headers, body):
        path = self.path.partition("?")[0]  # the official library for Go puts an empty query after everything
        if path == "/credentials":  # a credentials URI, as a local service would offer
            return "uri", "credentials", lambda: _json(self.emulator.cloud.issue_credentials(role="uri"))
        operation, status, kind, text = self.emulator.cloud.metadata(self.command, path, headers)
        return "metadata", operation, lambda: (status, {"Content-Type": kind}, text.encode())


class _Api(_Handler):
    """Every HTTPS host: APIs and registries, told apart by the Host header."""

    def setup(self):
        fault = self.emulator.take_fault("tls", "*", "")
        if fault and fault.get("reset"):
            self.request.recv(1, socket.MSG_PEEK)  # else the client may not even see that it was connected
            _reset(self.request)
            raise _Gone
        if fault and fault.get("stall"):
            self.emulator.stopped.wait(60)
            raise _Gone
        authority, days, name = self.emulator.authority, 2, None
        if fault and fault.get("tls") == "unknown-ca":
            authority = self.emulator.other_authority
        elif fault and fault.get("tls") == "expired":
            days = -1
        elif fault and fault.get("tls") == "wrong-name":
            name = "wrong.example"
        # Of each connection alone, since it holds the callback; what that chooses is shared.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2

        def choose(connection, asked, _):
            try:
                connection.context = authority.context(name or asked or "127.0.0.1", days)
            except (OSError, subprocess.CalledProcessError):  # its files are gone when a test has ended
                if not self.emulator.stopped.is_set():
                    raise

        context.sni_callback = choose
        self.request = context.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self):
        super().finish()
        self.server.shutdown_request(self.request)  # the server itself knows no more than what was wrapped

    def answer(self, headers, body):
        host = headers.get("host", "").lower()
        name = host.partition(":")[0]
        url = urlsplit(self.path)
        form = parse_qsl(body.decode("latin-1")) if "form" in headers.get("content-type", "") else []
        query = parse_qsl(url.query, keep_blank_values=True)
        sts = re.fullmatch(r"sts(-vpc)?(\.[a-z0-9-]+)?\.aliyuncs\.com", name)
        if sts or headers.get("x-acs-version") == "2015-04-01":
            operation = headers.get("x-acs-action") or dict(query + form).get("Action", "*")
            return "sts", operation, lambda: self._say(
                url.path, lambda: self.emulator.cloud.sts(self.command, url.path, query, headers, body, form))
        api = re.fullmatch(r"cr(?:-vpc)?\.([a-z0-9-]+)\.aliyuncs\.com", name)
        if api or "x-acs-action" in headers:
            region = api[1] if api else self.emulator.cloud.region
            return "acr", headers.get("x-acs-action", "*"), lambda: self._say(
                url.path, lambda: self.emulator.cloud.acr(region, self.command, url.path, query, headers, body))
        if name == "credentials.example":
            return "uri", "credentials", lambda: _json(self.emulator.cloud.issue_credentials(role="uri"))
        if url.path.startswith("/v2/") and (backend := self.emulator.registry_backend(name)):
            return "registry", "backend", lambda: self._forward(backend, body)
        if url.path == "/v2/":
            return "registry", "challenge", lambda: self._challenge(name)
        if self.emulator.cloud.is_token_service(name):
            return "auth", "token", lambda: self._log_in(query, headers)
        return "*", "*", lambda: (404, {"Content-Type": "text/html"}, b"<html>not found</html>")

    def _challenge(self, name):
        challenge = self.emulator.cloud.challenge(name)
        if challenge is None:
            return 404, {"Content-Type": "text/html"}, b"<html>not found</html>"
        return 401, {"WWW-Authenticate": challenge}, b'{"errors":[{"code":"UNAUTHORIZED"}]}'

    def _forward(self, address, body):
        """To a real registry that stands behind this host."""
        backend = http.client.HTTPConnection(address, timeout=60)
        backend.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():  # Accept comes more than once
            if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                backend.putheader(name, value)
        backend.putheader("Content-Length", str(len(body)))
        backend.endheaders(body)
        answer = backend.getresponse()
        said = answer.read()
        backend.close()
        return answer.status, {name: value for name, value in answer.getheaders()
                               if name.lower() not in ("date", "transfer-encoding", "connection")}, said

    def _log_in(self, query, headers):
        token = self.emulator.cloud.log_in(headers.get("authorization", ""), dict(query).get("service", ""),
                                           [value for name, value in query if name == "scope"])
        if token is None:
            return 401, {"Content-Type": "application/json"}, b'{"details":"incorrect username or password"}'
        return 200, {"Content-Type": "application/json"}, json.dumps({"token": token, "expires_in": 600}).encode()

    def _say(self, path, call):
        request_id = secrets.token_hex(8).upper()
        try:
            status, said = 200, call()
        except Refusal as refusal:
            status, said = refusal.status, {"Code": refusal.code, "Message": refusal.message, **refusal.extra}
        said["RequestId"] = request_id
        if path != "/":  # APIs of the ROA style begin their names in lower case
            said = {name[0].lower() + name[1:]: value for name, value in said.items()}
        headers = {"Content-Type": "application/json", "x-acs-request-id": request_id}
        return status, headers, json.dumps(said).encode()


class _Proxy(_Handler):
    """CONNECT to any name leads to the HTTPS listener."""

    def do_CONNECT(self):
        name = self.path.rpartition(":")[0]
        self.emulator.record(service="proxy", operation="connect", host=self.path, method="CONNECT", path="",
                             headers={})
        fault = self.emulator.take_fault("proxy", "connect", name)
        answer = None if name not in self.emulator.cloud.unresolvable else self._refuse
        if fault:
            answer = self._misbehave(fault, self._refuse)
        if answer:
            self._send(*answer())
            return
        server = socket.create_connection(("127.0.0.1", self.emulator.api_port))
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self.wfile.flush()
        back = threading.Thread(target=self._relay, args=(server, self.connection), daemon=True)
        back.start()
        self._relay(self.connection, server)
        back.join()
        server.close()
        raise _Gone

    @staticmethod
    def _refuse():
        return 502, {}, b""

    @staticmethod
    def _relay(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except ConnectionResetError:
            for end in (source, target):
                _reset(end)
        except OSError:
            pass

    def answer(self, headers, body):
        return "proxy", "plain", lambda: (403, {}, b"")


class Keys:
    """Two certificate authorities and the key of OIDC tokens. Making them takes longer than many a test, so that
    emulators can share them, those of other processes by the directory."""

    def __init__(self, directory=None):
        self.directory = directory or tempfile.mkdtemp(prefix="acr-emulator-")
        os.makedirs(os.path.join(self.directory, "other"), exist_ok=True)
        self.authority = Authority(self.directory)
        self.other_authority = Authority(os.path.join(self.directory, "other"), "Unknown CA")
        self.signer = Signer(self.directory)

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)


class Emulator:
    def __init__(self, metadata_address=("127.0.0.1", 0), keys=None, proxy_address=("127.0.0.1", 0),
                 api_address=("127.0.0.1", 0)):
        self._has_own_keys = keys is None
        self.keys = keys or Keys()
        self.authority, self.other_authority = self.keys.authority, self.keys.other_authority
        self.ca = self.authority.ca
        self.cloud = Cloud(self.keys.signer)
        self._metadata_address, self._proxy_address, self._api_address = metadata_address, proxy_address, api_address
        self.stopped = threading.Event()
        self.registry_backends = []  # (glob of hosts, HOST:PORT of the real registry that stands behind them)
        self._lock = threading.Lock()
        self._faults, self._log = [], []

    def __enter__(self):
        self._servers = [_Server(_Metadata, self, self._metadata_address), _Server(_Api, self, self._api_address),
                         _Server(_Proxy, self, self._proxy_address)]
        for server in self._servers:
            threading.Thread(target=server.serve, daemon=True).start()
        metadata, api, proxy = self._servers
        self.api_port = api.port
        self.metadata = f"http://127.0.0.1:{metadata.port}"
        self.api = f"https://127.0.0.1:{api.port}"
        self.proxy = f"http://127.0.0.1:{proxy.port}"
        return self

    def __exit__(self, *_):
        self.stopped.set()
        for server in self._servers:
            server.stop()
        if self._has_own_keys:
            self.keys.remove()

    def environment(self):
        """The variables that lead a client here, under the real host names."""
        return {"ALIBABA_CLOUD_IMDS_ENDPOINT": self.metadata, "SSL_CERT_FILE": self.ca, "HTTPS_PROXY": self.proxy}

    def fault(self, service, operation="*", times=None, host="*", **what):
        """Misbehave in matching exchanges; service `tls` is the handshake of any HTTPS host.

        What is returned counts in `taken` how often that came to pass.
        """
        fault = {"service": service, "operation": operation, "times": times, "host": host, "taken": 0, **what}
        with self._lock:
            self._faults.append(fault)
        return fault

    def heal(self):
        """Misbehave no more."""
        with self._lock:
            self._faults.clear()

    def take_fault(self, service, operation, host):
        with self._lock:
            for fault in self._faults:
                if fault["service"] == service and fault["operation"] in ("*", operation) and fault["times"] != 0 and \
                        fnmatch.fnmatch(host, fault["host"]):
                    if fault["times"] is not None:
                        fault["times"] -= 1
                    fault["taken"] += 1
                    return fault
        return None

    def registry_backend(self, host):
        return next((address for glob, address in self.registry_backends if fnmatch.fnmatch(host, glob)), None)

    def record(self, **entry):
        with self._lock:
            self._log.append(entry)

    def log(self, service=None):
        with self._lock:
            return [entry for entry in self._log if service in (None, entry["service"])]

    def forget(self):
        """All requests so far."""
        with self._lock:
            self._log.clear()

    def operations(self, service):
        return [entry["operation"] for entry in self.log(service)]


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # by which nothing is left behind either
    with Emulator() as cloud:
        if sys.argv[1:]:
            environment = {**os.environ, **cloud.environment()}
            environment.pop("SSL_CERT_DIR", None)  # else its certificates count, too
            return subprocess.run(sys.argv[1:], env=environment, check=False).returncode
        for name, value in cloud.environment().items():
            print(f"export {name}={value}")
        sys.stdout.flush()
        try:
            sys.stdin.read()
        except KeyboardInterrupt:
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
