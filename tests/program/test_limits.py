"""A limit of the size of files (RLIMIT_FSIZE), which by default ends a process by a signal."""

import re
import shlex
import shutil
import subprocess

import pytest
from emulated_node import IMAGE
from identity_fixtures import cli, write
from program_run import DEMO, PROGRAM, WRAPPER, Result, assert_failed, skip_where_permitted

pytestmark = pytest.mark.skipif(bool(WRAPPER), reason="the wrapper would write files, too")


@pytest.fixture
def no_files():
    """What keeps a run from writing any file; pipes are not limited."""
    if not shutil.which("prlimit"):
        skip_where_permitted("prlimit is not there")
    return ["prlimit", "--fsize=0"]


def test_token_that_cannot_be_cached_is_served(node, no_files):
    result = node.pull(prefix=no_files, arguments=["--log-level", "warning"])
    assert result.auth[DEMO]["password"] == node.cloud.cloud.issued[-1]
    assert "File too large" in result.err and node.files() == []


def test_answer_that_does_not_fit_is_an_error(cloud, tmp_path, no_files):
    with open(tmp_path / "answer", "w", encoding="ascii") as file:
        done = subprocess.run([*no_files, PROGRAM, "get", "--no-cache", IMAGE], stdout=file, stderr=subprocess.PIPE,
                              text=True,
                              check=False, env=cloud.environment())
    done.stdout = (tmp_path / "answer").read_text()
    assert_failed(Result(done), 74, "cannot write standard output: File too large")


def test_commands_are_started_with_the_usual_signals(cloud, node, tmp_path):
    """A command of the user's may count on being ended."""
    issued = cloud.cloud.issue_credentials(role="external")
    document = write(tmp_path / "document.json", {
        "mode": "StsToken", "access_key_id": issued["AccessKeyId"], "access_key_secret": issued["AccessKeySecret"],
        "sts_token": issued["SecurityToken"]})
    command = f"cp /proc/self/status {tmp_path}/status && cat {document}"
    cli(tmp_path, {"mode": "External", "process_command": "sh -c " + shlex.quote(command)})
    assert node.pull(more={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}).auth
    assert re.search(r"^SigIgn:\s*0*$", (tmp_path / "status").read_text(), re.MULTILINE)
