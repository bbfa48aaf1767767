"""Prints the scenarios by version of Kubernetes, as the last runs left them. --record writes them into README.md, and
what they and the tests by the kubelet's own code come to into the README of the project."""

import json
import os
import re
import sys
import time
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "..", ".."))
BUILT = os.path.join(ROOT, "build", "node")
PAGE = os.path.join(HERE, "README.md")
END = "<!-- end -->\n"
WORDS = {"failed": "failed", "skipped": "skipped", "passed": "✓"}  # of several cases the worst counts


def worst(outcomes):
    return next((word for outcome, word in WORDS.items() if outcome in outcomes), "")


def rows(runs):
    """The worst outcome of each scenario, for each run."""
    found = {}
    for column, run in enumerate(runs):
        for outcome in run["outcomes"]:
            found.setdefault(outcome["scenario"], [set() for _ in runs])[column].add(outcome["outcome"])
    return {scenario: [worst(columns) for columns in row] for scenario, row in found.items()}


def of_scenarios(runs):
    lines = ["| scenario | " + " | ".join(f"{run['kubernetes']} ({run['date']})" for run in runs) + " |",
             "|---|" + "---|" * len(runs)]
    return "\n".join(lines + [f"| {name} | {' | '.join(row)} |" for name, row in rows(runs).items()]) + "\n"


def patch_version(version):
    """Of the module whose code the tests run."""
    for folder in "program/kubelet", "node/kubernetes":
        for name in f"go-{version}.mod", "go.mod":
            path = os.path.join(ROOT, "tests", folder, name)
            if os.path.exists(path):
                with open(path, encoding="ascii") as file:
                    found = re.search(rf"k8s\.io/kubernetes v({re.escape(version)}\.\d+)", file.read())
                if found:
                    return found[1]
    raise AssertionError(version)


def of_versions(runs, results):
    """`results` is pytest's report on the tests by the kubelet's own code, whose names have the version."""
    package = {}
    for case in xml.etree.ElementTree.parse(results).iter("testcase"):
        outcome = "failed" if case.find("failure") is not None or case.find("error") is not None else \
            "skipped" if case.find("skipped") is not None else "passed"
        for version in re.findall(r"\b1\.\d\d\b", case.get("name")):
            package.setdefault(version, set()).add(outcome)
    nodes = {run["kubernetes"]: worst({outcome["outcome"] for outcome in run["outcomes"]}) for run in runs}
    versions = sorted(package)
    count = max(len(rows([run])) for run in runs)
    return "".join(line + "\n" for line in (
        f"| {time.strftime('%Y-%m-%d')}: Kubernetes | " + " | ".join(map(patch_version, versions)) + " |",
        "|---|" + "---|" * len(versions),
        "| the kubelet's own code runs it | " + " | ".join(worst(package[v]) for v in versions) + " |",
        f"| [a real node](tests/node), {count} scenarios | " + " | ".join(nodes.get(v, "") for v in versions) + " |"))


def record(name, text, page=PAGE):
    """Between the comments of a page that have this name."""
    begin = f"<!-- begin: {name} -->\n"
    with open(page, encoding="utf-8") as file:
        before, begins, rest = file.read().partition(begin)
    _, ends, after = rest.partition(END)
    assert begins and ends, (page, begin)
    with open(page, "w", encoding="utf-8") as file:
        file.write(before + begin + text + END + after)


def main(*arguments):
    runs = []
    for version in arguments:
        if not version.startswith("--"):
            with open(os.path.join(BUILT, f"scenarios-{version}.json"), encoding="utf-8") as file:
                runs.append(json.load(file))
    print(of_scenarios(runs))
    if "--record" in arguments:
        record("scenarios", of_scenarios(runs))
        record("tests/node/run.sh", of_versions(runs, os.path.join(BUILT, "kubelets.xml")),
               os.path.join(ROOT, "README.md"))


if __name__ == "__main__":
    main(*sys.argv[1:])
