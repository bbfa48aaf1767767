"""The units by systemd itself, and the script that pulls images, with stand-ins for what it runs."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest
from made_up_node import FLAGS
from program_run import DEMO, PROGRAM, ROOT, skip_where_permitted, without_cache

FOLDER = pathlib.Path(ROOT, "deploy", "systemd")
DROP_IN = "20-aliyun-acr-credential-provider.conf"
# As the Kubernetes documentation has them.
KUBELET = "[Service]\nExecStart=/usr/bin/kubelet\nRestart=always\n"
KUBEADM = """[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
"""
SYSTEMD = "/lib/systemd/systemd"
IMAGES = [DEMO + "/team/app:v1", "registry-cn-hangzhou.ack.aliyuncs.com/acs/pause:3.9", DEMO + "/team/there:v1"]


@pytest.fixture
def units(tmp_path):
    """A root with a kubelet, kubeadm's drop-in, ours, and the targets of this system."""
    if not os.path.exists(SYSTEMD) or not shutil.which("systemd-analyze"):
        skip_where_permitted("systemd is not there")
    folder = tmp_path / "root" / "etc" / "systemd" / "system"
    (folder / "kubelet.service.d").mkdir(parents=True)
    for target in ("basic", "multi-user", "network-online", "shutdown", "sysinit"):
        shutil.copy(f"/lib/systemd/system/{target}.target", folder)
    (folder / "kubelet.service").write_text(KUBELET)
    (folder / "kubelet.service.d" / "10-kubeadm.conf").write_text(KUBEADM)
    shutil.copy(FOLDER / DROP_IN, folder / "kubelet.service.d")
    shutil.copy(FOLDER / "aliyun-acr-prepull.service", folder)
    for program in ("usr/bin/kubelet", "usr/local/sbin/aliyun-acr-prepull"):
        (tmp_path / "root" / program).parent.mkdir(parents=True)
        (tmp_path / "root" / program).touch(mode=0o755)
    return folder


def test_units_are_valid(units):
    root = units.parents[2]
    for name in ("kubelet", "aliyun-acr-prepull"):
        done = subprocess.run(["systemd-analyze", f"--root={root}", "verify", "--man=no", f"{name}.service"],
                              capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def shown(units, name):
    """What systemd knows of a unit; not as root, since it refuses that."""
    done = subprocess.run(["unshare", "--map-user=65534", SYSTEMD, "--test", "--system", f"--unit={name}"],
                          capture_output=True, text=True, check=False, env={
        "SYSTEMD_UNIT_PATH": f"{units}:", "SYSTEMD_GENERATOR_PATH": "/nonexistent", "HOME": "/nonexistent"})
    if "unshare" in done.stderr:
        skip_where_permitted("this machine allows no user namespace")
    return re.search(rf"\t-> Unit {name}:\n((?:\t\t.*\n)+)", done.stdout)[1]


def test_flags_of_the_kubelet(units):
    unit = shown(units, "kubelet.service")
    variables = dict(re.findall(r"\tEnvironment: (\w+)=(.*)", unit))
    line, = re.findall(r"\tCommand Line: (/usr/bin/kubelet .*)", unit)
    variables.update(KUBELET_KUBEADM_ARGS="--of=kubeadm", KUBELET_EXTRA_ARGS="--of=user")  # of the files
    words = re.sub(r'"?\\?\$(\w+)"?', lambda found: variables[found[1]], line).split()
    assert words == ["/usr/bin/kubelet", "--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf",
                     "--config=/var/lib/kubelet/config.yaml", *FLAGS, "--of=kubeadm", "--of=user"]


def test_order_of_the_units(units):
    unit = shown(units, "aliyun-acr-prepull.service")
    assert "\tBefore: kubelet.service " in unit and "\tAfter: containerd.service " in unit
    assert not re.search(r"\t(Required|Wanted)By: kubelet", unit)


class Prepull:
    def __init__(self, folder):
        self.folder, self.images = folder, folder / "images"
        (folder / "aliyun-acr-credential-provider").symlink_to(PROGRAM)
        self.images.write_text("# of this node\n\n" + "\n".join(IMAGES) + "\n")
        self.stand_in("crictl", f'[ "$1" != inspecti ] || [ "$3" = {IMAGES[2]} ]')
        self.stand_in("ctr", "true")

    def stand_in(self, name, command):
        """It notes its command line, and the login that its environment has."""
        (self.folder / name).write_text(
            f'#!/bin/sh\necho "{name} $* ${{CRICTL_CREDS:-}}" >>{self.folder}/called\n{command}\n')
        (self.folder / name).chmod(0o755)

    def run(self, cloud):
        environment = {**cloud.environment(), **without_cache(), "ASAN_OPTIONS": "detect_leaks=0",
                       "PATH": f"{self.folder}:{os.environ['PATH']}"}
        trace = ["strace", "-f", "-q", "-s", "1000", "-e", "trace=execve", "-o", self.folder / "trace"]
        if not shutil.which("strace"):
            skip_where_permitted("strace is not there")
        return subprocess.run([*trace, "sh", FOLDER / "aliyun-acr-prepull.sh", self.images], capture_output=True,
                              text=True, check=False, env=environment)

    def called(self):
        return (self.folder / "called").read_text().splitlines()


@pytest.fixture
def prepull(tmp_path):
    return Prepull(tmp_path)


def label(image):
    return f"ctr --namespace k8s.io images label {image} io.cri-containerd.pinned=pinned "


def test_images_are_pulled_and_pinned(cloud, prepull):
    done = prepull.run(cloud)
    assert done.returncode == 0, done.stderr
    password = cloud.cloud.issued[-1]
    asked, public, there = IMAGES
    assert prepull.called() == [
        f"crictl inspecti -q {asked} ", f"crictl pull {asked} cr_temp_user:{password}", label(asked),
        f"crictl inspecti -q {public} ", f"crictl pull {public} ", label(public),
        f"crictl inspecti -q {there} ", label(there)]
    # No command line of whatever ran has it.
    trace = (prepull.folder / "trace").read_text()
    assert f'"pull", "{asked}"]' in trace and password not in trace and password not in done.stdout + done.stderr


def test_image_that_cannot_be_pulled(cloud, prepull):
    """The others are pulled, and the unit fails."""
    prepull.stand_in("ctr", f"[ $5 != {IMAGES[0]} ]")
    assert prepull.run(cloud).returncode == 1 and prepull.called()[-1] == label(IMAGES[2])
