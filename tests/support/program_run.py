"""Runs the real executable, and checks what holds for every run: no secret printed, one line per error, in time."""

import atexit
import functools
import json
import os
import re
import shlex
import subprocess
import tempfile
import time

import emulator
import pytest

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
PROGRAM = os.environ.get("ACR_PROVIDER_BIN") or os.path.join(ROOT, "build", "debug", "aliyun-acr-credential-provider")
WRAPPER = shlex.split(os.environ.get("ACR_PROVIDER_WRAPPER", ""))  # valgrind, for one
API = "credentialprovider.kubelet.k8s.io/"
DEMO = "demo-registry.cn-hangzhou.cr.aliyuncs.com"
# Deadlines: of runs that use it up, and of all others, which a busy machine must not make fail.
IS_SLOW = bool(WRAPPER or os.environ.get("ACR_PROVIDER_SANITIZED"))
SHORT_S, DEADLINE_S = (4 if IS_SLOW else 2), 40
WATCHDOG = "a system call did not return"


@functools.cache
def keys():
    """Of all emulators of a run of tests, in whichever of its processes."""
    if "ACR_EMULATOR_KEYS" in os.environ:
        return emulator.Keys(os.environ["ACR_EMULATOR_KEYS"])
    made = emulator.Keys()
    made.signer.certificate()
    atexit.register(made.remove)
    os.environ["ACR_EMULATOR_KEYS"] = made.directory
    return made


class Emulator(emulator.Emulator):
    """The cloud. While it is there, nobody may print a secret of it."""

    running = set()

    def __init__(self, metadata_address=("127.0.0.1", 0), has_own_keys=False):
        super().__init__(metadata_address, None if has_own_keys else keys())

    def __enter__(self):
        Emulator.running.add(self)
        return super().__enter__()

    def __exit__(self, *what):
        Emulator.running.discard(self)
        return super().__exit__(*what)


def assert_quiet(output, secrets=()):
    """No secret of the cloud, nor one of these."""
    text = output if isinstance(output, str) else output.decode(errors="replace")
    for secret in [*secrets, *(secret for cloud in list(Emulator.running) for secret in cloud.cloud.secrets)]:
        assert secret not in text, (secret, text)


class Result:
    """What a run came to. A secret is nowhere but in an answer."""

    def __init__(self, completed, seconds=None, deadline_s=DEADLINE_S):
        self.status, self.out, self.err = completed.returncode, completed.stdout, completed.stderr
        self.seconds, self.deadline_s = seconds, deadline_s
        assert_quiet(self.err)
        if self.status > 0:  # who is killed may have answered
            assert_quiet(self.out)

    @property
    def answer(self):
        assert self.status == 0, (self.status, self.err)
        return json.loads(self.out)

    @property
    def auth(self):
        return self.answer["auth"]


@functools.cache
def without_cache():
    """The variable that keeps the program from sharing anything, for where it is called without flags."""
    directory = tempfile.TemporaryDirectory(prefix="acr-config-")
    atexit.register(directory.cleanup)
    path = os.path.join(directory.name, "config.json")
    with open(path, "w", encoding="ascii", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        json.dump({"cache": {"enabled": False}}, file)
    return {"ACR_CREDENTIAL_PROVIDER_CONFIG": path}


def request(image, version="v1", **more):
    return json.dumps({"kind": "CredentialProviderRequest", "apiVersion": API + version, "image": image, **more})


def call(*arguments, program=PROGRAM, stdin="", environment=None, deadline_s=DEADLINE_S, prefix=()):
    """The executable in an environment of its own; `deadline_s` is what the arguments allow it."""
    started = time.monotonic()
    completed = subprocess.run([*prefix, *WRAPPER, program, *arguments], text=not isinstance(stdin, bytes), input=stdin,
                               capture_output=True, env=environment or {}, timeout=120, check=False)
    return Result(completed, time.monotonic() - started, deadline_s)


def run(stdin, environment=None, arguments=(), config=None, tmp_path=None, with_cache=False, prefix=(),
        deadline_s=DEADLINE_S):
    """One answer to the kubelet."""
    arguments = ["--deadline", str(deadline_s), *arguments]
    if not with_cache:
        arguments.insert(0, "--no-cache")
    if config is not None:
        path = tmp_path / "config.json"
        path.write_text(json.dumps(config))
        path.chmod(0o600)
        arguments += ["--config", str(path)]
    return call(*arguments, stdin=stdin, environment=environment, deadline_s=deadline_s, prefix=prefix)


def pull(cloud, image, more=None, **keywords):
    """Asks for an image's credentials as a node of the emulated cloud."""
    return run(request(image), {**cloud.environment(), **(more or {})}, **keywords)


def wait_until(is_so, seconds=60):
    """What it gives as soon as it is so; a failure if it never is."""
    ends = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < ends, "it did not come to pass"
        time.sleep(0.01)
    return found


def is_gone(*which):
    """Whether pgrep finds no such process but what the system has yet to bury, which may have no parent that would."""
    found = subprocess.run(["pgrep", "--runstates", "D,I,R,S,T,t", *which], capture_output=True, check=False)
    return found.returncode == 1


def skip_where_permitted(why):
    """Where everything that tests need is said to be there, a test that does not run is a failure."""
    assert os.environ.get("REQUIRE_ALL") != "1", why
    pytest.skip(why)


def assert_failed(result, status, *words, secrets=()):
    """Exit status, empty stdout, one line on stderr with these words and a remedy, no secret, in time."""
    assert result.status == status, (result.status, result.err)
    assert result.out == ""
    assert re.fullmatch(r"aliyun-acr-credential-provider: [^\n]+\n", result.err), result.err
    for word in words:
        assert word in result.err, (word, result.err)
    assert re.search(r"\. [A-Z][^.]{10}", result.err), ("no remedy", result.err)
    assert_quiet(result.err, secrets)
    assert WATCHDOG in words or WATCHDOG not in result.err
    assert result.seconds is None or result.seconds < result.deadline_s + (20 if WRAPPER else 5)


def seconds(duration):
    """A cacheDuration, such as 2585s."""
    return int(re.fullmatch(r"(\d+)s", duration)[1])


def caller(cloud):
    """Who signed the last call of the ACR API: the role of STS credentials, else the AccessKey id."""
    key_id = re.search(r"Credential=([^,]+)", cloud.log("acr")[-1]["headers"]["authorization"])[1]
    return cloud.cloud.keys[key_id].get("role", key_id)
