"""What the system is told of a run, and what ends one that the system blocks."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

import pytest
from identity_fixtures import write
from program_run import (DEMO, PROGRAM, WATCHDOG, WRAPPER, Result, assert_failed, call, request, run,
                         skip_where_permitted, wait_until)

pytestmark = pytest.mark.skipif(bool(WRAPPER), reason="the system would see the wrapper")

NOBODY = 65534
# By how the program is called: its name, its arguments, and what it reads.
CALLS = {
    "kubelet": ("aliyun-acr-credential-provider", [], request(DEMO + "/a")),
    "get": ("aliyun-acr-credential-provider", ["get", "--output", "password", DEMO], ""),
    "helper": ("docker-credential-aliyun-acr", ["get"], DEMO),
}


# -- secrets in memory -----------------------------------------------------------------------------------------


def as_nobody():
    """Another user than root, whose other processes are then as near as can be."""
    if os.geteuid() != 0:
        return []
    if not shutil.which("setpriv"):
        skip_where_permitted("setpriv is not there")
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


def can_read(path):
    """A process of the same user asks."""
    return subprocess.run([*as_nobody(), "head", "-c", "1", path], capture_output=True, check=False).returncode == 0


@pytest.fixture
def under_way():
    """Runs that wait for their request; the file must be where other users may read it."""
    started = []
    with tempfile.TemporaryDirectory(prefix="acr-program-") as directory:
        os.chmod(directory, 0o755)

        def start_by(name):
            arguments = ["get"] if name.startswith("docker") else []
            process = subprocess.Popen([*as_nobody(), shutil.copy(PROGRAM, os.path.join(directory, name)), *arguments],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                       env={"MARK": "x"})
            started.append(process)
            status = pathlib.Path(f"/proc/{process.pid}/status")
            wait_until(lambda: re.search(r"SigCgt:.*[2367abef]...$", status.read_text(),
                                         re.MULTILINE))  # SIGALRM is caught
            return process
        yield start_by
        for process in started:
            process.kill()
            process.communicate()


@pytest.mark.parametrize("name", ["aliyun-acr-credential-provider", "docker-credential-aliyun-acr"])
def test_no_other_process_of_the_user_reads_the_memory(under_way, name):
    process = under_way(name)
    assert not any(can_read(f"/proc/{process.pid}/{file}") for file in ("environ", "maps", "auxv"))
    with subprocess.Popen([*as_nobody(), "sleep", "60"], env={"MARK": "x"}) as control:  # of which they may be read
        wait_until(lambda: pathlib.Path(f"/proc/{control.pid}/comm").read_text() == "sleep\n")
        assert can_read(f"/proc/{control.pid}/environ") and can_read(f"/proc/{control.pid}/maps")
        control.kill()


def test_no_core_is_dumped(under_way):
    limits = pathlib.Path(f"/proc/{under_way('aliyun-acr-credential-provider').pid}/limits").read_text()
    assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE)


# -- a set-user-id file ------------------------------------------------------------------------------------------


def test_callers_proxy_and_certificates_do_not_count_where_the_file_is_set_user_id(cloud):
    """Whoever calls it could otherwise lead it to a service of his own."""
    if os.geteuid() != 0:
        skip_where_permitted("only root can give a file away")
    config = {"cache": {"enabled": False}, "endpoints": {"metadata": cloud.metadata},
              "registries": [{"match": [DEMO], "instanceId": "cri-demo567890abcdef", "apiEndpoint": cloud.api}]}
    environment = {name: value for name, value in cloud.environment().items() if name != "NO_PROXY"}
    assert "HTTPS_PROXY" in environment and "SSL_CERT_FILE" in environment
    with tempfile.TemporaryDirectory(prefix="acr-program-") as directory:
        os.chmod(directory, 0o755)
        path = write(pathlib.Path(directory, "config.json"), config)
        os.chmod(path, 0o644)
        program = shutil.copy(PROGRAM, directory)
        assert call("--config", path, program=program, stdin=request(DEMO + "/a"), environment=environment).auth
        assert cloud.log("proxy")
        os.chown(program, NOBODY, NOBODY)
        os.chmod(program, 0o4755)
        seen = len(cloud.log("proxy"))
        result = call("--config", path, program=program, stdin=request(DEMO + "/a"), environment=environment)
    assert_failed(result, 69, "127.0.0.1", "TLS certificate not accepted")
    assert len(cloud.log("proxy")) == seen


# -- calls of the system that block ----------------------------------------------------------------------------


def full_pipe():
    """(read end, write end) of a pipe whose writers wait for a reader that never comes."""
    ends = os.pipe()
    os.set_blocking(ends[1], False)
    try:
        while True:
            os.write(ends[1], b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(ends[1], True)
    return ends


def warm(cloud, tmp_path):
    """A configuration whose cache has the token, so that an answer comes long before a short deadline."""
    config = {"cache": {"directory": str(tmp_path / "cache")}}
    run(request(DEMO + "/a"), cloud.environment(), config=config, tmp_path=tmp_path, with_cache=True).answer
    return config


def start(cloud, tmp_path, how, prefix=(), config=None, **streams):
    """A run with a deadline of one second."""
    name, arguments, stdin = CALLS[how]
    link = tmp_path / "bin" / name
    link.parent.mkdir()
    link.symlink_to(PROGRAM)
    path = write(tmp_path / "config.json", {"cache": {"enabled": False}, "deadlineSeconds": 1, **(config or {})})
    process = subprocess.Popen([*prefix, link, *arguments], text=True, env={
        **cloud.environment(), "ACR_CREDENTIAL_PROVIDER_CONFIG": path, "ASAN_OPTIONS": "detect_leaks=0"}, **{
        "stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams})
    process.stdin.write(stdin)
    process.stdin.close()
    process.stdin = None
    return process


def result_of(process):
    """Killed should it not end by itself; a deadline of one second leaves it ample time."""
    try:
        out, err = process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
    return Result(subprocess.CompletedProcess((), process.returncode, out or "", err or ""))


@pytest.mark.parametrize("masked", [set(), {signal.SIGALRM}])
@pytest.mark.parametrize("how", CALLS)
def test_run_that_cannot_write_its_answer_ends_at_the_deadline(cloud, tmp_path, how, masked):
    """Whoever starts it may hold signals back."""
    config = warm(cloud, tmp_path)
    read_end, write_end = full_pipe()
    signal.pthread_sigmask(signal.SIG_BLOCK, masked)
    try:
        process = start(cloud, tmp_path, how, config=config, stdout=write_end)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, masked)
    result = result_of(process)
    os.close(write_end)
    with open(read_end, encoding="ascii") as pipe:
        assert set(pipe.read()) == {"x"}
    assert_failed(result, 75, WATCHDOG, "file systems")


@pytest.mark.parametrize("how, config, stream, status", [
    ("kubelet", {"log": {"level": "debug"}}, "stderr", 75), ("kubelet", {"identity": {"source": "env"}}, "stderr", 78),
    ("helper", {"log": {"level": "debug"}}, "stderr", 75), ("helper", {"identity": {"source": "env"}}, "stdout", 1),
])
def test_run_that_cannot_even_complain_ends(cloud, tmp_path, how, config, stream, status):
    read_end, write_end = full_pipe()
    result = result_of(start(cloud, tmp_path, how, config=config, **{stream: write_end}))
    assert (result.status, result.out, result.err) == (status, "", "")
    os.close(read_end)
    os.close(write_end)


def blocked(call, path):
    """What lets the system block a call, about that file alone, for long after the deadline."""
    if not shutil.which("strace") or os.geteuid() != 0:  # of a run that is not dumpable, nobody else sees a path
        skip_where_permitted("there is no strace, or no root to run it")
    return ["strace", "-f", "-qq", "-o", "/dev/null", "-P", str(path), "-e", f"trace={call}",
            "-e", f"inject={call}:delay_exit=3000000"]


def test_run_whose_file_system_blocks_ends_in_time(cloud, tmp_path):
    cache = tmp_path / "cache"
    result = result_of(start(cloud, tmp_path, "kubelet", blocked("mkdir", cache), {"cache": {"directory": str(cache)}}))
    assert_failed(result, 75, WATCHDOG, "file systems")
    assert cloud.log() == []


def test_reader_that_is_gone_is_told_as_such(cloud, tmp_path):
    """A signal would end the run without a word."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    process = start(cloud, tmp_path, "kubelet", stdout=write_end, config={"deadlineSeconds": 40})
    os.close(write_end)
    assert_failed(result_of(process), 74, "cannot write", "standard input and output")


