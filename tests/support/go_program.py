"""Programs in Go by which tests use the code of others."""

import fcntl
import functools
import os
import subprocess

import pytest
from kubelets import go_version
from program_run import PROGRAM, skip_where_permitted


@functools.cache
def built(folder, package=".", modules="go.mod"):
    """The executable of a package that the module in a folder has or needs, with the versions of a file in that folder;
    Go's cache makes the build quick from the second time on."""
    if go_version() < (1, 21):  # Debian 12 has no other; a later one fetches the one that a module asks for
        pytest.skip("Go 1.21 or later is needed, Debian 12 itself has none")
    name = "-".join(os.path.basename(part) for part in (folder, package, modules) if part not in (".", "go.mod"))
    target = os.path.join(os.path.dirname(PROGRAM), "go-" + name)
    with open(target + ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of all processes of a run of tests one builds
        done = subprocess.run(["go", "build", "-buildvcs=false", "-ldflags=-s", "-modfile=" + modules, "-o", target,
                               package],
                              cwd=folder, capture_output=True, text=True, timeout=1500, check=False)
    if done.returncode != 0:
        skip_where_permitted(f"{folder} could not be built: {done.stderr}")
    return target
