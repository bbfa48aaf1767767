#!/usr/bin/env python3
"""The emulated cloud for a node of kind, whose registry has one image.

Usage: cloud.py EMULATOR KEYS PROGRAM METADATA_PORT PROXY_PORT. EMULATOR is the folder of the emulator, KEYS one
for its certificate authority. The image demo-registry.cn-hangzhou.cr.aliyuncs.com/team/app:v1 has PROGRAM, which prints
its version. Prints the variables that lead a client here, and runs until it is stopped.
"""

import hashlib
import io
import json
import platform
import signal
import sys
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

folder, keys, program, metadata_port, proxy_port = sys.argv[1:]
sys.path.insert(0, folder)
from emulator import Emulator, Keys  # noqa: E402

KIND = "application/vnd.oci.image."


class Image:
    """What a registry answers for an image: media type and content by path."""

    def __init__(self, repository, tag):
        self.path, self.answers = f"/v2/{repository}", {"/v2/": ("application/json", b"{}")}
        layer = self.blob("layer.v1.tar", self.layer())
        config = self.blob("config.v1+json", json.dumps({
            "os": "linux", "architecture": {"aarch64": "arm64"}.get(platform.machine(), "amd64"),
            "config": {"Entrypoint": ["/program"], "Cmd": ["version"]},
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}}).encode())
        manifest = json.dumps({"schemaVersion": 2, "mediaType": KIND + "manifest.v1+json", "config": config,
                               "layers": [layer]}).encode()
        for name in (tag, self.digest(manifest)):
            self.answers[f"{self.path}/manifests/{name}"] = KIND + "manifest.v1+json", manifest

    @staticmethod
    def digest(content):
        return "sha256:" + hashlib.sha256(content).hexdigest()

    @staticmethod
    def layer():
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as files, open(program, "rb") as file:
            member = files.gettarinfo(arcname="program", fileobj=file)
            member.mode = 0o755
            files.addfile(member, file)
        return archive.getvalue()

    def blob(self, kind, content):
        digest = self.digest(content)
        self.answers[f"{self.path}/blobs/{digest}"] = KIND + kind, content
        return {"mediaType": KIND + kind, "digest": digest, "size": len(content)}


class Registry(BaseHTTPRequestHandler):
    """Pulls of one image with a token that the emulated token service has issued."""

    def do_GET(self):
        kind, content = self.server.image.answers.get(self.path, ("text/plain", b""))
        status = 200 if content else 404
        if self.headers.get("Authorization", "").removeprefix("Bearer ") not in self.server.tokens:
            status, kind, content = 401, "text/plain", b""
        self.send_response_only(status)
        if status == 401:
            self.send_header("WWW-Authenticate", self.server.challenge(self.headers["Host"]))
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Docker-Content-Digest", Image.digest(content))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    do_HEAD = do_GET


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    addresses = ("127.0.0.1", int(metadata_port)), ("127.0.0.1", int(proxy_port))
    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as registry, \
            Emulator(addresses[0], Keys(keys), addresses[1]) as emulator:
        registry.image, registry.challenge, registry.tokens = Image("team/app", "v1"), emulator.cloud.challenge, set()
        log_in = emulator.cloud.log_in

        def remember(*arguments):
            token = log_in(*arguments)
            registry.tokens.add(token)
            return token

        emulator.cloud.log_in = remember
        emulator.registry_backends = [("*-registry.*.cr.aliyuncs.com", "127.0.0.1:%d" % registry.server_address[1])]
        threading.Thread(target=registry.serve_forever, daemon=True).start()
        for name, value in emulator.environment().items():
            print(f"{name}={value}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
