"""The DaemonSet: what kustomize builds, how little its containers may, and their commands on made-up nodes."""

import itertools
import json
import os
import shutil
import subprocess
import time

import go_program
import pytest
import yaml
from doctor_run import examine
from kubelet_files import DEPLOY
from made_up_node import BIN, CONFIG, FLAGS, PROVIDER, MadeUpNode, configuration, entry
from program_run import PROGRAM, ROOT, call, skip_where_permitted

FOLDER = DEPLOY / "daemonset"
LOCKED = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
OTHER = entry(name="other", matchImages=["other.example.com"])
WRITTEN = {"kubelet": "/etc/kubernetes", "bin": "/usr/local/bin"}
READ = {**WRITTEN, "processes": "/proc", "config": "/etc/aliyun-acr-credential-provider"}
CERTIFICATES = {"certificates": "/etc/ssl/certs", "certificates-of-rpm": "/etc/pki/ca-trust/extracted"}


# Root without capabilities, if this is root.
AS_THERE = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"] if os.geteuid() == 0 else []


def spec_of(daemonset):
    return daemonset["spec"]["template"]["spec"]


BASE = spec_of(yaml.safe_load((FOLDER / "base" / "daemonset.yaml").read_text()))
RESTART, = (change["value"] for change in yaml.safe_load((FOLDER / "restart" / "restart.yaml").read_text())
            if change["path"].endswith("/initContainers/1"))
IMAGES = {place["name"]: place for folder in ("base", "restart")
          for place in yaml.safe_load((FOLDER / folder / "kustomization.yaml").read_text())["images"]}


def container(name):
    return next(found for found in [*BASE["initContainers"], RESTART, *BASE["containers"]] if found["name"] == name)


def mounts(name):
    return {mount["name"]: (mount["mountPath"], mount.get("readOnly", False)) for mount in
            container(name).get("volumeMounts", [])}


@pytest.mark.slow
@pytest.mark.parametrize("folder, containers", [("base", ["install", "doctor", "pause"]),
                                                ("restart", ["install", "restart", "doctor", "pause"])])
