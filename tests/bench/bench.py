#!/usr/bin/env python3
"""Times the program beside a minimal client and a shell script that do the same exchange with the same emulator, and its
answers from the cache beside an empty program.

Usage: bench.py PROVIDER MINIMAL_CLIENT EMPTY_PROGRAM ROUNDS [RELEASE]. All take turns, so that a machine that slows down
slows all of them; the ratios are medians of the ratios round by round. CPU time and peak memory are those of the client
alone.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from urllib.parse import urlsplit

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "emulator"))
from emulator import Emulator  # noqa: E402

HOST, INSTANCE = "demo-registry.cn-hangzhou.cr.aliyuncs.com", "cri-demo567890abcdef"
REQUEST = json.dumps({"kind": "CredentialProviderRequest", "image": HOST + "/a",
                      "apiVersion": "credentialprovider.kubelet.k8s.io/v1"}).encode()


def once(command, environment):
    """(wall ms, CPU ms, peak MB) of one run, which must answer; the empty program has nothing to say."""
    read_end, write_end = os.pipe()
    started = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=write_end, env=environment)
    os.close(write_end)
    process.stdin.write(REQUEST)
    process.stdin.close()
    with open(read_end, "rb") as output:
        answer = output.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = status
    if status != 0 or (b'"password":"reg-' not in answer and command[0] != sys.argv[3]):
        raise SystemExit(f"{command[0]} failed: {answer!r}")
    return wall * 1000, (usage.ru_utime + usage.ru_stime) * 1000, usage.ru_maxrss / 1024


def main():
    provider, minimal, empty, rounds = *sys.argv[1:4], int(sys.argv[4])
    release = sys.argv[5] if len(sys.argv) > 5 else None
    with Emulator() as cloud, tempfile.TemporaryDirectory() as directory:
        config = os.path.join(directory, "config.json")
        with open(config, "w", encoding="ascii") as file:
            json.dump({"registries": [{"match": [HOST], "instanceId": INSTANCE, "apiEndpoint": cloud.api}]}, file)
        os.chmod(config, 0o600)
        environment = {"PATH": os.environ["PATH"], "ALIBABA_CLOUD_IMDS_ENDPOINT": cloud.metadata,
                       "SSL_CERT_FILE": cloud.ca}
        ports = [str(urlsplit(url).port) for url in (cloud.metadata, cloud.api)]
        cold, warm = ["--no-cache", "--config", config], ["--cache-dir", os.path.join(directory, "cache"), "--config", config]
        commands = {  # with what each is compared
            "minimal client": ([minimal, *ports, cloud.ca, INSTANCE], "minimal client"),
            "this program, the system's libraries": ([provider, *cold], "minimal client"),
            **({"this program, release": ([release, *cold], "minimal client")} if release else {}),
            "shell script": (["sh", os.path.join(HERE, "shell_client.sh"), cloud.metadata, cloud.api, cloud.ca, INSTANCE],
                             "minimal client"),
            "empty static program": ([empty], "empty static program"),
            "from the cache, the system's libraries": ([provider, *warm], "empty static program"),
            **({"from the cache, release": ([release, *warm], "empty static program")} if release else {}),
        }
        results = {name: [] for name in commands}
        for turn in range(rounds + 1):
            for name, (command, _) in commands.items():
                result = once(command, environment)
                if turn > 0:  # the first warms caches
                    results[name].append(result)
    print(f"| {rounds} rounds, medians | wall ms | CPU ms | peak MB | wall ratio | CPU ratio |\n|---|---|---|---|---|---|")
    for name, rows in results.items():
        wall, cpu, peak = (statistics.median(column) for column in zip(*rows))
        base = results[commands[name][1]]
        ratios = [statistics.median(row[i] / max(other[i], 0.01) for row, other in zip(rows, base)) for i in (0, 1)]
        print(f"| {name} | {wall:.1f} | {cpu:.1f} | {peak:.1f} | {ratios[0]:.2f} | {ratios[1]:.2f} |")


if __name__ == "__main__":
    main()
