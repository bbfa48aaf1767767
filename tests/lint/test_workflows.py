"""The workflows of GitHub: what they may do, which actions they use, and their scripts."""

import glob
import os
import re
import shutil
import subprocess

import pytest
import yaml
from program_run import ROOT, skip_where_permitted

WORKFLOWS = {}
for path in glob.glob(os.path.join(ROOT, ".github", "workflows", "*.yml")):
    with open(path, encoding="utf-8") as file:
        WORKFLOWS[os.path.basename(path)] = yaml.safe_load(file)
JOBS = [(name, job) for name, workflow in WORKFLOWS.items() for job in workflow["jobs"].values()]
STEPS = [step for _, job in JOBS for step in job["steps"]]
every = pytest.mark.parametrize("name", WORKFLOWS)


def test_what_starts_them():
    """YAML 1.1 reads `on` as true."""
    assert {name: set(workflow[True]) for name, workflow in WORKFLOWS.items()} == {
        "ci.yml": {"push", "pull_request"}, "nightly.yml": {"schedule", "workflow_dispatch"}, "release.yml": {"push"}}
    assert WORKFLOWS["release.yml"][True]["push"] == {"tags": ["v*"]}


@every
def test_rights_are_few(name):
    """Only the job that publishes may write, and it runs nothing of the repository."""
    assert WORKFLOWS[name]["permissions"] == {"contents": "read"}
    for job in WORKFLOWS[name]["jobs"].values():
        if job.get("permissions"):
            assert job["permissions"] == {"contents": "write", "id-token": "write", "attestations": "write"}
            assert not any(step.get("uses", "").startswith("actions/checkout") for step in job["steps"])
        assert job["timeout-minutes"]


def test_actions_are_github_s_own_and_pinned():
    used = {step["uses"] for step in STEPS if "uses" in step}
    assert used and all(re.fullmatch(r"actions/[a-z-]+@v\d+", action) for action in used)


def test_scripts():
    """GitHub replaces an expression in a script before a shell reads it, so that there must be none."""
    if not shutil.which("shellcheck"):
        skip_where_permitted("shellcheck is not there")
    scripts = [step["run"] for step in STEPS if "run" in step]
    assert len(scripts) > 5
    for script in scripts:
        assert "${{" not in script
        done = subprocess.run(["shellcheck", "--shell=bash", "-"], input=script, capture_output=True, text=True,
                              check=False)
        assert done.returncode == 0, done.stdout
        for path in re.findall(r"(?:ba)?sh ([\w./-]+)", script):
            assert os.path.exists(os.path.join(ROOT, path)), path


def test_release_is_of_the_main_branch(tmp_path):
    """The clone has all branches, as that of the workflow."""
    steps = WORKFLOWS["release.yml"]["jobs"]["build"]["steps"]
    checkout, = (step for step in steps if step.get("uses", "").startswith("actions/checkout"))
    assert checkout["with"]["fetch-depth"] == 0
    check, = (step["run"] for step in steps if "merge-base" in step.get("run", ""))
    assert next(step for step in steps if "merge-base" in str(step) or "secrets." in str(step)).get("run") == check
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]

    def git(*arguments):
        return subprocess.run(["git", *identity, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True,
                              env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)}).stdout.strip()

    def commit(name):
        git("commit", "--quiet", "--allow-empty", "--message", name)
        return git("rev-parse", "HEAD")

    def status(commit_id):
        return subprocess.run(["bash", "-c", check], cwd=tmp_path / "clone", check=False, env={
            "PATH": os.environ["PATH"], "HOME": str(tmp_path), "GITHUB_SHA": commit_id}).returncode

    git("init", "--quiet", "--initial-branch=main")
    on_main = commit("released")
    git("checkout", "--quiet", "-b", "other")
    off_main = commit("not merged")
    git("checkout", "--quiet", "main")
    head = commit("later")
    git("clone", "--quiet", ".", "clone")
    assert [status(commit_id) for commit_id in (on_main, head, off_main)] == [0, 0, 1]


def test_only_what_was_signed_is_published(tmp_path):
    """Jobs between may replace what is handed on, but not what the first job says of it."""
    jobs = WORKFLOWS["release.yml"]["jobs"]
    assert jobs["publish"]["needs"] == ["build", "node"] and set(jobs["build"]["outputs"]) == {"sums"}
    make, = (step["run"] for step in jobs["build"]["steps"] if step.get("id") == "sums")
    check, = (step["run"] for step in jobs["publish"]["steps"] if "SUMS" in step.get("env", {}))
    folder = tmp_path / "release"
    folder.mkdir()

    def run(script, **environment):
        return subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, capture_output=True, check=False, env={
            "PATH": os.environ["PATH"], "GITHUB_OUTPUT": str(tmp_path / "output"), **environment}).returncode

    def write(content):
        (folder / "file").write_text(content)
        sums = subprocess.run(["sha256sum", "file"], cwd=folder, capture_output=True, text=True, check=True).stdout
        (folder / "SHA256SUMS").write_text(sums)

    write("signed")
    assert run(make) == 0
    sums = (tmp_path / "output").read_text().removeprefix("sums=").rstrip("\n")
    assert run(check, SUMS=sums) == 0
    write("replaced, with its checksum")
    assert run(check, SUMS=sums) != 0
