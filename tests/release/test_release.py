"""What a release promises: it is static and hardened, runs in an empty root with working DNS, and answers from the
cache without a socket. RELEASE_FOLDER names where deploy/static/build.sh has put both executables."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.parse

import pytest
from program_run import DEMO, ROOT, Emulator, request, skip_where_permitted

FOLDER = os.environ["RELEASE_FOLDER"]
NATIVE = os.path.join(FOLDER, "aliyun-acr-credential-provider-x86_64")

ARCHITECTURES = ["x86_64", "aarch64"]


def executable(arch):
    return os.path.join(FOLDER, f"aliyun-acr-credential-provider-{arch}")


def needed(tool):
    return shutil.which(tool) or skip_where_permitted(f"{tool} is not there")


def readelf(arch, *flags):
    return subprocess.run(["readelf", "-W", *flags, executable(arch)], capture_output=True, text=True,
                          check=True).stdout


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


# Where a function may be entered, and how it checks its stack canary: x86_64 reads it from the thread, aarch64 takes it
# from the one on the stack and clears the register. hardened.sh checks while building that everything is.
INSTRUCTIONS = {"x86_64": {"endbr64": rb"\xf3\x0f\x1e\xfa", "canary": rb"\x64\x48[\x2b\x33\x8b].\x25\x28\0\0\0"},
                "aarch64": {"paciasp": rb"\x3f\x23\x03\xd5", "bti c": rb"\x5f\x24\x03\xd5",
                            "canary": rb".[\0-\3]([\0-\x1f])\xeb\1\0\x80\xd2"}}


@pytest.mark.parametrize("arch, name", [(arch, name) for arch in ARCHITECTURES for name in INSTRUCTIONS[arch]])
def test_compiled_to_be_hardened(arch, name):
    with open(executable(arch), "rb") as file:
        assert len(re.findall(INSTRUCTIONS[arch][name], file.read(), re.DOTALL)) > 1000


# What hardens an object, and what takes that away.
FLAGS = {"x86_64": {"-fstack-protector-strong": "-fno-stack-protector", "-fcf-protection=full": "-fcf-protection=none"},
         "aarch64": {"-fstack-protector-strong": "-fno-stack-protector",
                     "-mbranch-protection=standard": "-mbranch-protection=none"}}


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_build_refuses_what_is_not_hardened(arch, tmp_path):
    (tmp_path / "a.c").write_text("void fill(char *);\nvoid f(void)\n{\n    char bytes[64];\n\n    fill(bytes);\n}\n")

    def build(name, *flags):
        done = subprocess.run([needed(f"{arch}-linux-gnu-gcc"), "-O2", *flags, "-c", "-o", f"{name}.o", "a.c"],
                              cwd=tmp_path, check=False)
        assert done.returncode == 0
        return f"{name}.o"

    def check(*objects):
        subprocess.run(["ar", "rcsD", "all.a", *objects], cwd=tmp_path, check=True)
        done = subprocess.run(["bash", os.path.join(ROOT, "deploy", "static", "hardened.sh"), arch, "all.a"],
                              cwd=tmp_path,
                              capture_output=True, text=True, check=False)
        (tmp_path / "all.a").unlink()
        return done.returncode, done.stderr

    hardened = build("hardened", *FLAGS[arch])
    assert check(hardened) == (0, "")
    protection, branches = (build(f"bare{number}", *FLAGS[arch], off)
                            for number, off in enumerate(FLAGS[arch].values()))
    status, said = check(protection)
    assert status == 1 and "without stack protector: all.a" in said
    status, said = check(hardened, branches, hardened)
    assert status == 1 and "all.a(bare1.o)" in said and "hardened.o" not in said


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_small_and_without_the_builder(arch):
    with open(executable(arch), "rb") as file:
        content = file.read()
    assert len(content) <= 4 * 1024 * 1024
    assert b"/tmp/tmp." not in content and os.path.realpath(ROOT).encode() + b"/" not in content


def bill_of(arch):
    with open(executable(arch) + ".spdx.json", encoding="utf-8") as file:
        return json.load(file)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_bill_names_what_the_executable_is_made_of(arch):
    bill = bill_of(arch)
    packages = {package["name"]: package for package in bill["packages"]}
    with open(executable(arch), "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    assert packages["aliyun-acr-credential-provider"]["checksums"][0]["checksumValue"] == digest
    said = subprocess.run([NATIVE, "version"], capture_output=True, text=True, check=True).stdout
    for name in ("openssl", "curl", "json-c", "libyaml"):
        assert packages[name]["versionInfo"].split("-")[0] in said, name
    links = {link["relatedSpdxElement"].removeprefix("SPDXRef-") for link in bill["relationships"]
             if (link["spdxElementId"], link["relationshipType"]) == ("SPDXRef-program", "STATIC_LINK")}
    # arm64 alone has arithmetic (long double, in printf) that the compiler leaves to its library.
    compiler, libgcc = {"x86_64": ("gcc-12", set()),
                        "aarch64": ("gcc-12-aarch64-linux-gnu", {"libgcc-12-dev-arm64-cross"})}[arch]
    assert links == {"musl", "openssl", "curl", "json-c", "libyaml"} | libgcc
    tools = {link["spdxElementId"].removeprefix("SPDXRef-") for link in bill["relationships"]
             if link["relationshipType"] == "BUILD_TOOL_OF"}
    assert tools == {compiler, f"binutils-{arch.replace('_', '-')}-linux-gnu"}
    assert packages.keys() == {"aliyun-acr-credential-provider"} | links | tools


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_bill_names_the_sources(arch):
    bill = bill_of(arch)
    files = {file["SPDXID"]: file for file in bill["files"]}
    for package in bill["packages"]:
        if package["name"] not in ("musl", "openssl", "curl", "json-c", "libyaml"):
            continue
        sources = [files[link["relatedSpdxElement"]] for link in bill["relationships"]
                   if (link["spdxElementId"], link["relationshipType"]) == (package["SPDXID"], "GENERATED_FROM")]
        for part in (r"\.dsc", r"\.orig\.tar\.\w+", r"\.debian\.tar\.\w+"):
            assert any(re.fullmatch(rf"\./{package['name']}_.*{part}", source["fileName"]) for source in sources), part
        description = next(source for source in sources if source["fileName"] == "./" + package["packageFileName"])
        assert package["checksums"][0] in description["checksums"]
        assert package["externalRefs"][0]["referenceLocator"].endswith("?arch=source")


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_bill_keeps_to_spdx(arch):
    """The rules of SPDX 2.3 for what the bill has."""
    bill = bill_of(arch)
    assert (bill["spdxVersion"], bill["dataLicense"], bill["SPDXID"]) == ("SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT")
    assert bill["name"] and re.fullmatch(r"[a-z][a-z0-9+.-]*:[^#\s]+", bill["documentNamespace"])
    created = bill["creationInfo"]["created"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", created)
    assert all(re.fullmatch(r"(Tool|Organization|Person): \S.*", creator)
               for creator in bill["creationInfo"]["creators"])
    ids = ["SPDXRef-DOCUMENT"] + [element["SPDXID"] for element in bill["packages"] + bill["files"]]
    assert len(set(ids)) == len(ids) and all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", name) for name in ids)
    lengths = {"SHA1": 40, "SHA256": 64}
    for element in bill["packages"] + bill["files"]:
        for checksum in element.get("checksums", []):
            assert re.fullmatch(f"[0-9a-f]{{{lengths[checksum['algorithm']]}}}", checksum["checksumValue"])
    for package in bill["packages"]:
        assert package["name"] and package["downloadLocation"] and package["filesAnalyzed"] is False
        assert "packageVerificationCode" not in package and package["licenseConcluded"]
        assert package.get("releaseDate", "") <= created
        for reference in package.get("externalRefs", []):
            assert (reference["referenceCategory"], reference["referenceType"]) == ("PACKAGE-MANAGER", "purl")
            purl = re.fullmatch(r"pkg:deb/debian/([a-z0-9.-]+)@([A-Za-z0-9.~%-]+)\?arch=[a-z0-9]+",
                                reference["referenceLocator"])
            assert (purl[1], urllib.parse.unquote(purl[2])) == (package["name"], package["versionInfo"])
    for file in bill["files"]:
        assert file["fileName"].startswith("./") and any(checksum["algorithm"] == "SHA1"
                                                         for checksum in file["checksums"])
    links = {(link["spdxElementId"], link["relationshipType"], link["relatedSpdxElement"])
             for link in bill["relationships"]}
    assert len(links) == len(bill["relationships"])
    assert {kind for _, kind, _ in links} == {"DESCRIBES", "STATIC_LINK", "BUILD_TOOL_OF", "GENERATED_FROM"}
    assert {end for link in links for end in (link[0], link[2])} == set(ids)  # no end that is not there, nothing apart
    assert ("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-program") in links


# Runs in a network namespace: an emulator, a name server that answers as told, and the program in an empty root.
INSIDE = """
import json, os, socket, struct, subprocess, sys, threading
sys.path.insert(0, sys.argv[1])
from emulator import Emulator
root, way, command = sys.argv[2], sys.argv[3], sys.argv[4:]

