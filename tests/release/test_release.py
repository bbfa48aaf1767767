"""What a release promises: it is static and hardened, runs in an empty root with working DNS, and answers from the cache
without a socket. RELEASE_FOLDER names where deploy/static/build.sh has put both executables."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

import pytest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
FOLDER = os.environ["RELEASE_FOLDER"]
NATIVE = os.path.join(FOLDER, "aliyun-acr-credential-provider-x86_64")
os.environ.setdefault("ACR_PROVIDER_BIN", NATIVE)
sys.path.insert(0, os.path.join(ROOT, "tests", "program"))
from provider import DEMO, Emulator, request  # noqa: E402

ARCHITECTURES = ["x86_64", "aarch64"]


def readelf(arch, *flags):
    return subprocess.run(["readelf", "-W", *flags, os.path.join(FOLDER, f"aliyun-acr-credential-provider-{arch}")],
                          capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_static_and_position_independent(arch):
    assert re.search(r"Type:\s+DYN", readelf(arch, "-h"))
    segments, dynamic = readelf(arch, "-l"), readelf(arch, "-d")
    assert "INTERP" not in segments and "(NEEDED)" not in dynamic and "TEXTREL" not in dynamic


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_hardened(arch):
    segments, dynamic = readelf(arch, "-l"), readelf(arch, "-d")
    assert "GNU_RELRO" in segments and re.search(r"BIND_NOW|Flags:.*NOW", dynamic)
    assert re.search(r"GNU_STACK.* RW +0x", segments)
    assert not re.search(r"LOAD.* RWE ", segments)


# Where a function may be entered, and (x86_64) how it reads its stack canary. What musl has in assembly lacks the former,
# so that the linker marks neither executable as a whole.
INSTRUCTIONS = {"x86_64": {"endbr64": rb"\xf3\x0f\x1e\xfa", "canary": rb"\x64\x48[\x2b\x33\x8b].\x25\x28\0\0\0"},
                "aarch64": {"paciasp": rb"\x3f\x23\x03\xd5", "bti c": rb"\x5f\x24\x03\xd5"}}


@pytest.mark.parametrize("arch, name", [(arch, name) for arch in ARCHITECTURES for name in INSTRUCTIONS[arch]])
def test_compiled_to_be_hardened(arch, name):
    with open(os.path.join(FOLDER, f"aliyun-acr-credential-provider-{arch}"), "rb") as file:
        assert len(re.findall(INSTRUCTIONS[arch][name], file.read(), re.DOTALL)) > 1000


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_small_and_without_the_builder(arch):
    path = os.path.join(FOLDER, f"aliyun-acr-credential-provider-{arch}")
    with open(path, "rb") as file:
        content = file.read()
    assert len(content) <= 4 * 1024 * 1024
    assert b"/tmp/tmp." not in content and os.path.realpath(ROOT).encode() + b"/" not in content


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_bill_of_materials(arch):
    path = os.path.join(FOLDER, f"aliyun-acr-credential-provider-{arch}")
    with open(path + ".spdx.json", encoding="utf-8") as file:
        bill = json.load(file)
    with open(path, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    assert {package["name"] for package in bill["packages"]} == {"aliyun-acr-credential-provider", "musl", "openssl", "curl", "json-c"}
    assert bill["packages"][0]["checksums"][0]["checksumValue"] == digest
    said = subprocess.run([NATIVE, "version"], capture_output=True, text=True, check=True).stdout
    for package in bill["packages"][2:]:
        assert package["versionInfo"].split("-")[0] in said, package


# Runs in a network namespace of its own: an emulator, a name server, and the program in an empty root.
INSIDE = """
import json, os, socket, subprocess, sys, threading
sys.path.insert(0, sys.argv[1])
from emulator import Emulator
native, root = sys.argv[2:4]

def serve_names(server):
    while True:
        query, peer = server.recvfrom(512)
        end = query.index(b"\\0", 12) + 5
        is_address = query[end - 4:end - 2] == b"\\0\\1"
        known = b"api" in query[12:end] and is_address
        answer = b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\1\\0\\4\\x7f\\0\\0\\1" if known else b""
        server.sendto(query[:2] + b"\\x81\\x80\\0\\1" + (b"\\0\\1" if known else b"\\0\\0") + b"\\0\\0\\0\\0" + query[12:end] + answer, peer)

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
threading.Thread(target=serve_names, args=(server,), daemon=True).start()
with Emulator() as cloud:
    config = {"registries": [{"match": ["*-registry.*.cr.aliyuncs.com"], "instanceId": "cri-demo567890abcdef",
                              "apiEndpoint": "https://api.example.com:%d" % cloud.api_port}]}
    with open(root + "/config.json", "w", opener=lambda p, f: os.open(p, f, 0o600)) as file:
        json.dump(config, file)
    with open(cloud.ca) as ca, open(root + "/etc/ssl/certs/ca-certificates.crt", "w") as file:
        file.write(ca.read())
    done = subprocess.run(["/usr/sbin/chroot", root, "/provider", "--config", "/config.json", "--deadline", "10"], input=sys.stdin.read(),
                          capture_output=True, text=True, env={"ALIBABA_CLOUD_IMDS_ENDPOINT": cloud.metadata})
    print(done.stdout, end="")
    print(done.stderr, end="", file=sys.stderr)
    sys.exit(done.returncode)
"""


def test_empty_root_with_a_resolver_and_certificates(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("namespaces and chroot need root")
    root = tmp_path / "root"
    (root / "etc" / "ssl" / "certs").mkdir(parents=True)
    (root / "etc" / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    shutil.copy(NATIVE, root / "provider")
    done = subprocess.run(["unshare", "--net", "sh", "-c", 'ip link set lo up 2>/dev/null || python3 -c "$0"; shift; exec "$@"',
                           LOOPBACK_UP, "_", sys.executable, "-B", "-c", INSIDE, os.path.join(ROOT, "tests", "emulator"), NATIVE,
                           str(root)], input=request(DEMO + "/a"), capture_output=True, text=True, timeout=60, check=False)
    if "unshare" in done.stderr:
        pytest.skip("namespaces are not allowed here")
    assert done.returncode == 0, done.stderr
    assert DEMO in json.loads(done.stdout)["auth"]


# What `ip link set lo up` does, where there is no ip.
LOOPBACK_UP = """
import fcntl, socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 0x1 | 0x40))
"""


def test_answer_from_the_cache_opens_no_socket(tmp_path):
    if not shutil.which("strace"):
        assert os.environ.get("CI") != "true", "strace is not there"
        pytest.skip("strace is not there")
    with Emulator() as cloud:
        command = [NATIVE, "--cache-dir", str(tmp_path / "cache")]
        cold = subprocess.run(command, input=request(DEMO + "/a"), capture_output=True, text=True, check=True, env=cloud.environment())
        warm = subprocess.run(["strace", "-f", "-o", str(tmp_path / "trace"), *command], input=request(DEMO + "/a"),
                              capture_output=True, text=True, check=True, env=cloud.environment())
    assert json.loads(warm.stdout)["auth"] == json.loads(cold.stdout)["auth"]
    calls = (tmp_path / "trace").read_text()
    assert not re.search(r"^\d+ (socket|connect|sendto|clone|fork)\w*\(", calls, re.M), calls
    assert "ssl" not in calls  # neither trust store nor configuration of OpenSSL
