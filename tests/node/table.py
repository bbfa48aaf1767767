"""Prints the scenarios by version of Kubernetes, as the last runs left them; --record writes it into the README."""

import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "..", ".."))
PAGE = os.path.join(HERE, "README.md")
END = "<!-- end -->\n"
WORDS = {"passed": "✓", "failed": "failed", "skipped": "skipped"}


def table(runs):
    """A row for each scenario, which may have several cases; the worst counts."""
    rows = {}
    for column, run in enumerate(runs):
        for outcome in run["outcomes"]:
            row = rows.setdefault(outcome["scenario"], [set() for _ in runs])
            row[column].add(outcome["outcome"])
    heads = [f"{run['kubernetes']} ({run['date']})" for run in runs]
    lines = ["| scenario | " + " | ".join(heads) + " |", "|---|" + "---|" * len(runs)]
    for scenario, columns in rows.items():
        worst = [next((WORDS[word] for word in ("failed", "skipped", "passed") if word in found), "not run")
                 for found in columns]
        lines.append(f"| {scenario} | " + " | ".join(worst) + " |")
    return "\n".join(lines) + "\n"


def record(command, text, page=PAGE):
    """Between the comments of a page that name the command."""
    begin = f"<!-- begin: {command} -->\n"
    with open(page, encoding="utf-8") as file:
        before, found, rest = file.read().partition(begin)
    assert found, (page, begin)
    with open(page, "w", encoding="utf-8") as file:
        file.write(before + begin + text + END + rest.partition(END)[2])


def main(*arguments):
    runs = []
    for version in arguments:
        if not version.startswith("--"):
            with open(os.path.join(ROOT, "build", "node", f"scenarios-{version}.json"), encoding="utf-8") as file:
                runs.append(json.load(file))
    text = table(runs)
    print(text)
    if "--record" in arguments:
        record("run.sh --record", text)


if __name__ == "__main__":
    main(*sys.argv[1:])
