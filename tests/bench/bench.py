#!/usr/bin/env python3
"""Times the program beside a minimal client and a shell script that do the same exchange with the same emulator, its
answers from the cache beside an empty program, and a hundred processes at once beside as many alone; then prints which
bars the release build passes. Timings never decide the exit status.

Usage: bench.py RUN_ONCE PROVIDER RELEASE MINIMAL_CLIENT EMPTY_PROGRAM ROUNDS. All take turns, so that a machine that
slows down slows all of them; the ratios are medians of the ratios round by round. CPU time and peak memory are those of
the client alone.
"""

import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from urllib.parse import urlsplit

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "emulator")]
from emulator import Emulator  # noqa: E402
from latency import Relay  # noqa: E402

RUN_ONCE, PROVIDER, RELEASE, MINIMAL, EMPTY = (os.path.abspath(path) for path in sys.argv[1:6])
ROUNDS = int(sys.argv[6])
ROUND_TRIP_S = 0.010
STORM, STORM_API_MS = 100, 400  # the last of them starts before the first is answered
HOST, INSTANCE = "demo-registry.cn-hangzhou.cr.aliyuncs.com", "cri-demo567890abcdef"
REQUEST = json.dumps({"kind": "CredentialProviderRequest", "image": HOST + "/a",
                      "apiVersion": "credentialprovider.kubelet.k8s.io/v1"})
WALL, CPU, PEAK = range(3)


class Node:
    """What a client needs to know of the cloud and of this machine."""

    def __init__(self, cloud, metadata_port, api_port, directory):
        self.metadata_port, self.api_port, self.ca = metadata_port, api_port, cloud.ca
        self.cache = os.path.join(directory, "cache")
        self.config = os.path.join(directory, "config.json")
        os.mkdir(directory)
        with open(self.config, "w", encoding="ascii") as file:
            json.dump({"registries": [{"match": [HOST], "instanceId": INSTANCE, "apiEndpoint": self.api}]}, file)
        os.chmod(self.config, 0o600)
        self.request = os.path.join(directory, "request.json")
        with open(self.request, "w", encoding="ascii") as file:
            file.write(REQUEST)
        self.environment = {"PATH": os.environ["PATH"], "SSL_CERT_FILE": self.ca,
                            "ALIBABA_CLOUD_IMDS_ENDPOINT": self.metadata}

    @property
    def metadata(self):
        return f"http://127.0.0.1:{self.metadata_port}"

    @property
    def api(self):
        return f"https://127.0.0.1:{self.api_port}"

    def cold(self, program):
        return [program, "--no-cache", "--config", self.config]

    def warm(self, program):
        return [program, "--cache-dir", self.cache, "--config", self.config]

    def minimal(self):
        return [MINIMAL, str(self.metadata_port), str(self.api_port), self.ca, INSTANCE]

    def shell(self):
        return ["sh", os.path.join(HERE, "shell_client.sh"), self.metadata, self.api, self.ca, INSTANCE]

    def forget(self, *kinds):
        """Removes what the cache holds of these kinds, of all kinds without any."""
        with contextlib.suppress(FileNotFoundError):
            for name in os.listdir(self.cache):
                if not kinds or name.startswith(kinds):
                    os.unlink(os.path.join(self.cache, name))


