"""Runs in namespaces of their own: another clock, host name, network, name server, or file system. Most need root."""

import ctypes
import os
import shlex
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from emulated_node import IMAGE
from identity_fixtures import NO_METADATA, PULLER, credentials_server, write
from program_run import (DEADLINE_S, DEMO, PROGRAM, WRAPPER, Emulator, assert_failed, caller, pull, request, seconds,
                         skip_where_permitted)


HANG_S = 60  # far beyond any deadline here, however slow the machine


def at(minutes):
    """What makes a run take place so long after others: records go by the time since the boot."""
    return ["unshare", "--time", "--fork", "--boottime", str(int(minutes * 60))]


def test_outage_is_bridged_by_a_token_that_is_still_good(node):
    """The API is down for an hour of simulated time: the token serves until a minute before its end."""
    if not shutil.which("unshare") or subprocess.run([*at(1), "true"], capture_output=True,
                                                     check=False).returncode != 0:
        skip_where_permitted("time namespaces are not allowed here")
    first = node.password(prefix=at(0))
    node.cloud.fault("acr", code="ServiceUnavailable")
    for minutes in range(10, 59, 12):
        left_s, calls = 3600 - minutes * 60, node.calls()
        answer = node.pull(arguments=["--log-level", "warning"], prefix=at(minutes))
        assert answer.auth[DEMO]["password"] == first
        assert seconds(answer.answer["cacheDuration"]) <= left_s / 2 + max(0, left_s / 2 - 900)
        is_due = left_s < 900 + 2700 / 10
        assert ("serving a stale token" in answer.err, node.calls() > calls) == (is_due, is_due), minutes
    assert_failed(node.pull(prefix=at(59.2)), 75, "ServiceUnavailable")
    node.cloud.heal()
    assert node.password(prefix=at(59.3)) != first


