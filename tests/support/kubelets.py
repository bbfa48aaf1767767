"""Kubelets of all versions, that is their own code for credential providers: what they would start with."""

import fcntl
import functools
import os
import re
import shutil
import subprocess

import pytest
from program_run import PROGRAM, ROOT, skip_where_permitted

SOURCES = os.path.join(ROOT, "tests", "program", "kubelet")
VERSIONS = tuple(f"1.{minor}" for minor in range(30, 38))
NEWEST = VERSIONS[-1]


@functools.cache
def go_version():
    if not shutil.which("go"):
        skip_where_permitted("there is no Go")
    said = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in re.findall(r"\d+", said)[:2])


@functools.cache
def kubelet(version):
    """The path of its executable, in the build folder; Go's cache makes the build quick from the second time on."""
    if go_version() < (1, 21):  # Debian 12 has no other, and must pass too; a later one fetches what the kubelet needs
        pytest.skip("the kubelet's code needs Go 1.21 or later, Debian 12 itself has none")
    target = os.path.join(os.path.dirname(PROGRAM), "kubelet-" + version)
    modules = [] if version == NEWEST else [f"-modfile=go-{version}.mod"]
    with open(os.path.join(os.path.dirname(PROGRAM), "kubelet.lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of all processes of a run of tests one builds
        done = subprocess.run(["go", "build", "-buildvcs=false", "-ldflags=-s", f"-tags=kubelet{version}", *modules,
                               "-o", target, "."],
                              cwd=SOURCES, capture_output=True, text=True, timeout=1500, check=False)
    if done.returncode != 0:
        skip_where_permitted(f"the code of kubelet {version} could not be built: {done.stderr}")
    return target


def check(version, config, bin_dir, feature_gates=""):
    """None if the kubelet would start with this file or folder and this folder of executables, else its error."""
    done = subprocess.run([kubelet(version), config, bin_dir], capture_output=True, text=True, errors="replace",
                          env={"FEATURE_GATES": feature_gates}, timeout=120, check=False)
    assert done.returncode in (0, 1, 255), done.stderr  # 255 is klog's
    return done.stderr.strip() if done.returncode else None