def test_what_kustomize_builds(folder, containers):
    """Each image has a place that can be replaced."""
    decoders = go_program.built(os.path.join(ROOT, "tests", "deploy", "decoders"))
    done = subprocess.run([decoders, "kustomize", FOLDER / folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    daemonset = json.loads(done.stdout)
    assert (daemonset["kind"], daemonset["metadata"]["namespace"]) == ("DaemonSet", "kube-system")
    spec = spec_of(daemonset)
    assert [built["name"] for built in spec["initContainers"] + spec["containers"]] == containers
    places = {name: "{newName}:{newTag}".format(**place) for name, place in IMAGES.items()}
    for built in spec["initContainers"] + spec["containers"]:
        assert built["image"] == places[container(built["name"])["image"]]
    for init in spec["initContainers"]:
        assert init["securityContext"] == ({"privileged": True} if init["name"] == "restart" else LOCKED)
    assert spec.get("hostPID", False) == (folder == "restart")


@pytest.mark.slow
def test_fields_that_nobody_knows_are_refused(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "daemonset")
    path = tmp_path / "daemonset" / "base" / "daemonset.yaml"
    path.write_text(path.read_text().replace("hostNetwork: true", "hostNet: true"))
    decoders = go_program.built(os.path.join(ROOT, "tests", "deploy", "decoders"))
    done = subprocess.run([decoders, "kustomize", path.parent], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and 'unknown field "spec.template.spec.hostNet"' in done.stderr


def test_base_may_do_little():
    assert BASE["automountServiceAccountToken"] is False and "hostPID" not in BASE and "serviceAccountName" not in BASE
    assert {volume["name"]: volume["hostPath"]["path"] for volume in BASE["volumes"]} == {**READ, **CERTIFICATES}
    assert mounts("install") == {name: ("/host" + path, False) for name, path in WRITTEN.items()}
    assert mounts("doctor") == {**{name: ("/host" + path, True) for name, path in READ.items()},
                                **{name: (path, True) for name, path in CERTIFICATES.items()}}
    assert mounts("pause") == {}
    for name in ("install", "doctor", "pause"):
        assert LOCKED.items() <= container(name)["securityContext"].items()
    assert container("pause")["securityContext"]["runAsNonRoot"] is True


class Node(MadeUpNode):
    """One on which the containers run."""

    def __init__(self, root):
        super().__init__(root)
        self.kubelet(*FLAGS)
        self.path(BIN).mkdir(parents=True)
        self.write(CONFIG, configuration(OTHER))

    def arguments(self, name, root):
        return [argument.replace("/host", str(root)) for argument in container(name)["args"]]

    def install(self):
        result = call(*self.arguments("install", self.root), prefix=AS_THERE)
        assert result.status == 0, result.err

    def doctor(self, view, cloud):
        """What it finds where it sees no more than what is mounted."""
        shutil.rmtree(view, ignore_errors=True)
        for path, _ in mounts("doctor").values():
            if path.startswith("/host") and self.path(path.removeprefix("/host")).exists():
                shutil.copytree(self.path(path.removeprefix("/host")), f"{view}{path.removeprefix('/host')}",
                                symlinks=True)
        command, *arguments = self.arguments("doctor", view)
        assert command == "doctor"
        return examine(*arguments, cloud=cloud, prefix=AS_THERE)


@pytest.fixture
def node(tmp_path):
    return Node(tmp_path / "node")


def test_containers_on_a_node(node, tmp_path, cloud):
    """doctor fails until the kubelet has been started again."""
    assert not node.doctor(tmp_path / "view", cloud).healthy
    node.install()
    assert os.access(node.path(f"{BIN}/{PROVIDER}"), os.X_OK)
    assert os.readlink(node.path(f"{BIN}/docker-credential-aliyun-acr")) == PROVIDER
    assert [provider["name"] for provider in yaml.safe_load(node.path(CONFIG).read_text())["providers"]] == [
        "other", PROVIDER]
    node.write(f"{BIN}/other", open(PROGRAM, "rb").read(64), 0o755)
    assert [check["id"] for check in node.doctor(tmp_path / "view", cloud).of_status("failed")] == ["kubelet.restart"]
    node.started_s = int(time.time()) + 60
    node.kubelet(*FLAGS)
    assert node.doctor(tmp_path / "view", cloud).healthy
    before = node.path(CONFIG).stat().st_mtime_ns
    node.install()
    assert node.path(CONFIG).stat().st_mtime_ns == before


class Systemd:
    """A node on which the script runs that restarts the kubelet, with a stand-in for systemctl."""

    def __init__(self, folder):
        self.folder, self.file = folder, folder / "credential-provider.yaml"
        self.file.write_text("new")
        (folder / "bin").mkdir()
        self.stand_in("nsenter", 'while [ "$1" != sh ]; do shift; done; exec "$@"')
        self.stand_in("sleep", "")
        self.stand_in("systemctl", f'''cd {folder}; echo "$1" >>called
            case $1 in
            show) [ ! -s started ] || date -d "@$(cat started)" '+%a %Y-%m-%d %H:%M:%S %Z' ;;
            is-active) exit "$(cat status)" ;;
            restart) exit "$(cat status)" ;;
            esac''')

    def stand_in(self, name, script):
        (self.folder / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.folder / "bin" / name).chmod(0o755)

    def restart(self, started_s, status=0):
        """The exit status of the container, and what systemctl was called for."""
        (self.folder / "started").write_text(str(int(started_s)) if started_s else "")
        (self.folder / "status").write_text(str(status))
        variables = {variable["name"]: variable["value"] for variable in RESTART["env"]}
        assert variables == {"SERVICE": "kubelet", "FILE": CONFIG, "PROGRAM": f"{BIN}/{PROVIDER}"}
        done = subprocess.run([*RESTART["command"], *RESTART["args"]], check=False, env={
            **variables, "FILE": str(self.file), "PROGRAM": PROGRAM,
            "PATH": f"{self.folder}/bin:/usr/bin:/bin", "TZ": "Asia/Shanghai"})
        return done.returncode, [call for call, _ in itertools.groupby((self.folder / "called").read_text().split())]


@pytest.fixture
def systemd(tmp_path):
    return Systemd(tmp_path)


def test_kubelet_that_is_newer_than_its_file_is_left_alone(systemd):
    assert systemd.restart(time.time() + 60) == (0, ["show"])


def test_kubelet_that_is_older_is_restarted(systemd):
    assert systemd.restart(time.time() - 60) == (0, ["show", "restart", "is-active"])
    assert systemd.file.read_text() == "new"


def test_kubelet_that_does_not_run_loses_the_entry(systemd):
    before = json.dumps(configuration(entry(name="other")), indent=1)
    systemd.file.write_text(before)
    subprocess.run([PROGRAM, "config", "--install", systemd.file], check=True, capture_output=True)
    assert systemd.file.read_text() != before
    assert systemd.restart(time.time() - 60, status=3) == (1, ["show", "restart", "is-active", "restart"])
    assert systemd.file.read_text() == before


def test_file_that_would_be_gone_is_left(systemd):
    """The kubelet cannot start with flags that name a missing file."""
    systemd.file.unlink()
    subprocess.run([PROGRAM, "config", "--install", systemd.file], check=True, capture_output=True)
    before = systemd.file.read_text()
    assert systemd.restart(time.time() - 60, status=3) == (1, ["show", "restart", "is-active"])
    assert systemd.file.read_text() == before


def test_service_that_is_not_there(systemd):
    assert systemd.restart(None) == (1, ["show"])


def test_shellcheck():
    if not shutil.which("shellcheck"):
        skip_where_permitted("shellcheck is not there")
    done = subprocess.run(["shellcheck", "--shell", "sh", "-"], input=RESTART["args"][0], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stdout
