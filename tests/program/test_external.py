"""External profiles: a command that prints credentials, run without a shell, in bounded time and memory."""

import os
import re
import shlex
import shutil
import signal
import subprocess

import pytest
from identity_fixtures import KEY, SECRET, cli, print_json, write
from program_run import DEADLINE_S, DEMO, PROGRAM, SHORT_S, WRAPPER, assert_failed, caller, is_gone, pull, wait_until


def external(cloud, tmp_path, command, **keywords):
    cli(tmp_path, {"mode": "External", "process_command": command})
    return pull(cloud, DEMO + "/a", {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}, **keywords)


def test_external_process_with_a_token_is_run_without_a_shell(cloud, tmp_path):
    issued = cloud.cloud.issue_credentials(role="external")
    document = write(tmp_path / "two words.json", {
        "mode": "StsToken", "access_key_id": issued["AccessKeyId"], "access_key_secret": issued["AccessKeySecret"],
        "sts_token": issued["SecurityToken"], "expiration": issued["Expiration"]})
    external(cloud, tmp_path, f"cat '{document}'").answer
    external(cloud, tmp_path, "cat " + document.replace(" ", "\\ ")).answer
    assert caller(cloud) == "external"
    assert_failed(external(cloud, tmp_path, f"cat '{document}' ; true"), 69, "exit status 1")


@pytest.mark.parametrize("command, status, words", [
    ("sh -c 'echo so sorry >&2; exit 3'", 69, ["exit status 3. Run the command by hand"]),
    ("sh -c 'kill -9 $$'", 69, ["signal 9. "]), ("false", 69, ["exit status 1. Run the command by hand"]),
    ("no-such-command", 69, ["cannot start no-such-command: No such file or directory"]),
    ("echo hello", 69, ["line 1"]), ("yes", 69, ["65536 bytes"]), ("sh -c 'yes >&2'", 75, ["in time"]),
    ("sleep 77", 75, ["in time"]), ("sh -c 'exec >&- 2>&-; sleep 77'", 75, ["in time"]),
    ("echo 'open", 78, ["quote. Correct process_command"]), ("echo \\", 78, ["backslash. Correct process_command"]),
    (" ", 78, ["empty. Correct process_command"]),
    (print_json(mode="EcsRamRole"), 69, ["EcsRamRole"]),
    (print_json(mode="AK", access_key_id=KEY), 69, ["access_key_secret"]),
    (print_json(mode="AK", access_key_id=KEY, access_key_secret="a\nb"), 69, ["access_key_secret"]),
    (print_json(mode="StsToken", access_key_id=KEY, access_key_secret=SECRET), 69, ["sts_token"]),
])
def test_external_process_that_fails(cloud, tmp_path, command, status, words):
    result = external(cloud, tmp_path, command, deadline_s=SHORT_S if words == ["in time"] else DEADLINE_S)
    assert_failed(result, status, "process_command", *words, secrets=[SECRET])
    assert cloud.log("acr") == []


def sleeper(tmp_path):
    """A path of sleep that nobody else calls it by: whatever has it in its command line is this test's own."""
    path = tmp_path / "sleep"
    path.symlink_to(shutil.which("sleep"))
    return path


def test_nothing_of_an_external_process_stays(cloud, tmp_path):
    sleep = sleeper(tmp_path)
    assert_failed(external(cloud, tmp_path, f"sh -c '{sleep} 99 & {sleep} 99; true'", deadline_s=SHORT_S), 75,
                  "in time")
    wait_until(lambda: is_gone("-f", re.escape(str(sleep))))


def issued_document(cloud, tmp_path):
    issued = cloud.cloud.issue_credentials(role="external")
    return write(tmp_path / "document.json", {
        "mode": "StsToken", "access_key_id": issued["AccessKeyId"], "access_key_secret": issued["AccessKeySecret"],
        "sts_token": issued["SecurityToken"]})


def test_what_an_external_process_leaves_in_the_background_is_not_waited_for(cloud, tmp_path):
    sleep, document = sleeper(tmp_path), issued_document(cloud, tmp_path)
    try:
        result = external(cloud, tmp_path, f"sh -c '{sleep} 99 & cat {document}'")
        assert result.auth and result.seconds < DEADLINE_S
    finally:
        subprocess.run(["pkill", "-KILL", "-f", re.escape(str(sleep))], check=True)


