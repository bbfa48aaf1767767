"""Fifty pods with fifty images at once: by the provider, by a fixed imagePullSecret, and of a public registry.

Prints the medians of several rounds in turn; --record writes them into README.md.
"""

import json
import os
import statistics
import sys
import threading
import time

from node import CACHE, CONFIG, DEMO, KUBERNETES, PROVIDER, PUBLIC, Node, remove, wait_until, write
from table import record

PODS, ROUNDS = 50, int(os.environ.get("ROUNDS", "5"))
EMPTY = "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders:\n" \
        "- {name: other, apiVersion: credentialprovider.kubelet.k8s.io/v1, defaultCacheDuration: 1m," \
        ' matchImages: ["other.example.com"]}\n'
WITHOUT = "/etc/kubernetes/without.yaml"
PROVIDED, SECRET, ANONYMOUS = "this provider", "a fixed imagePullSecret", "a public registry"
PODS_PATH = "/api/v1/namespaces/default/pods"
TICKS = os.sysconf("SC_CLK_TCK")


def watch(node, running):
    """Adds when each pod was first seen to run, in seconds of the monotonic clock, in a thread that ends by itself."""
    version = node.api("GET", PODS_PATH)["metadata"]["resourceVersion"]
    stream = node.open(f"{PODS_PATH}?watch=true&resourceVersion={version}", timeout_s=300)

    def read():
        for line in stream:
            pod = json.loads(line)["object"]
            if node.state(pod) == "running":
                running.setdefault(pod["metadata"]["name"], time.monotonic())
            if len(running) == PODS:
                break

    threading.Thread(target=read, daemon=True).start()


def cpu_of_children_s(process):
    """Of the processes that it has started and that have ended: almost only the provider's."""
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / TICKS


def storm(node, number, way):
    """One round; every image is new to the node."""
    remove(CACHE)
    host = PUBLIC if way == ANONYMOUS else DEMO
    names = [f"{way.split()[-1].lower()}-{number}-{pod:02d}" for pod in range(PODS)]
    for name in names:
        node.prepare_image(f"{host}/storm/{name}:v1")
    node.start_kubelet(config=CONFIG if way == PROVIDED else WITHOUT)
    if way == SECRET:
        set_secret(node)
    node.emulator.forget()
    before, created, running = cpu_of_children_s(node.kubelet), {}, {}
    watch(node, running)
    for name in names:
        created[name] = time.monotonic()
        node.pod(name, f"{host}/storm/{name}:v1", secret="fixed" if way == SECRET else None)
    wait_until(lambda: len(running) == PODS, "all pods run", 180)
    runs, total_s = node.runs()
    found = {"storm_s": max(running.values()) - min(created.values()),
             "pod_s": statistics.median(running[name] - created[name] for name in names),
             "runs": runs, "run_s": total_s / runs if runs else 0,
             "cpu_s": cpu_of_children_s(node.kubelet) - before, "calls": len(node.calls())}
    node.remove_pods()
    node.stop_kubelet()
    return found


def set_secret(node):
    """A registry password as somebody would have copied it into the cluster."""
    login = node.run(PROVIDER, "get", "--no-cache", "--output", "docker", DEMO)
    assert login.returncode == 0, login.stderr
    document = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "fixed"},
                "type": "kubernetes.io/dockerconfigjson",
                "stringData": {".dockerconfigjson": login.stdout}}
    node.api("DELETE", "/api/v1/namespaces/default/secrets")
    node.api("POST", "/api/v1/namespaces/default/secrets", document)


def table(ways):
    """The provider's share: how long one of its runs takes, for that is what a pod waits for, of a pod's time; and its
    CPU time of what the machine has during the storm."""
    lines = ["| images by | storm, s | a pod, s | runs | a run, s | of a pod's time | CPU of all runs, s | of all CPU "
             "| calls |", "|---|---|---|---|---|---|---|---|---|"]
    for way, rounds in ways.items():
        storm_s, pod_s, runs, run_s, cpu_s, calls = (statistics.median(found[key] for found in rounds) for key in (
            "storm_s", "pod_s", "runs", "run_s", "cpu_s", "calls"))
        lines.append(f"| {way} | {storm_s:.2f} | {pod_s:.2f} | {runs:.0f} | {run_s:.3f} | {run_s / pod_s:.1%} | "
                     f"{cpu_s:.2f} | {cpu_s / storm_s / os.cpu_count():.1%} | {calls:.0f} |")
    return "\n".join(lines) + "\n"


def main(*arguments):
    ways = {PROVIDED: [], SECRET: [], ANONYMOUS: []}
    with Node() as node:
        write(WITHOUT, EMPTY)
        write("/usr/local/bin/other", "#!/bin/sh\n", 0o755)
        for number in range(ROUNDS):
            order = list(ways)
            for way in order[number % 3:] + order[:number % 3]:
                ways[way].append(storm(node, number, way))
                print(way, {key: round(value, 3) for key, value in ways[way][-1].items()}, flush=True)
    text = (f"{time.strftime('%Y-%m-%d')}, Kubernetes {KUBERNETES}, {os.cpu_count()} cores, {PODS} pods with {PODS} "
            f"images, medians of {ROUNDS} rounds in turn:\n\n{table(ways)}")
    print("\n" + text)
    if "--record" in arguments:
        record("storm", text)


if __name__ == "__main__":
    main(*sys.argv[1:])