def start(node, command):
    # sh is not where execv() would look for it.
    program = shutil.which(command[0], path=os.environ["PATH"])
    return subprocess.Popen([RUN_ONCE, node.request, program, *command[1:]], env=node.environment,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(process):
    """(wall ms, CPU ms, peak MB) of a run, which must answer; the empty program has nothing to say."""
    answer, measured = process.communicate()
    if process.returncode != 0 or (b'"password":"reg-' not in answer and EMPTY not in process.args):
        raise SystemExit(f"{process.args} failed: {answer!r} {measured!r}")
    wall_us, cpu_us, peak_kb = (int(number) for number in measured.split())
    return wall_us / 1000, cpu_us / 1000, peak_kb / 1024


def take_turns(node, commands, before=None):
    """Per name, a row for each round; the first round only warms caches."""
    results = {name: [] for name in commands}
    for turn in range(ROUNDS + 1):
        for name, command in commands.items():
            if before:
                before(name)
            row = finish(start(node, command))
            if turn > 0:
                results[name].append(row)
    return results


def median(rows, column):
    return statistics.median(row[column] for row in rows)


def ratio(rows, base, column):
    return statistics.median(row[column] / max(other[column], 0.01) for row, other in zip(rows, base))


def show(title, results):
    """A table; the first row is what the others are compared with."""
    base = next(iter(results.values()))
    print(f"| {title} | wall ms | CPU ms | peak MB | wall ratio | CPU ratio |\n|---|---|---|---|---|---|")
    for name, rows in results.items():
        print(f"| {name} | {median(rows, WALL):.1f} | {median(rows, CPU):.1f} | {median(rows, PEAK):.1f} | "
              f"{ratio(rows, base, WALL):.2f} | {ratio(rows, base, CPU):.2f} |")
    print()


def storm(node, cloud):
    """The CPU ms of many processes that share one token, all of them there before the API has answered."""
    node.forget()
    cloud.fault("acr", times=1, delay_ms=STORM_API_MS)
    processes = [start(node, node.warm(RELEASE)) for _ in range(STORM)]
    return sum(finish(process)[CPU] for process in processes)


def main():
    with contextlib.ExitStack() as stack:
        cloud = stack.enter_context(Emulator())
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        ports = [urlsplit(url).port for url in (cloud.metadata, cloud.api)]
        near = Node(cloud, *ports, os.path.join(directory, "near"))
        far = Node(cloud, *(stack.enter_context(Relay(port, ROUND_TRIP_S)).port for port in ports),
                   os.path.join(directory, "far"))

        cold = take_turns(near, {"minimal client, static": near.minimal(),
                                 "this program, release": near.cold(RELEASE),
                                 "this program, the system's libraries": near.cold(PROVIDER),
                                 "shell script": near.shell()})
        show(f"no latency, {ROUNDS} rounds, medians", cold)
        # Without its token the release asks anew, with what it remembers of the metadata service.
        distant = take_turns(far, {"minimal client, static": far.minimal(), "this program, release": far.cold(RELEASE),
                                   "this program, release, renewing": far.warm(RELEASE)},
                             lambda _: far.forget("token-"))
        show("round trips of 10 ms", distant)
        cached = take_turns(near, {"empty static program": [EMPTY], "this program, release": near.warm(RELEASE),
                                   "this program, the system's libraries": near.warm(PROVIDER)})
        show("from the cache", cached)

        calls = len(cloud.log("acr"))
        storms = [storm(near, cloud) for _ in range(min(9, ROUNDS))]
        calls = (len(cloud.log("acr")) - calls) / len(storms)
        alone = STORM * median(cold["this program, release"], CPU)
        base, release = cold["minimal client, static"], cold["this program, release"]
        bars = (("cold, wall, of the minimal client's", ratio(release, base, WALL), 1.05),
                ("cold, round trips of 10 ms, wall, of the minimal client's",
                 ratio(distant["this program, release"], distant["minimal client, static"], WALL), 0.65),
                ("renewing, round trips of 10 ms, wall, of the minimal client's",
                 ratio(distant["this program, release, renewing"], distant["minimal client, static"], WALL), 0.42),
                ("from the cache, wall, of an empty static program's",
                 ratio(cached["this program, release"], cached["empty static program"], WALL), 1.5),
                ("cold, peak MB", median(release, PEAK), 5.5),
                ("from the cache, peak MB", median(cached["this program, release"], PEAK), 1.5),
                ("executable, MB", os.path.getsize(RELEASE) / 1e6, 4),
                (f"storm of {STORM}, API calls", calls, 1),
                (f"storm of {STORM}, CPU, of as many cold runs'", statistics.median(storms) / alone, 0.20))
        print("| release | measured | at most | |\n|---|---|---|---|")
        for name, measured, limit in bars:
            print(f"| {name} | {measured:.2f} | {limit:.2f} | {'pass' if measured <= limit else 'miss'} |")


if __name__ == "__main__":
    main()