def test_external_process_under_a_parent_that_ignores_its_children(cloud, tmp_path):
    cli(tmp_path, {"mode": "External", "process_command": "cat " + issued_document(cloud, tmp_path)})
    command = [*WRAPPER, PROGRAM, "--no-cache", "--deadline", str(DEADLINE_S), "get", "--output", "password", DEMO]
    completed = subprocess.run(["env", "--ignore-signal=CHLD", *command], capture_output=True, check=False,
                               env={**cloud.environment(), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"})
    assert (completed.returncode, completed.stderr) == (0, b"") and completed.stdout.startswith(b"reg-")


@pytest.mark.slow
def test_command_that_takes_long_does_not_use_up_the_time_of_the_challenge(cloud, tmp_path):
    """The challenge is prefetched before the command runs, and has three seconds to connect."""
    assert external(cloud, tmp_path, f"sh -c 'sleep 4; cat {issued_document(cloud, tmp_path)}'").auth
    assert cloud.operations("acr") == ["GetAuthorizationToken"]


@pytest.mark.parametrize("mode", [{}, {"mode": "AK"}, {"mode": "StsToken"}])
def test_external_process_whose_mode_says_less_than_its_token(cloud, tmp_path, mode):
    issued = cloud.cloud.issue_credentials(role="external")
    external(cloud, tmp_path,
             print_json(access_key_id=issued["AccessKeyId"], access_key_secret=issued["AccessKeySecret"],
                        sts_token=issued["SecurityToken"], **mode)).answer
    assert caller(cloud) == "external"


def test_external_process_can_be_forbidden(cloud, tmp_path):
    cli(tmp_path, {"mode": "External", "process_command": "true"})
    result = pull(cloud, DEMO + "/a", {"HOME": str(tmp_path), "ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS": "1"})
    assert_failed(result, 78, "ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS", "Unset it, or use a profile of another mode")


def test_external_process_with_an_empty_token(cloud, tmp_path):
    external(cloud, tmp_path, print_json(mode="AK", access_key_id=KEY, access_key_secret=SECRET, sts_token="")).answer
    assert caller(cloud) == KEY


@pytest.mark.parametrize("level", ["error", "debug"])
@pytest.mark.parametrize("script", ["cat {document} | tee /dev/stderr; exit 1", "cat {document} >&2; exit 1",
                                    "cat {document} >&2"])
def test_nothing_that_a_command_writes_is_quoted(cloud, tmp_path, script, level):
    """It may hold secrets; what exactly depends on the command."""
    document = write(tmp_path / "document.json", {"mode": "StsToken", "access_key_id": KEY, "access_key_secret": SECRET,
                                                  "sts_token": "CAISsecuritytoken", "comment": "so sorry"})
    result = external(cloud, tmp_path, "sh -c " + shlex.quote(script.format(document=document)),
                      arguments=["--log-level", level])
    assert result.status == 69, result.err
    assert not any(text in result.err for text in (SECRET, "CAISsecuritytoken", "so sorry")), result.err


@pytest.mark.parametrize("expiration", [None, "2030-01-02T03:04:05+08:00", "2030-01-02T03:04:05.000Z", "tomorrow", 7])
def test_expiration_that_the_libraries_pass_over(cloud, tmp_path, expiration):
    document = write(tmp_path / "document.json", {"mode": "AK", "access_key_id": KEY, "access_key_secret": SECRET,
                                                  "expiration": expiration})
    external(cloud, tmp_path, f"cat {document}").answer
    assert caller(cloud) == KEY


def test_nothing_that_a_command_gave_is_kept(cloud, tmp_path):
    """What it prints may depend on anything: environment, folder, time."""
    cache = tmp_path / "cache"
    command = print_json(mode="AK", access_key_id=KEY, access_key_secret=SECRET)
    cli(tmp_path, {"mode": "External", "process_command": command})
    for _ in range(2):
        pull(cloud, DEMO + "/a", {"HOME": str(tmp_path)}, arguments=["--cache-dir", str(cache)], with_cache=True).answer
    assert cloud.operations("acr").count("GetAuthorizationToken") == 2
    assert not cache.exists() or os.listdir(cache) == []


@pytest.mark.skipif(bool(WRAPPER), reason="the signal would reach the wrapper")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM])
def test_whoever_ends_the_program_ends_what_it_started(cloud, tmp_path, number):
    cli(tmp_path, {"mode": "External", "process_command": f"sh -c 'echo $$ >{tmp_path}/group; sleep 99; true'"})
    # Whoever runs the tests may have some of these signals ignored.
    command = ["env", "--default-signal=TERM,INT,HUP,ALRM", PROGRAM, "--no-cache", "get", DEMO]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={**cloud.environment(), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}) as process:
        group = int(wait_until(lambda: (tmp_path / "group").exists() and (tmp_path / "group").read_text().strip()))
        process.send_signal(number)
        assert process.wait(60) in (-number, 75)
    wait_until(lambda: is_gone("-g", str(group)))


@pytest.mark.skipif(bool(WRAPPER), reason="the wrapper has descriptors of its own")
def test_command_gets_no_descriptor_of_ours(cloud, tmp_path):
    """Connections to the API and to the registry are open when it starts."""
    script = f"ls -l /proc/$PPID/fd >{tmp_path}/ours; ls -l /proc/self/fd >{tmp_path}/its; false"
    cli(tmp_path, {"mode": "External", "process_command": f"sh -c '{script}'"})
    result = subprocess.run([PROGRAM, "--no-cache", "get", DEMO], capture_output=True, check=False,
                            env={**cloud.environment(), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"})
    assert result.returncode == 69 and (tmp_path / "ours").read_text().count("socket:") >= 2
    its = (tmp_path / "its").read_text()
    assert {int(number) for number in re.findall(r" (\d+) ->", its)} <= {0, 1, 2, 3}, its  # 3 is of ls itself
