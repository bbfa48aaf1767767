"""What strangers meet first: forms, hooks, editors' settings, the licence of each file."""

import configparser
import glob
import os
import re
import subprocess
import sys

import pytest
import yaml
from program_run import ROOT, skip_where_permitted

FORMS = ".github/ISSUE_TEMPLATE/"
TOOLS = "reuse==6.2.0", "check-jsonschema==0.39.0", "pre-commit==4.7.0"


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


@pytest.mark.parametrize("name", ["bug.yml", "feature.yml"])
def test_form(name):
    form = yaml.safe_load(read(FORMS, name))
    assert {"name", "description", "body"} <= form.keys()
    fields = [part for part in form["body"] if part["type"] != "markdown"]
    assert all(field["attributes"]["label"] for field in fields)
    assert len({field["id"] for field in fields}) == len(fields) > 0


def test_bugs_come_with_a_diagnosis():
    doctor, = [field for field in yaml.safe_load(read(FORMS, "bug.yml"))["body"] if field.get("id") == "doctor"]
    assert "doctor --output json" in doctor["attributes"]["description"] and doctor["validations"] == {"required": True}


def test_hooks_are_local_and_their_tools_are_installed():
    repository, = yaml.safe_load(read(".pre-commit-config.yaml"))["repos"]
    assert repository["repo"] == "local"
    for hook in repository["hooks"]:
        assert hook["language"] == "system"
        assert re.search(rf"[ \"]{hook['entry'].split()[0]}[ \"\\]", read("tests", "setup.sh"))


def test_editors_know_the_length_of_lines():
    editor = configparser.ConfigParser()
    editor.read_string("[top]\n" + read(".editorconfig"))
    assert editor["*"]["max_line_length"] == re.search(r"max-line-length = (\d+)", read(".flake8"))[1]
    assert editor["*.{c,h}"]["max_line_length"] == re.search(r"ColumnLimit: (\d+)", read(".clang-format"))[1]


def test_files_of_the_threat_model_are_there():
    named = re.findall(r"`((?:test|fuzz)_\w+\.(?:py|c))`", read(".github", "SECURITY.md"))
    assert len(named) > 10
    for name in named:
        assert glob.glob(os.path.join(ROOT, "tests", "*", name)), name


@pytest.fixture(scope="module")
def tools(tmp_path_factory):
    """The folder of executables of a virtual environment."""
    folder = tmp_path_factory.mktemp("tools")
    for command in ([sys.executable, "-m", "venv", folder], [folder / "bin" / "pip", "install", "--quiet", *TOOLS]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            skip_where_permitted("the tools could not be installed: " + done.stdout + done.stderr)
    return folder / "bin"


@pytest.mark.slow
@pytest.mark.parametrize("command", [
    ["reuse", "lint", "--lines"],
    ["pre-commit", "validate-config"],
    ["check-jsonschema", "--builtin-schema", "vendor.github-issue-forms", FORMS + "bug.yml", FORMS + "feature.yml"],
    ["check-jsonschema", "--builtin-schema", "vendor.github-issue-config", FORMS + "config.yml"],
], ids=" ".join)
def test_by_the_tools_of_others(tools, command):
    done = subprocess.run([tools / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
