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
UNIT, MORE = "etc/systemd/system/kubelet.service", "etc/sysconfig/kubelet"
FLAGS = r"--image-credential-provider-config=/etc/\S+ --image-credential-provider-bin-dir=/usr/local/bin"
OTHER = "--image-credential-provider-config=/opt/other.yaml --image-credential-provider-bin-dir=/opt"
NO_SLEEP = '#!/bin/sh\n[ "$*" = 20 ]\n'
# Notes restarts, and makes the process that the unit and both files with arguments ask for.
SYSTEMCTL = """#!/bin/sh -e
cd {root}
case "$*" in
"show -p MainPID kubelet") echo "MainPID=$(cat pid)" && exit ;;
"cat kubelet") cat {unit} && exit ;;
esac
echo "$*" >>systemctl.called
[ "$*" = "restart kubelet" ] || exit 0
pid=$(($(cat pid) + 1)) KUBELET_CUSTOMIZED_ARGS=
[ ! -e {arguments} ] || . ./{arguments}
rm -rf proc
mkdir -p proc/$pid
printf '%s\\0' $(sed -n s/^ExecStart=//p {unit}) $(cat {more}) $KUBELET_CUSTOMIZED_ARGS >proc/$pid/cmdline
echo $pid >pid
[ ! -e fails ] || ! grep -q -e "$(cat fails)" proc/$pid/cmdline
"""


