"""Stands in for docker where kind or a script calls it: knows what was run, and has nodes as folders.

The folder STAND_IN has `calls`, the arguments of each call as a JSON array a line, and for each node a folder with what
was copied into it. All that is asked succeeds, up to `kubeadm init`.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

STATE, CALL = pathlib.Path(os.environ["STAND_IN"]), sys.argv[1:]
LINE = " ".join(CALL)


def runs():
    """The arguments that the containers were run with, by their names."""
    calls = map(json.loads, (STATE / "calls").read_text().splitlines())
    return {call[call.index("--name") + 1]: call for call in calls if call[0] == "run"}


def in_node(node, command):
    root = STATE / node
    root.mkdir(exist_ok=True)
    if command[:2] == ["cat", "/kind/version"]:
        print(os.environ["KUBERNETES"])
    elif command[:2] == ["cat", "/etc/containerd/config.toml"]:
        print("version = " + os.environ["CONTAINERD"])
    elif command[:2] == ["cp", "/dev/stdin"]:
        (root / os.path.basename(command[2])).write_text(sys.stdin.read())
    elif command[0] == "sh":
        (root / "etc").mkdir(exist_ok=True)
        script = re.sub(r"(?<=[ >])/etc/", f"{root}/etc/", command[2])
        return subprocess.run([*command[:2], script], check=False).returncode
    elif command[0] == "journalctl":
        print("what the kubelet says")
    return command[0] == "kubeadm"


def answer():
    if CALL[0] == "-v":
        return print("Docker version 28.0.0, build 0000000")
    if CALL[0] == "info" and LINE.endswith("{{json .}}"):
        return print(json.dumps({"CgroupVersion": "2", "CgroupDriver": "systemd", "MemoryLimit": True,
                                 "PidsLimit": True, "CPUShares": True, "SecurityOptions": []}))
    if CALL[0] == "ps":
        return print(*runs(), sep="\n", end="\n" * bool(runs()))
    if CALL[:2] == ["network", "ls"]:
        return print("kind-network")
    if CALL[:2] == ["network", "inspect"]:
        return print('[{"Id": "kind-network", "Containers": {}}]')
    if CALL[0] == "inspect" and "kind.role" in LINE:
        return print(re.search(r"kind\.role=(\S+)", " ".join(runs()[CALL[-1]]))[1])
    if CALL[0] == "inspect" and "IPAddress" in LINE:
        return print("192.0.2.2,")
    if CALL[0] == "logs":
        return print("Reached target Multi-User System.\nHTTPS_PROXY=http://127.0.0.1")
    if CALL[0] == "exec":
        words = iter(CALL[1:])
        node = next(word for word in words if not word.startswith("-"))
        return in_node(node, list(words))
    return 0


with open(STATE / "calls", "a", encoding="utf-8") as file:
    file.write(json.dumps(CALL) + "\n")
sys.exit(answer() or 0)
