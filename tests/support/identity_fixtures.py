"""Identities that the emulated cloud accepts, and their files: CLI profiles, credentials files, OIDC tokens."""

import contextlib
import json
import shlex
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cloud import ACCOUNT, CLAIMS, KEY, OIDC_PROVIDER, PARTNER, SECRET

PULLER, POD_ROLE = (f"acs:ram::{ACCOUNT}:role/{name}" for name in ("puller", "pod"))
PARTNER_ROLE = f"acs:ram::{PARTNER}:role/partner"
PROVIDER = OIDC_PROVIDER
ACCESS_KEY = {"ALIBABA_CLOUD_ACCESS_KEY_ID": KEY, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET}
NO_METADATA = {"ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"}


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
    path.chmod(0o600)
    return str(path)


def cli(home, *profiles, current="default"):
    return write(home / ".aliyun" / "config.json", {
        "current": current, "profiles": [{"name": "default", "region_id": "cn-hangzhou", **p} for p in profiles]})


def ini(home, text):
    return write(home / ".alibabacloud" / "credentials", text)


def oidc(cloud, tmp_path, **claims):
    token = write(tmp_path / "token", cloud.cloud.mint({**CLAIMS, **claims}) + "\n")
    return {"ALIBABA_CLOUD_ROLE_ARN": POD_ROLE, "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": PROVIDER,
            "ALIBABA_CLOUD_OIDC_TOKEN_FILE": token}


def print_json(**fields):
    """A command line that prints a document, with both kinds of quotes to be split."""
    return f"{sys.executable} -c " + shlex.quote(f"import json; print(json.dumps({fields!r}))")


@contextlib.contextmanager
def credentials_server(cloud, *address):
    """A server for ALIBABA_CLOUD_CREDENTIALS_URI on this address, with the cloud's credentials; its port."""
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(cloud.cloud.issue_credentials(role="uri")).encode())

        def log_message(self, *arguments):
            pass

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET

        def server_bind(self):  # as it is, it looks up the name of the address
            self.socket.bind(self.server_address)
            self.server_name, self.server_port = self.socket.getsockname()[:2]

    with Server((address[0], 0, *address[1:]), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_port
        server.shutdown()
