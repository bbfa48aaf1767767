"""A run that is killed at each of its system calls, one after the other, leaves only whole records.

The kernel ends it before it does what the call asks for, so that two calls in a row are killed between them.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import records
from provider import DEMO, WRAPPER, Emulator, request, run, skip_where_permitted

# What changes a directory, or stands beside that; names differ between architectures.
CALLS = ("mkdir mkdirat openat close read write writev pwrite64 ftruncate fsync fdatasync fstat newfstatat statx flock"
         " fchmod fchown utimensat link linkat rename renameat renameat2 unlink unlinkat getdents64 exit_group").split()
DAY_S = 24 * 3600


@pytest.fixture
def cloud():
    if WRAPPER:
        pytest.skip("the calls would be those of the wrapper")
    if not shutil.which("strace") or subprocess.run(["strace", "-f", "true"], capture_output=True, check=False).returncode:
        skip_where_permitted("strace is not there, or not allowed to trace")
    with Emulator() as emulator:
        yield emulator


def pull(cloud, directory, prefix=()):
    # Under a tracer the leak checker of a sanitized build cannot work.
    variables = {**cloud.environment(), "ASAN_OPTIONS": "detect_leaks=0"}
    return run(request(DEMO + "/a"), variables, ["--cache-dir", str(directory), "--log-level", "warning", "--deadline", "60"],
               with_cache=True, prefix=prefix)


def strace(*arguments):
    return ["strace", "-f", "-qq", *arguments]


def calls_from_the_cache_on(cloud, directory, log):
    """[(name, which of its calls)] of one whole run, from the first that names the directory on."""
    assert pull(cloud, directory, strace("-o", str(log), "-e", "trace=" + ",".join("?" + name for name in CALLS))).auth
    lines = re.findall(r"^(\d+)\s+(\w+)\((.*)", log.read_text(), re.MULTILINE)
    count, found = Counter(), []
    for process, name, rest in lines:
        if process != lines[0][0]:
            continue  # a thread: calls are counted for each
        count[name] += 1
        if found or str(directory) in rest:
            found.append((name, count[name]))
    return found


def records_of_another_boot(cloud, directory):
    """Records of every kind, none of which is of use, beside what earlier runs have left: all is written anew."""
    assert pull(cloud, directory).auth
    for kind in records.KINDS:
        assert records.of_kind(directory, kind), kind
        records.rewrite(directory, lambda record: record.update(bootId="another"), kind)
    for name in ("new-0123456789abcdef", "lock-" + "0" * 64):
        (directory / name).write_text("")
        (directory / name).chmod(0o600)
        os.utime(directory / name, (time.time() - 2 * DAY_S,) * 2)


@pytest.mark.parametrize("prepare", [lambda *_: None, records_of_another_boot], ids=["no-records", "old-records"])
def test_kill_at_each_system_call(cloud, tmp_path, prepare):
    template = tmp_path / "template"
    prepare(cloud, template)

    def start_from_template(directory):
        shutil.rmtree(directory, ignore_errors=True)
        if template.exists():
            shutil.copytree(template, directory)

    def kill_at(name, nth):
        """Whether the run was killed there; what it leaves must be whole and in nobody's way."""
        directory = tmp_path / f"{name}-{nth}"
        start_from_template(directory)
        result = pull(cloud, directory, strace("-o", "/dev/null", "-e", "trace=" + name,
                                               "-e", f"inject={name}:signal=SIGKILL:when={nth}"))
        assert result.status in (0, -signal.SIGKILL), (name, nth, result.err)
        records.read_whole(directory)
        after = pull(cloud, directory)
        (login,) = after.auth.values()
        assert login["password"] in cloud.cloud.issued and after.err == "", (name, nth, after.err)
        assert ("token", "cr_temp_user", login["password"]) in records.read_whole(directory)
        if result.status == 0:
            assert json.loads(result.out)["auth"]
        shutil.rmtree(directory)
        return result.status != 0

    start_from_template(tmp_path / "traced")
    calls = calls_from_the_cache_on(cloud, tmp_path / "traced", tmp_path / "strace.log")
    names = {name for name, _ in calls}
    assert names & {"rename", "renameat", "renameat2"} and {"flock", "write", "openat"} <= names
    with ThreadPoolExecutor(2) as pool:
        killed = sum(pool.map(lambda call: kill_at(*call), calls))
    print(f"{killed} of {len(calls)} calls: {Counter(name for name, _ in calls)}")
    # How often a socket is read is up to the network.
    assert killed >= len(calls) * 9 // 10
