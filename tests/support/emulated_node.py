"""class Node: a node of the emulated cloud, on which runs of the program share a cache directory."""

import subprocess

import cache_records as records
from program_run import DEADLINE_S, DEMO, PROGRAM, WRAPPER, assert_quiet, pull, request

IMAGE = DEMO + "/a"


class Node:
    def __init__(self, cloud, directory, tmp_path):
        self.cloud, self.directory, self.tmp_path = cloud, directory, tmp_path

    def pull(self, image=IMAGE, more=None, config=None, arguments=(), flags=None, prefix=(), deadline_s=DEADLINE_S):
        flags = ["--cache-dir", str(self.directory)] if flags is None else flags
        return pull(self.cloud, image, more, arguments=[*flags, *arguments], config={} if config is None else config,
                    tmp_path=self.tmp_path, with_cache=True, prefix=prefix, deadline_s=deadline_s)

    def password(self, *arguments, **keywords):
        (login,) = self.pull(*arguments, **keywords).auth.values()
        return login["password"]

    def start(self, *arguments, deadline_s=30, held=False, image=IMAGE, more=None):
        """A run under way; one that is held waits for release()."""
        process = subprocess.Popen([*WRAPPER, PROGRAM, "--cache-dir", str(self.directory), "--deadline",
                                    str(deadline_s),
                                    *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env={**self.cloud.environment(), **(more or {})}, text=True)
        if not held:
            release(process, image)
        return process

    def files(self, kind="token"):
        return records.of_kind(self.directory, kind)

    def calls(self):
        return len(self.cloud.log("acr"))

    def tokens_asked(self):
        """On a slow machine a registry's challenge may take so long that ListInstance is asked beside these."""
        return self.cloud.operations("acr").count("GetAuthorizationToken")


def release(process, image=IMAGE):
    process.stdin.write(request(image))
    process.stdin.close()
    process.stdin = None


def finish(processes):
    for process in processes:
        out, err = process.communicate(timeout=120)
        assert_quiet(err if process.returncode == 0 else out + err)
        yield process.returncode, out, err