def reply(query, by_tcp):
    question = query[12:query.index(b"\\0", 12) + 5]
    is_ipv4 = question[-4:-2] == b"\\0\\1"
    if way == "IPv6 dropped" and not is_ipv4:
        return None
    code = 2 if way == "IPv6 refused" and not is_ipv4 else 0
    truncated = way == "truncated" and not by_tcp
    known = b"api" in question and is_ipv4 and not truncated
    header = struct.pack("!2sHHHHH", query[:2], 0x8180 | code | (0x200 if truncated else 0), 1, known, 0, 0)
    return header + question + (b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\1\\0\\4\\x7f\\0\\0\\1" if known else b"")

def serve_udp(server):
    while True:
        query, peer = server.recvfrom(512)
        answer = reply(query, False)
        if answer:
            server.sendto(answer, peer)

def serve_tcp(server):
    while True:
        peer = server.accept()[0].makefile("rwb")
        length = peer.read(2)
        while len(length) == 2:
            answer = reply(peer.read(*struct.unpack("!H", length)), True)
            peer.write(struct.pack("!H", len(answer)) + answer)
            peer.flush()
            length = peer.read(2)

for kind, serve in ((socket.SOCK_DGRAM, serve_udp), (socket.SOCK_STREAM, serve_tcp)):
    server = socket.socket(socket.AF_INET, kind)
    server.bind(("127.0.0.1", 53))
    if kind == socket.SOCK_STREAM:
        server.listen()
    threading.Thread(target=serve, args=(server,), daemon=True).start()
with Emulator() as cloud:
    config = {"registries": [{"match": ["*-registry.*.cr.aliyuncs.com"], "instanceId": "cri-demo567890abcdef",
                              "apiEndpoint": "https://api.example.com:%d" % cloud.api_port}]}
    with open(root + "/config.json", "w", opener=lambda p, f: os.open(p, f, 0o600)) as file:
        json.dump(config, file)
    with open(cloud.ca) as ca, open(root + "/etc/ssl/certs/ca-certificates.crt", "w") as file:
        file.write(ca.read())
    command += ["--no-cache", "--config", "/config.json", "--deadline", "10"]
    done = subprocess.run(["/usr/sbin/chroot", root, *command], input=sys.stdin.read(), capture_output=True, text=True,
                          env={"ALIBABA_CLOUD_IMDS_ENDPOINT": cloud.metadata})
    print(done.stdout, end="")
    print(done.stderr, end="", file=sys.stderr)
    sys.exit(done.returncode)
"""


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("way", ["well", "truncated", "IPv6 refused", "IPv6 dropped"])
def test_empty_root_with_a_resolver_and_certificates(arch, way, tmp_path):
    root = tmp_path / "root"
    (root / "etc" / "ssl" / "certs").mkdir(parents=True)
    (root / "etc" / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    shutil.copy(executable(arch), root / "provider")
    command = ["/provider"]
    if arch == "aarch64":
        shutil.copy(needed("qemu-aarch64-static"), root / "qemu")
        command.insert(0, "/qemu")
    unshare = ["unshare", "--net", *(["--map-root-user"] if os.geteuid() else [])]
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        skip_where_permitted("namespaces are not allowed here")
    done = subprocess.run([*unshare, "sh", "-c", 'ip link set lo up 2>/dev/null || python3 -c "$0"; shift; exec "$@"',
                           LOOPBACK_UP, "_", sys.executable, "-B", "-c", INSIDE,
                           os.path.join(ROOT, "tests", "emulator"),
                           str(root), way, *command], input=request(DEMO + "/a"), capture_output=True, text=True,
                          timeout=60,
                          check=False)
    assert done.returncode == 0, done.stderr
    assert DEMO in json.loads(done.stdout)["auth"]


# What `ip link set lo up` does, where there is no ip.
LOOPBACK_UP = """
import fcntl, socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 0x1 | 0x40))
"""


def test_answer_from_the_cache_opens_no_socket(tmp_path):
    strace = needed("strace")
    with Emulator() as cloud:
        command = [NATIVE, "--cache-dir", str(tmp_path / "cache")]
        cold = subprocess.run(command, input=request(DEMO + "/a"), capture_output=True, text=True, check=True,
                              env=cloud.environment())
        warm = subprocess.run([strace, "-f", "-o", str(tmp_path / "trace"), *command], input=request(DEMO + "/a"),
                              capture_output=True, text=True, check=True, env=cloud.environment())
    assert json.loads(warm.stdout)["auth"] == json.loads(cold.stdout)["auth"]
    calls = (tmp_path / "trace").read_text()
    assert not re.search(r"^\d+ (socket|connect|sendto|clone|fork)\w*\(", calls, re.M), calls
    assert "ssl" not in calls  # neither trust store nor configuration of OpenSSL
