"""User data that installs the program, by cloud-init's own code."""

import base64
import gzip
import os
import pathlib
import re
import shutil
import subprocess

import yaml
from made_up_node import BIN, CONFIG, PROVIDER, MadeUpNode
from program_run import PROGRAM, ROOT, skip_where_permitted

SCRIPT = os.path.join(ROOT, "deploy", "cloud-init", "user-data.sh")
PYTHON = "/usr/bin/python3"  # Debian's, which has cloud-init's modules


def user_data(*arguments):
    return subprocess.run(["sh", SCRIPT, *arguments], capture_output=True, text=True, check=True).stdout


def script_of(document):
    """As cloud-init writes it to run it."""
    done = subprocess.run([PYTHON, "-c", "import sys, yaml; from cloudinit.util import shellify\n"
                           "sys.stdout.write(shellify(yaml.safe_load(sys.stdin)['runcmd']))"], input=document,
                          capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else skip_where_permitted("cloud-init is not there")


def test_what_the_node_does(tmp_path):
    """With another place for the script, and a tree for the root."""
    tree = MadeUpNode(tmp_path / "root")
    document = user_data("--from", PROGRAM, "--root", str(tree.root))
    written, = yaml.safe_load(document)["write_files"]
    (tmp_path / "install.sh").write_bytes(gzip.decompress(base64.b64decode(written["content"])))
    assert (tmp_path / "install.sh").read_bytes() == pathlib.Path(ROOT, "deploy", "install.sh").read_bytes()
    script = script_of(document)
    assert script.count(written["path"]) == 1
    subprocess.run(["sh", "-c", script.replace(written["path"], str(tmp_path / "install.sh"))], check=True)
    assert tree.path(f"{BIN}/{PROVIDER}").exists() and PROVIDER in tree.path(CONFIG).read_text()


def test_arguments_arrive_as_they_are():
    arguments = ["--from", "https://example.com/it's a #1: \"$HOME\" \\n", "", "--sha256", "0123"]
    assert yaml.safe_load(user_data(*arguments))["runcmd"][0][2:] == arguments


def test_it_fits_into_user_data():
    """Which may have 32 KB on ECS, once 16."""
    assert len(user_data("--from", "https://example.com/" + "a" * 1000)) < 10000


def test_without_arguments():
    done = subprocess.run(["sh", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 64 and done.stderr.startswith("usage: ") and done.stdout == ""


def test_schema(tmp_path):
    """Of the page's own command, with what it tells to add."""
    if not shutil.which("cloud-init"):
        skip_where_permitted("cloud-init is not there")
    with open(os.path.join(ROOT, "deploy", "cloud-init", "README.md"), encoding="utf-8") as file:
        page = file.read()
    release, command = re.search(r"```sh\n(.*)\n(.*) >user-data.yaml\n```", page).groups()
    document = subprocess.run(["sh", "-euc", f"{release}\n{command}"], capture_output=True, text=True, cwd=ROOT,
                              check=True).stdout
    document += re.search(r"```yaml\n(.*?)```", page, re.S)[1]
    assert len(yaml.safe_load(document)["runcmd"]) == 2
    (tmp_path / "user-data.yaml").write_text(document)
    done = subprocess.run(["cloud-init", "schema", "--config-file", tmp_path / "user-data.yaml"], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0 and "Valid" in done.stdout, done.stdout + done.stderr
