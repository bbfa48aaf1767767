"""Runs the cases: each folder beside this file is a run of the program and what it must print. tests/README.md has the
format. With ACR_UPDATE_CASES=1 what the program prints is written into the folders."""

import json
import os
import pathlib
import re
import subprocess

import pytest
from identity_fixtures import CLAIMS, write
from program_run import PROGRAM, WRAPPER, Result, assert_failed

HERE = pathlib.Path(__file__).parent
CASES = sorted(path.name for path in HERE.iterdir() if path.is_dir() and not path.name.startswith("_"))
# What differs between two runs: passwords, request ids, jitter.
VARIES = (r'reg-[0-9a-f]{80}|(?<="cacheDuration":")\w+|(?<="auth":")[\w=/+]+|(?<=RequestId )[0-9A-Z][0-9A-Z-]{7,}'
          r"|(?<= after )\d+(?= ms)")


def part(case, name):
    path = HERE / case / name
    return path.read_text(encoding="utf-8", errors="surrogateescape") if path.exists() else ""


def prepare(cloud, settings):
    """Sets the state of the cloud, and what it does wrong."""
    for name, value in settings.items():
        if name == "faults":
            for fault in value:
                cloud.fault(**fault)
        else:
            assert hasattr(cloud.cloud, name), name
            setattr(cloud.cloud, name, set(value) if isinstance(value, list) else value)


def run(cloud, case, places):
    def fill(text):
        for name, value in places.items():
            text = text.replace("{" + name + "}", value)
        return text

    home = pathlib.Path(places["home"])
    home.mkdir()
    for path in (HERE / case / "home").rglob("*"):
        if path.is_file():
            write(home / path.relative_to(HERE / case / "home"), fill(path.read_text(encoding="utf-8")))
    config = fill(part(case, "config.json")) or '{"cache": {"enabled": false}}'
    variables = dict(line.split("=", 1) for line in fill(part(case, "environment")).splitlines())
    request = fill(part(case, "request.json")).encode(errors="surrogateescape")
    done = subprocess.run([*WRAPPER, PROGRAM, *fill(part(case, "arguments")).splitlines()],
                          input=request, capture_output=True, timeout=120, check=False, env={
                              **cloud.environment(), "HOME": str(home),
                              "ACR_CREDENTIAL_PROVIDER_CONFIG": write(pathlib.Path(places["config"]), config),
                              **variables})
    done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
    return Result(done)


def update(case, name, text, places):
    text = re.sub(VARIES, "{...}", text)
    for place, value in places.items():
        text = text.replace(value, "{" + place + "}")
    path = HERE / case / name
    if text:
        path.write_text(text, encoding="utf-8")
    else:
        path.unlink(missing_ok=True)


def assert_printed(text, expected, places):
    for place, value in places.items():
        expected = expected.replace("{" + place + "}", value)
    pattern = ".+?".join(re.escape(words) for words in expected.split("{...}"))
    assert re.fullmatch(pattern, text), f"printed:\n{text}\nexpected:\n{expected}"


@pytest.mark.parametrize("case", CASES)
def test_case(cloud, tmp_path, case):
    prepare(cloud, json.loads(part(case, "cloud.json") or "{}"))
    places = {"home": str(tmp_path / "home"), "config": str(tmp_path / "config.json"), "metadata": cloud.metadata,
              "api": cloud.api}
    if "{pod-token}" in part(case, "request.json"):
        places["pod-token"] = cloud.cloud.mint(CLAIMS)
    result = run(cloud, case, places)
    if os.environ.get("ACR_UPDATE_CASES"):
        for name, text in (("stdout", result.out), ("stderr", result.err), ("status", f"{result.status}\n")):
            update(case, name, text, places)
    assert result.status == int(part(case, "status")), result.err
    assert_printed(result.out, part(case, "stdout"), places)
    assert_printed(result.err, part(case, "stderr"), places)
    if result.status:
        assert_failed(result, result.status)
        assert cloud.cloud.issued == []
        if not part(case, "cloud.json"):  # nothing but the registry's challenge
            assert {entry["service"] for entry in cloud.log()} <= {"registry", "proxy"}
