"""actionlint, which knows the events, rights and expressions of GitHub's workflows."""

import glob
import os
import re
import shutil
import subprocess

import pytest
from program_run import ROOT, skip_where_permitted

ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"


def test_actionlint():
    if not shutil.which("go"):
        skip_where_permitted("there is no Go")
    said = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=True).stdout
    if not re.search(r"go1\.(2[1-9]|[3-9]\d)", said):
        pytest.skip("actionlint needs Go 1.21 or later, Debian 12 itself has none")
    done = subprocess.run(["go", "run", ACTIONLINT, *glob.glob(os.path.join(ROOT, ".github", "workflows", "*.yml"))],
                          capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