@pytest.mark.parametrize("options", ["ro,mode=0700", "size=4k,nr_inodes=2,mode=0700", "size=4k,mode=0700"])
def test_full_or_read_only_file_system_only_costs_speed(cloud, tmp_path, options):
    """In a mount namespace; who waited for a lock that cannot be made would wait for half of the deadline."""
    if os.geteuid() != 0:
        skip_where_permitted("mounting needs root")
    directory = tmp_path / "cache"
    directory.mkdir(0o700)
    fill = f"head -c 1M /dev/zero >{directory}/full 2>/dev/null; " if options == "size=4k,mode=0700" else ""
    one = f"timeout 300 {PROGRAM} --cache-dir {directory} --deadline {2 * HANG_S} <{tmp_path}/request || exit 9"
    script = f"mount -t tmpfs -o {options} none {directory} && {fill} {one}; {one}"
    (tmp_path / "request").write_text(request(IMAGE))
    started = time.monotonic()
    done = subprocess.run(["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, check=False,
                          env={**cloud.environment(), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    if "unshare" in done.stderr:
        skip_where_permitted("namespaces are not allowed here")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('"password"') == 2 and time.monotonic() - started < HANG_S


@pytest.mark.parametrize("variable, flag, words", [
    (None, None, "debug: "), ("error", None, ""), (None, "error", ""), ("none", "error", ""),
    ("error", "info", "info: "), ("none", None, "none.json: there is no such file"), ("", None, "debug: "),
])
def test_file_of_the_flag_then_of_the_variable_then_the_usual_one(cloud, tmp_path, variable, flag, words):
    """In a mount namespace where /etc has the usual file alone, and /run, where the cache is by default, nothing."""
    logs = {"error": {"level": "error"}, "info": {"level": "info"}}
    paths = {"none": str(tmp_path / "none.json"), "": ""}
    paths.update((name, write(tmp_path / (name + ".json"), {"log": log})) for name, log in logs.items())
    flags = ["--config", paths[flag]] if flag else []
    script = ("umask 022; mount -t tmpfs none /etc && mount -t tmpfs none /run || exit; "
              "mkdir /etc/aliyun-acr-credential-provider || exit; "
              """echo '{"log": {"level": "debug"}}' >/etc/aliyun-acr-credential-provider/config.json; """
              + shlex.join([*WRAPPER, PROGRAM,
                            *flags]) + f"; status=$?; ls /run >{shlex.quote(str(tmp_path))}/made; exit $status")
    done = subprocess.run(["unshare", "--map-root-user", "--mount", "sh", "-c", script], input=request(DEMO + "/a"),
                          capture_output=True, text=True, check=False,
                          env={**cloud.environment(), "HOME": "/nonexistent", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                               **({} if variable is None else {"ACR_CREDENTIAL_PROVIDER_CONFIG": paths[variable]})})
    if not (tmp_path / "made").exists():
        skip_where_permitted("namespaces are not allowed here: " + done.stderr)
    assert done.returncode == (78 if "no such file" in words else 0), done.stderr
    assert (tmp_path / "made").read_text() == ("" if done.returncode else "aliyun-acr-credential-provider\n")
    assert words in done.stderr and (words != "" or done.stderr == "")


# Runs in namespaces of its own, in which nobody else can be asked for names.
ASK_FOR_NAMES = r"""
import fcntl, os, pathlib, socket, struct, subprocess, sys, threading
from program_run import DEADLINE_S, DEMO, SHORT_S, Emulator, assert_failed, request, run
way, folder = sys.argv[1], pathlib.Path(sys.argv[2])
asked = set()

def cover(path, text):
    (folder / path.name).write_text(text)
    subprocess.run(["mount", "--bind", str(folder / path.name), os.path.realpath(path)], check=True)

def serve(server):
    while True:
        query, peer = server.recvfrom(512)
        question = query[12:query.index(b"\0", 12) + 5]
        asked.add(question[:-4])
        known = way == "address" and question[-4:-2] == b"\0\1"
        flags = 0x8180 | {"NXDOMAIN": 3, "SERVFAIL": 2}.get(way, 0)
        if way != "silence":
            server.sendto(struct.pack("!2sHHHHH", query[:2], flags, 1, known, 0, 0) + question +
                          (b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4\x7f\0\0\1" if known else b""), peer)

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(server, 0x8914, struct.pack("16sh14x", b"lo", 0x1 | 0x40))  # ip link set lo up
server.bind(("127.0.0.1", 53))
threading.Thread(target=serve, args=(server,), daemon=True).start()
cover(pathlib.Path("/etc/resolv.conf"), "nameserver 127.0.0.1\nsearch .\n")
cover(pathlib.Path("/etc/nsswitch.conf"), "hosts: files dns\n")  # others are asked by sockets of the file system
with Emulator() as cloud:
    config = {"registries": [{"match": [DEMO], "instanceId": "cri-demo567890abcdef",
                              "apiEndpoint": "https://api.example.com:%d" % cloud.api_port}]}
    variables = {**cloud.environment(), "NO_PROXY": "api.example.com", "HOME": str(folder)}
    result = run(request(DEMO + "/a"), variables, config=config, tmp_path=folder,
                 deadline_s=SHORT_S if way == "silence" else DEADLINE_S)
    if way == "address":
        assert list(result.auth) == [DEMO]
    else:
        assert_failed(result, 75, "api.example.com", "DNS")
assert asked == {b"\3api\7example\3com\0"}
"""


@pytest.mark.parametrize("way", ["NXDOMAIN", "SERVFAIL", "address", pytest.param("silence", marks=pytest.mark.skipif(
    bool(WRAPPER), reason="Valgrind tells of the resolver that is not waited for"))])
def test_name_server(tmp_path, way):
    unshare = ["unshare", "--net", "--mount", *(["--map-root-user"] if os.geteuid() else [])]
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        skip_where_permitted("namespaces are not allowed here")
    done = subprocess.run([*unshare, sys.executable, "-B", "-c", ASK_FOR_NAMES, way, str(tmp_path)],
                          capture_output=True, text=True,
                          check=False, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert done.returncode == 0, done.stderr


def in_a_network_of_its_own(play):
    """Runs it in a thread that has left the network of this machine, and all that it starts with it."""
    def leave():
        if ctypes.CDLL(None, use_errno=True).unshare(0x40000000) != 0:  # CLONE_NEWNET
            return False
        for words in ("link set lo up", "address add 169.254.7.7/32 dev lo", "address add fe80::7/64 dev lo nodad"):
            subprocess.run(["ip", *words.split()], check=True)
        play()
        return True

    with ThreadPoolExecutor(1) as thread:
        if not thread.submit(leave).result():
            skip_where_permitted("namespaces are not allowed here")


@pytest.mark.parametrize("host, address", [("169.254.7.7", ("169.254.7.7",)), ("[fe80::7%25lo]", ("fe80::7", 0, 1))])
def test_credentials_uri_of_this_link(host, address):
    def play():
        with Emulator() as cloud, credentials_server(cloud, *address) as port:
            uri = {"ALIBABA_CLOUD_CREDENTIALS_URI": f"http://{host}:{port}/credentials"}
            pull(cloud, DEMO + "/a", {**NO_METADATA, **uri}).answer
            assert caller(cloud) == "uri"

    in_a_network_of_its_own(play)


def test_session_named_after_a_node_with_odd_characters(cloud, tmp_path):
    """The node's name is cleaned; a namespace of its own lets the test choose it."""
    if os.geteuid() != 0:
        pytest.skip("naming a node needs root")
    config = write(tmp_path / "config.json", {"identity": {"assumeRole": [{"roleArn": PULLER}]}})
    name = "node_1 (blue)." + "x" * 50
    script = f"printf %s {shlex.quote(name)} >/proc/sys/kernel/hostname && exec " + shlex.join(
        [*WRAPPER, PROGRAM, "--no-cache", "--deadline", str(DEADLINE_S), "--config", config])
    done = subprocess.run(["unshare", "--uts", "sh", "-c", script], input=request(DEMO + "/a"), text=True,
                          capture_output=True, env={**cloud.environment(), "PATH": "/usr/bin:/bin"}, check=False)
    if done.returncode == 1 and "unshare" in done.stderr:
        pytest.skip("namespaces are not allowed here")
    assert done.returncode == 0, done.stderr
    assert cloud.cloud.assumed[-1]["RoleSessionName"] == ("acr-node_1--blue-." + "x" * 50)[:64]


# As in a bare chroot, where an image of a node is made.
NO_PROC = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh"]


def test_cache_without_proc(node):
    if os.geteuid() != 0:
        skip_where_permitted("mounting needs root")
    answer = node.pull(arguments=["--log-level", "warning"], prefix=NO_PROC)
    assert DEMO in answer.auth and "no cache: cannot read the boot id" in answer.err, answer.err


def test_own_executable_without_proc(tmp_path):
    if os.geteuid() != 0:
        skip_where_permitted("mounting needs root")
    done = subprocess.run([*NO_PROC, *WRAPPER, PROGRAM, "config", "--install", str(tmp_path / "providers.yaml"),
                           "--bin-dir", str(tmp_path)], capture_output=True, text=True, check=False, env={})
    assert done.returncode == 78 and "/proc/self/exe" in done.stderr and "Mount /proc, or" in done.stderr, done.stderr
    assert os.listdir(tmp_path) == []
