"""Runs `doctor`, and checks what holds for every run: the schema, the text, the exit status, no secret."""

import functools
import json
import os
import re

import jsonschema
from program_run import DEADLINE_S, ROOT, assert_quiet, call

FOLDER = os.path.join(ROOT, "plugin", "doctor")
MARKS = {"ok": "\u2713", "failed": "\u2717", "warning": "!", "skipped": "\u2013"}


@functools.cache
def schema():
    with open(os.path.join(FOLDER, "doctor.schema.json"), encoding="ascii") as file:
        return json.load(file)


class Report:
    """What doctor found."""

    def __init__(self, result):
        self.result = result
        assert_quiet(result.out)
        assert result.err == "", result.err
        document = json.loads(result.out)
        jsonschema.validate(document, schema())
        self.checks = document["checks"]
        self.healthy = document["healthy"]
        assert result.status == (0 if self.healthy else 1)
        assert self.healthy == (not self.of_status("failed"))
        for check in self.checks:
            for text in (check["message"], check.get("advice", "")):
                assert "\n" not in text and not re.search(r"[a-z]\.$", text), check
            if check["status"] in ("failed", "warning"):
                assert check.get("advice"), ("no advice", check)

    def of_status(self, status):
        return [check for check in self.checks if check["status"] == status]

    def of(self, name):
        return [check for check in self.checks if check["id"] == name]

    def the(self, name):
        (check,) = self.of(name)
        return check

    def has(self, name, status, *words):
        """A check that came out so, and has these words in its message or advice."""
        for check in self.of(name):
            text = f"{check['message']}\n{check.get('advice', '')}\n{json.dumps(check.get('policy', ''))}"
            if check["status"] == status and all(word in text for word in words):
                return check
        raise AssertionError((name, status, words, self.checks))


def doctor(*arguments, cloud=None, environment=None, root=None, version="1.34", **keywords):
    """Runs it on a made-up node and in the emulated cloud, if these are given."""
    more = [*(["--host-root", str(root)] if root else []), *(["--kubelet", version] if version else []),
            "--deadline", str(DEADLINE_S)]
    variables = {"HOME": "/nonexistent", **(cloud.environment() if cloud else {}), **(environment or {})}
    return call("doctor", *more, *arguments, environment=variables, **keywords)


def examine(*arguments, **keywords):
    return Report(doctor("--output", "json", *arguments, **keywords))


def assert_text(report, result):
    """The same for people: a heading for each part, a line for each check, its advice and policy beneath, a summary."""
    assert_quiet(result.out)
    assert result.status == report.result.status and result.err == ""
    body, _, summary = result.out.rpartition("\n\n")
    lines = [re.sub(r" \[\d+ ms\]$", "", line) for line in body.split("\n") if line.startswith("  ")]
    expected = []
    for check in report.checks:
        expected.append(f"  {MARKS[check['status']]} {check['message']}")
        expected += [f"    {check['advice']}"] if "advice" in check else []
        expected += ["    Policy: " + json.dumps(check["policy"], separators=(",", ":"))] if "policy" in check else []
    assert lines == expected
    failed = report.of_status("failed")
    if not failed:
        warned = ", but see the lines marked with !" if report.of_status("warning") else ""
        assert summary == f"Healthy{warned}\n"
        return
    is_kubelets = any(check["id"].startswith(("kubelet.", "match.")) for check in failed)
    last = ["Then restart the kubelet"] if is_kubelets else []
    assert summary.rstrip("\n").split("\n") == [f"{len(failed)} step{'' if len(failed) == 1 else 's'} failed:"] + [
        f"  {check['message']}" for check in failed] + last