class Node:
    """What a script does to files and services, with a stand-in for systemctl, and nobody who waits."""

    def __init__(self, root):
        self.root, self.called = root, root / "systemctl.called"
        for name, text in (("systemctl", SYSTEMCTL.format(root=root, unit=UNIT, arguments=ARGUMENTS, more=MORE)),
                           ("sleep", NO_SLEEP)):
            self.write("bin/" + name, text)
            (root / "bin" / name).chmod(0o755)
        self.write("pid", "100")
        self.write(UNIT, "[Service]\nExecStart=/usr/bin/kubelet --v=2\n")
        self.write(MORE, "")
        self.restart()

    def restart(self):
        """As if the node was like this before the script runs."""
        subprocess.run([self.root / "bin" / "systemctl", "restart", "kubelet"], check=True)
        self.called.unlink()

    def run(self, name, before="", **variables):
        """What it prints, on stderr alone. ACK may run it in the shell of its own script, which goes on."""
        text = (SCRIPTS / name).read_text()
        for variable, value in variables.items():
            text, count = re.subn(rf"^{variable}=", f"{variable}={value} ", text, flags=re.M)
            assert count == 1
        text = re.sub(r"(?<![\w/.}])/(?=(?:etc|usr|proc)/)", f"{self.root}/", text) + "echo goes on\n"
        done = subprocess.run(["bash", "-eu", "-o", "pipefail", "-c", before + text], capture_output=True, text=True,
                              check=False, env={"PATH": f"{self.root}/bin:{os.environ['PATH']}"})
        assert done.stdout == "goes on\n", done.stderr
        return done.stderr

    def install(self, digest=None):
        return self.run("install.sh", URL="file://" + PROGRAM, SHA256=digest or hashlib.sha256(
            pathlib.Path(PROGRAM).read_bytes()).hexdigest())

    def read(self, path):
        return (self.root / path).read_text().replace(f"{self.root}/", "/")

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def arguments(self):
        """Of the kubelet that runs."""
        return self.read(f"proc/{self.read('pid').strip()}/cmdline").replace("\0", " ")

    def restarts(self):
        called = self.called.read_text().splitlines() if self.called.exists() else []
        assert called == ["reset-failed kubelet", "daemon-reload", "restart kubelet"] * (len(called) // 3)
        return len(called) // 3


@pytest.fixture
def node(tmp_path):
    if not shutil.which("curl"):
        skip_where_permitted("curl is not there")
    return Node(tmp_path)


def assert_flags_are_used(node, old=""):
    assert re.fullmatch(rf'KUBELET_CUSTOMIZED_ARGS="{re.escape(old)} {FLAGS}"\n', node.read(ARGUMENTS))
    assert re.search(FLAGS, node.arguments()) and node.arguments().count("--image-credential-provider-") == 2


@pytest.mark.parametrize("old", [None, "", OWN])
def test_flags_are_added_once_to_what_is_there(node, old):
    if old is not None:
        node.write(ARGUMENTS, f'KUBELET_CUSTOMIZED_ARGS="{old}"\n')
    for _ in range(2):
        assert node.install() == ""
        assert os.access(node.root / INSTALLED, os.X_OK)
        provider, = yaml.safe_load(node.read(FILE))["providers"]
        assert provider["name"] == os.path.basename(INSTALLED)
        assert node.run("kubelet-flags.sh") == ""
        assert_flags_are_used(node, old or "")
        assert node.restarts() == 1


@pytest.fixture
def killed(node):
    """A node on which a run was killed before its restart."""
    node.install()
    node.run("kubelet-flags.sh")
    text = (node.root / ARGUMENTS).read_text()
    (node.root / ARGUMENTS).unlink()
    node.restart()
    node.write(ARGUMENTS, text)
    return node


def test_flags_that_only_the_file_has_are_made_use_of(killed):
    assert killed.run("kubelet-flags.sh") == ""
    assert_flags_are_used(killed)
    assert killed.restarts() == 1


def test_flags_that_a_killed_run_left_are_taken_away_too(killed):
    killed.write("fails", "--image-credential-provider-")
    assert "taken away again" in killed.run("kubelet-flags.sh")
    assert killed.read(ARGUMENTS) == 'KUBELET_CUSTOMIZED_ARGS=""\n'


def test_flags_that_a_run_killed_after_its_restart_left_are_taken_away_too(node):
    node.install()
    node.run("kubelet-flags.sh")
    node.write("bin/sleep", FAILURES["ends-again-and-again"][1].format(root=node.root))
    assert "taken away again" in node.run("kubelet-flags.sh")
    assert node.read(ARGUMENTS) == 'KUBELET_CUSTOMIZED_ARGS=""\n'


def test_flags_that_only_the_kubelet_has_are_written_again(node):
    node.install()
    node.run("kubelet-flags.sh")
    node.write(ARGUMENTS, f'KUBELET_CUSTOMIZED_ARGS="{OWN}"\n')
    assert node.run("kubelet-flags.sh") == ""
    assert_flags_are_used(node, OWN)


@pytest.mark.parametrize("place, text", [(UNIT, "[Service]\nExecStart=/usr/bin/kubelet {}\n"), (MORE, "{}")])
@pytest.mark.parametrize("in_use", [True, False])
@pytest.mark.parametrize("own", [True, False])
def test_flags_of_elsewhere_are_never_given_twice(node, place, text, in_use, own):
    """Without a restart since then, only the new kubelet shows those of a file that the unit reads. If they are the
    script's own two, they may as well be those of a file that somebody wrote anew.
    """
    node.install()
    flags = OTHER
    if own:
        flags = (f"--image-credential-provider-config={node.root}/{FILE} "
                 f"--image-credential-provider-bin-dir={node.root}/{os.path.dirname(INSTALLED)}")
    node.write(ARGUMENTS, f'KUBELET_CUSTOMIZED_ARGS="{OWN}"\n')
    node.write(place, text.format(flags))
    is_seen = place == UNIT or in_use and not own
    if in_use:
        node.restart()
    said = node.run("kubelet-flags.sh")
    assert ("has flags" if is_seen else "given elsewhere too: they are taken away again") in said
    assert len(said.splitlines()) == 1
    assert node.read(ARGUMENTS) == f'KUBELET_CUSTOMIZED_ARGS="{OWN}"\n'
    assert node.restarts() == (0 if is_seen else 2)
    used = [flags.replace(f"{node.root}/", "/")] if in_use or not is_seen else []
    assert re.findall(r"--image-credential-provider-config=\S+ --image-credential-provider-bin-dir=\S+",
                      node.arguments()) == used


FAILURES = {"refuses": ("fails", "--image-credential-provider-"),  # systemctl says so
            "ends": ("bin/sleep", "#!/bin/sh\necho 0 >{root}/pid\n"),
            "ends-again-and-again": ("bin/sleep", "#!/bin/sh\ncd {root} && mv proc/* proc/999 && echo 999 >pid\n")}


@pytest.mark.parametrize("old", [None, OWN])
@pytest.mark.parametrize("how", FAILURES)
def test_kubelet_that_does_not_stay_up_gets_its_flags_back(node, old, how):
    """And another run tries again."""
    node.install()
    if old is not None:
        node.write(ARGUMENTS, f'KUBELET_CUSTOMIZED_ARGS="{old}"\n')
    before = node.arguments()
    path, text = FAILURES[how]
    node.write(path, text.format(root=node.root))
    said = node.run("kubelet-flags.sh")
    assert "taken away again" in said and "could not be" not in said
    assert node.read(ARGUMENTS) == f'KUBELET_CUSTOMIZED_ARGS="{old or ""}"\n'
    assert node.arguments().split() == before.split() + (old or "").split() and node.restarts() == 2
    (node.root / "fails").unlink(missing_ok=True)
    node.write("bin/sleep", NO_SLEEP)
    assert node.run("kubelet-flags.sh") == ""
    assert_flags_are_used(node, old or "")


def test_kubelet_that_does_not_start_at_all(node):
    node.install()
    node.write("fails", "kubelet")
    assert "could not be restarted" in node.run("kubelet-flags.sh")
    assert node.read(ARGUMENTS) == 'KUBELET_CUSTOMIZED_ARGS=""\n'


@pytest.mark.parametrize("before, restarts, said", [
    ("ulimit -f 0\n", 0, ["cannot write"]),
    ("sleep() {{ echo 0 >{root}/pid; ulimit -f 0; }}\n", 1, ["taken away again", "cannot write"])])
def test_arguments_survive_a_full_disk(node, before, restarts, said):
    """Nothing is said of what was not tried."""
    node.install()
    node.write(ARGUMENTS, f'KUBELET_CUSTOMIZED_ARGS="{OWN}"\n')
    lines = node.run("kubelet-flags.sh", "trap '' XFSZ\n" + before.format(root=node.root)).splitlines()
    lines = [line for line in lines if line.startswith("aliyun-")]
    assert len(lines) == len(said) and all(text in line for text, line in zip(said, lines))
    assert node.read(ARGUMENTS).startswith(f'KUBELET_CUSTOMIZED_ARGS="{OWN}') and node.restarts() == restarts
    assert os.listdir((node.root / ARGUMENTS).parent) == [os.path.basename(ARGUMENTS)]


@pytest.mark.parametrize("path", [INSTALLED, FILE])
def test_kubelet_is_left_alone_without_the_program_or_its_file(node, path):
    node.install()
    (node.root / path).unlink()
    assert "is missing" in node.run("kubelet-flags.sh")
    assert not (node.root / ARGUMENTS).exists() and node.restarts() == 0


def test_download_of_another_digest_is_not_installed(node):
    assert "was not installed" in node.install("0" * 64)
    assert not (node.root / INSTALLED).exists() and not (node.root / FILE).exists()


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
    assert node.read(ARGUMENTS) == text and node.restarts() == 0


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