@pytest.mark.skipif(bool(WRAPPER), reason="the signal would reach the wrapper")
def test_watchdog_ends_a_run_that_the_system_blocks():
    """The alarm comes half a second after the deadline; here it comes at once."""
    process = subprocess.Popen([PROGRAM, "--no-cache"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE,
                               env={}, text=True)
    status = pathlib.Path(f"/proc/{process.pid}/status")
    wait_until(lambda: re.search(r"SigCgt:.*[2367abef]...$", status.read_text(), re.MULTILINE))  # SIGALRM is caught
    process.send_signal(signal.SIGALRM)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (75, "") and "deadline" in err


@pytest.mark.skipif(bool(WRAPPER), reason="the delay would be the wrapper's")
def test_error_that_comes_late_stays_the_only_one():
    """Its write returns after the deadline: the watchdog has nothing to add."""
    if not shutil.which("strace"):
        skip_where_permitted("strace is not there")
    done = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=write", "-e",
                           "inject=write:delay_exit=2500000",
                           PROGRAM, "--no-cache", "--deadline", "1"], input=request("nginx"), capture_output=True,
                          text=True,
                          env={"ASAN_OPTIONS": "detect_leaks=0"}, check=False)
    assert done.returncode == 78 and done.stderr.count("\n") == 1 and "not an ACR host" in done.stderr
