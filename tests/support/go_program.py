"""Programs in Go by which tests use the code of others; Go's cache makes building them quick from the second time on."""

import os
import re
import shutil
import subprocess

import pytest
from program_run import PROGRAM, skip_where_permitted


def built(folder, oldest=(1, 21)):
    """The executable of the module in a folder, built into the build folder."""
    target = os.path.join(os.path.dirname(PROGRAM), "go-" + os.path.basename(folder))
    if not shutil.which("go"):
        skip_where_permitted("there is no Go")
    said = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=True).stdout
    if tuple(map(int, re.findall(r"\d+", said)[:2])) < oldest:  # Debian 12 has no other; a later one fetches what it needs
        pytest.skip(f"Go {oldest[0]}.{oldest[1]} or later is needed, Debian 12 itself has none")
    done = subprocess.run(["go", "build", "-buildvcs=false", "-o", target, "."], cwd=folder, capture_output=True,
                          text=True, timeout=1500, check=False)
    if done.returncode != 0:
        skip_where_permitted("it could not be built: " + done.stderr)
    return target
