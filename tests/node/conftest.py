"""The node, which is brought up once; each scenario starts from the state that an installation leaves."""

import copy
import json
import os
import shutil
import time

import pytest
from node import BUILT, CACHE, CONFIG, KUBERNETES, OWN_CONFIG, Node

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
    yield machine
    # What is logged must be fit for anybody's eyes, whatever happened.
    machine.assert_quiet(machine.kubelet_log())
    machine.remove_pods()
    machine.stop_kubelet()
    machine.kubectl("delete", "--ignore-not-found", "-f", "deploy/token-audience.yaml")
    machine.emulator.heal()
    for name, value in machine.defaults.items():
        setattr(machine.cloud, name, copy.deepcopy(value))
    machine.point()
    shutil.rmtree(CACHE, ignore_errors=True)
    shutil.rmtree(os.path.dirname(OWN_CONFIG), ignore_errors=True)
    shutil.copy(os.path.join(machine.folder, "installed.yaml"), CONFIG)
    machine.forget_calls()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    if report.when == "call" or report.outcome != "passed":
        outcomes.append({"scenario": item.function.__doc__.partition("\n")[0].rstrip("."), "case": item.name,
                         "outcome": report.outcome, "why": str(report.longrepr[2]) if report.skipped else ""})


def pytest_sessionfinish(session):
    with open(os.path.join(BUILT, f"scenarios-{KUBERNETES}.json"), "w", encoding="utf-8") as file:
        json.dump({"kubernetes": KUBERNETES, "date": time.strftime("%Y-%m-%d"), "outcomes": outcomes}, file, indent=1)
