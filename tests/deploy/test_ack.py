"""The scripts for nodes of ACK, in a folder that stands in for the root, and Karpenter's user data made of them."""

import email
import hashlib
import os
import pathlib
import re
import shutil
import subprocess

import pytest
import yaml
from made_up_node import configuration, entry
from program_run import PROGRAM, ROOT, skip_where_permitted

SCRIPTS = pathlib.Path(ROOT, "deploy", "ack")
KARPENTER = pathlib.Path(ROOT, "deploy", "karpenter", "ecsnodeclass.yaml")
ARGUMENTS, FILE = "etc/kubernetes/kubelet-customized-args.conf", "etc/aliyun-acr-credential-provider/kubelet.yaml"
INSTALLED = "usr/local/bin/aliyun-acr-credential-provider"
OWN = ' --eviction-hard=imagefs.available<15%,memory.available<300Mi --kube-reserved=cpu=50m,memory=1272Mi '
FLAGS = r"--image-credential-provider-config=/etc/\S+ --image-credential-provider-bin-dir=/usr/local/bin"


class Node:
    """What a script does to files and services; systemctl only notes what it is called with."""

    def __init__(self, root):
        self.root, self.called = root, root / "systemctl.called"
        (root / "bin").mkdir()
        (root / "bin" / "systemctl").write_text(f'#!/bin/sh\necho "$*" >>{self.called}\n')
        (root / "bin" / "systemctl").chmod(0o755)

    def run(self, name, **variables):
        """What it prints on stderr. ACK may run it in the shell of its own script, which goes on."""
        text = (SCRIPTS / name).read_text()
        for variable, value in variables.items():
            text, count = re.subn(rf"^{variable}=", f"{variable}={value} ", text, flags=re.M)
            assert count == 1
        text = re.sub(r"(?<![\w/.}])/(?=(?:etc|usr)/)", f"{self.root}/", text) + "echo goes on\n"
        done = subprocess.run(["bash", "-eu", "-c", text], capture_output=True, text=True, check=False, env={
            "PATH": f"{self.root}/bin:{os.environ['PATH']}"})
        assert done.stdout.endswith("goes on\n"), done.stderr
        return done.stderr

    def install(self, digest=None):
        return self.run("install.sh", URL="file://" + PROGRAM, SHA256=digest or hashlib.sha256(
            pathlib.Path(PROGRAM).read_bytes()).hexdigest())

    def read(self, path):
        return (self.root / path).read_text().replace(f"{self.root}/", "/")

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def restarts(self):
        return self.called.read_text().splitlines() if self.called.exists() else []


@pytest.fixture
def node(tmp_path):
    if not shutil.which("curl"):
        skip_where_permitted("curl is not there")
    return Node(tmp_path)


@pytest.mark.parametrize("old", [None, "", OWN])
def test_flags_are_added_once_to_what_is_there(node, old):
    if old is not None:
        node.write(ARGUMENTS, f'KUBELET_CUSTOMIZED_ARGS="{old}"\n')
    for times in (1, 2):
        assert node.install() == ""
        assert os.access(node.root / INSTALLED, os.X_OK)
        provider, = yaml.safe_load(node.read(FILE))["providers"]
        assert provider["name"] == os.path.basename(INSTALLED)
        assert ("has flags" in node.run("kubelet-flags.sh")) == (times == 2)
        assert re.fullmatch(rf'KUBELET_CUSTOMIZED_ARGS="{re.escape(old or "")} {FLAGS}"\n', node.read(ARGUMENTS))
        assert node.restarts() == ["daemon-reload", "restart kubelet"]


def test_kubelet_is_left_alone_without_the_program(node):
    assert "was not installed" in node.install("0" * 64)
    assert not (node.root / INSTALLED).exists() and not (node.root / FILE).exists()
    assert "is missing" in node.run("kubelet-flags.sh")
    assert not (node.root / ARGUMENTS).exists() and node.restarts() == []


def test_what_somebody_changed_in_the_file_stays(node):
    node.install()
    changed = node.read(FILE).replace("  matchImages:\n", "  matchImages:\n  - registry.example.com # ours\n", 1)
    node.write(FILE, changed)
    node.write(INSTALLED, "older")
    assert node.install() == ""
    assert node.read(FILE) == changed and (node.root / INSTALLED).read_bytes() == pathlib.Path(PROGRAM).read_bytes()


def test_entry_is_added_beside_another_provider(node):
    node.write(FILE, yaml.safe_dump(configuration(entry(name="other"))))
    assert node.install() == ""
    assert [provider["name"] for provider in yaml.safe_load(node.read(FILE))["providers"]] == [
        "other", os.path.basename(INSTALLED)]


def test_file_that_cannot_be_read_leaves_all_as_it_is(node):
    node.write(INSTALLED, "older")
    node.write(FILE, "providers: [\n")
    said = node.install()
    assert f"{FILE}: line 2" in said and "was not installed" in said
    assert node.read(FILE) == "providers: [\n" and node.read(INSTALLED) == "older"
    assert os.listdir((node.root / INSTALLED).parent) == [os.path.basename(INSTALLED)]


def test_download_that_fails_leaves_the_program_that_is_there(node):
    node.write(INSTALLED, "older")
    assert "was not installed" in node.run("install.sh")
    assert node.read(INSTALLED) == "older" and os.listdir((node.root / INSTALLED).parent) == [
        os.path.basename(INSTALLED)]


@pytest.mark.parametrize("text", [
    "KUBELET_CUSTOMIZED_ARGS=--v=2\n", 'KUBELET_CUSTOMIZED_ARGS="--v=2"\nMORE="x"\n', "# nothing\n",
    'KUBELET_CUSTOMIZED_ARGS="--image-credential-provider-bin-dir=/opt/other"\n'])
def test_other_forms_are_left_alone(node, text):
    node.install()
    node.write(ARGUMENTS, text)
    assert "the kubelet is left as it is" in node.run("kubelet-flags.sh")
    assert node.read(ARGUMENTS) == text and node.restarts() == []


def test_user_data_of_karpenter():
    """The parts are the scripts of ACK's node pools, and only the first runs before ACK's own."""
    resource = yaml.safe_load(KARPENTER.read_text())
    assert (resource["apiVersion"], resource["kind"]) == ("karpenter.k8s.alibabacloud/v1alpha1", "ECSNodeClass")
    assert {"vSwitchSelectorTerms", "securityGroupSelectorTerms", "imageSelectorTerms"} <= resource["spec"].keys()
    message = email.message_from_string(resource["spec"]["userData"])
    assert message.get_content_type() == "multipart/mixed" and not message.defects
    parts = message.get_payload()
    assert [part.get_content_type() for part in parts] == ["text/x-shellscript"] * 2
    assert [part.get_param("stage") for part in parts] == ["pre", None]
    assert [part.get_payload() for part in parts] == [(SCRIPTS / name).read_text()
                                                      for name in ("install.sh", "kubelet-flags.sh")]
