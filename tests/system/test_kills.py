"""A run that is killed at each of its system calls, one after the other, leaves only whole records.

The kernel ends it before it does what the call asks for, so that two calls in a row are killed between them.
"""

import json
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import cache_records as records
import pytest
from emulated_node import IMAGE
from program_run import DEMO, WRAPPER, Emulator, request, run, skip_where_permitted

# What changes a directory, or stands beside that; names differ between architectures.
CALLS = ("mkdir mkdirat openat close read write writev pwrite64 ftruncate fsync fdatasync fstat newfstatat statx flock"
         " fchmod fchown utimensat link linkat rename renameat renameat2 unlink unlinkat getdents64 exit_group").split()
DAY_S = 24 * 3600


@pytest.fixture
def cloud():
    if WRAPPER:
        pytest.skip("the calls would be those of the wrapper")
    if not shutil.which("strace") or subprocess.run(["strace", "-f", "true"], capture_output=True,
                                                    check=False).returncode:
        skip_where_permitted("strace is not there, or not allowed to trace")
    with Emulator() as emulator:
        yield emulator


def pull(cloud, directory, prefix=()):
    # Under a tracer the leak checker of a sanitized build cannot work.
    variables = {**cloud.environment(), "ASAN_OPTIONS": "detect_leaks=0"}
    return run(request(DEMO + "/a"), variables,
               ["--cache-dir", str(directory), "--log-level", "warning", "--deadline", "60"],
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
    for name in ("new-" + "0" * 64, "lock-" + "0" * 64):
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


def test_kills_at_random_moments_leave_only_whole_records(node):
    """Of a run, or of the end of one, while others go on; the seed is fixed, what the scheduler does is not."""
    wanted, few = (1000, 24) if not WRAPPER else (20, 6)
    chosen = random.Random(7)
    images = (IMAGE, "my-registry-registry.cn-hangzhou.cr.aliyuncs.com/a", "registry.cn-hangzhou.aliyuncs.com/a")
    issued = node.cloud.cloud.issued
    seen = set()  # passwords that a record or an answer had

    def inspect():
        for kind, _, second in records.read_whole(node.directory):
            if kind == "token":
                assert second in issued
                seen.add(second)

    def run_for(limit_s, image, forgotten, since_issue):
        """Forgets records of these kinds, so that there is something to write; (killed?, how long it took).

        The time may be taken from when the API has issued a token, to whomever: what follows is short.
        """
        inspect()
        for path in records.of_kind(node.directory, *forgotten):
            path.unlink(missing_ok=True)
        before, process = len(issued), node.start(deadline_s=120, image=image)
        started = time.monotonic()
        while since_issue and len(issued) == before and process.poll() is None:
            time.sleep(0.0005)
            started = time.monotonic()
        try:
            out, err = process.communicate(timeout=limit_s)
            assert process.returncode == 0, err
            seen.update(login["password"] for login in json.loads(out)["auth"].values())
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        took_s = time.monotonic() - started
        inspect()
        return process.returncode == -signal.SIGKILL, took_s

    with ThreadPoolExecutor(6) as pool:
        def lengths(since_issue):
            runs = [pool.submit(run_for, None, images[i % 3], records.KINDS, since_issue) for i in range(few)]
            return statistics.median(run.result()[1] for run in runs)

        longest_s = {since_issue: lengths(since_issue) for since_issue in (False, True)}
        killed = started = 0
        while killed < wanted:
            assert started < 20 * wanted, "runs end before they can be killed"
            runs = []
            for _ in range(few):
                since_issue = chosen.random() < 0.5
                forgotten = chosen.choice([(), ("token",), ("token",), records.KINDS])
                limit_s = longest_s[since_issue] * chosen.random() ** (3 if since_issue else 1)
                runs.append(pool.submit(run_for, limit_s, chosen.choice(images), forgotten, since_issue))
            killed += sum(run.result()[0] for run in runs)
            started += len(runs)
    lost = set(issued) - seen
    print(f"{killed} of {started} runs killed, {len(lost)} of {len(issued)} between call and record; {longest_s}")
    assert len(lost) >= wanted // 40
    assert node.password() in issued
