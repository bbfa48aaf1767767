"""The node, which is brought up once; each scenario starts from what an installation leaves, but for images."""

import copy
import json
import os
import shutil
import time

import pytest
from node import BUILT, CACHE, CONFIG, KUBERNETES, OWN_CONFIG, Node, remove

# These tests are run by run.sh alone.
collect_ignore_glob = [] if BUILT else ["test_*.py"]
CHANGED = "permissions", "role", "roles", "token_life_s", "pull_repositories", "instances", "clock_offset_s"
outcomes = []


@pytest.fixture(scope="session")
def machine():
    with Node() as node:
        node.defaults = {name: copy.deepcopy(getattr(node.cloud, name)) for name in CHANGED}
        yield node


@pytest.fixture
def node(machine):
    try:
        yield machine
        # What is logged must be fit for anybody's eyes, whatever happened.
        machine.assert_quiet(machine.kubelet_log())
    finally:
        clean(machine)


def clean(node):
    node.remove_pods()
    node.stop_kubelet()
    node.remove_accounts()
    node.kubectl("delete", "--ignore-not-found", "-f", "deploy/token-audience.yaml")
    node.emulator.heal()
    for name, value in node.defaults.items():
        setattr(node.cloud, name, copy.deepcopy(value))
    node.point()
    for path in (CACHE, os.path.dirname(OWN_CONFIG), "/etc/kubernetes/credential-providers.d",
                 "/etc/kubernetes/manifests", "/usr/local/bin/other-credential-provider", "/run/other-was-run",
                 "/root/.docker"):
        remove(path)
    shutil.copy(os.path.join(node.folder, "installed.yaml"), CONFIG)
    node.forget_calls()
    node.forget_kubelet_log()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    if report.when == "call" or report.outcome != "passed":
        scenario = item.function.__doc__.partition("\n")[0].rstrip(".")
        outcomes.append({"scenario": scenario, "outcome": report.outcome})


def pytest_sessionfinish():
    if BUILT:
        with open(os.path.join(BUILT, f"scenarios-{KUBERNETES}.json"), "w", encoding="utf-8") as file:
            json.dump({"kubernetes": KUBERNETES, "date": time.strftime("%Y-%m-%d"), "outcomes": outcomes}, file)
