"""Flags, standard streams, and a configuration file that cannot be used."""

import os
import shlex
import subprocess

import pytest
from program_run import DEMO, PROGRAM, WRAPPER, assert_failed, request, run


def test_stdin_that_never_ends():
    with subprocess.Popen([PROGRAM, "--deadline", "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env={}) as process:
        assert process.wait(10) == 75
        assert process.stdout.read() == b""
        assert b"timed out waiting for end of input. Close standard input after the request\n" in process.stderr.read()


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_configuration_that_others_can_write(tmp_path, mode):
    path = tmp_path / "config.json"
    path.write_text("{}")
    path.chmod(mode)
    assert_failed(run(request(DEMO), arguments=["--config", str(path)]), 78, "written by others", "chmod")


def test_configuration_that_may_not_be_read(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "config.json").chmod(0)
    prefix = [] if os.geteuid() else ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    result = run(request(DEMO), arguments=["--config", str(tmp_path / "config.json")], prefix=prefix)
    assert_failed(result, 78, "cannot open", "Let the user that runs this program read it")


@pytest.mark.parametrize("make, words", [
    (lambda path: path.mkdir(), "not a regular file"), (os.mkfifo, "not a regular file"),
    (lambda path: path.symlink_to(path), "ymbolic link"), (lambda path: path.write_text("{"), "line 1"),
    (lambda path: path.write_text(" " * (1024 * 1024 + 1)), "more than 1048576 bytes"),
    (lambda path: (path.write_text("{}"), path.chmod(0o620)), "chmod go-w"),
])
def test_configuration_that_cannot_be_read(tmp_path, make, words):
    make(tmp_path / "config.json")
    assert_failed(run(request(DEMO), arguments=["--config", str(tmp_path / "config.json")]), 78, "config.json", words)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&-", "<&- >&- 2>&-"])
def test_closed_standard_streams(cloud, closed):
    command = shlex.join([*WRAPPER, PROGRAM, "get", "--no-cache", "--output", "password", DEMO]) + " " + closed
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, env=cloud.environment(), check=False)
    assert (done.returncode == 0) == (">&-" not in closed.replace("2>&-", "")) and "reg-" not in done.stderr
