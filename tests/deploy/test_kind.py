"""kind's own code on the cluster files, the script with stand-ins for what it calls, and the cloud that it starts."""

import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys

import go_program
import pytest
import yaml
from kubelet_files import DEPLOY, environment
from program_run import DEMO, PROGRAM, ROOT, call, skip_where_permitted, without_cache

GO = os.path.join(ROOT, "tests", "deploy")
FOLDERS = {"acr": DEPLOY / "kind", "acr-emulated": DEPLOY / "kind" / "emulated"}
KEY, SECRET = "LTAIemulatorkey00001", "emulator-secret-0000000001"


class Machine:
    """One with stand-ins for docker, and for the others that note their arguments and print what they are told."""

    def __init__(self, folder):
        self.folder, self.state, self.home = folder, folder / "state", folder / "home"
        for made in (self.state, self.home, folder / "bin"):
            made.mkdir()
        self.stand_in("docker", f"exec {sys.executable} -B {ROOT}/tests/deploy/docker_stand_in.py \"$@\"")
        self.variables = {"PATH": f"{folder}/bin:/usr/bin:/bin", "HOME": str(self.home), "STAND_IN": str(self.state)}

    def stand_in(self, name, script):
        (self.folder / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.folder / "bin" / name).chmod(0o755)

    def run(self, *command, cwd=None, **variables):
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False,
                              env={**self.variables, **variables})

    def calls(self):
        return [json.loads(line) for line in (self.state / "calls").read_text().splitlines()]


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


# -- cluster files

@pytest.mark.slow
@pytest.mark.parametrize("cluster", FOLDERS)
@pytest.mark.parametrize("version, modules, plugin", [
    ("v1.30.0", "go-1.34.mod", "2 io.containerd.grpc.v1.cri"),
    ("v1.34.0", "go-1.34.mod", "2 io.containerd.grpc.v1.cri"),
    ("v1.37.0", "go.mod", "3 io.containerd.cri.v1.images")])
def test_what_kind_makes_of_a_cluster(machine, cluster, version, modules, plugin):
    """It mounts the folder in which it is started, and kubeadm of that version reads what it would get."""
    kind = go_program.built(os.path.join(GO, "decoders"), package="sigs.k8s.io/kind")
    kubeadm = go_program.built(os.path.join(GO, "kubeadm"), modules=modules)
    done = machine.run(kind, "create", "cluster", "--name", cluster, "--retain", "--config",
                       str(FOLDERS[cluster] / "cluster.yaml"), cwd=machine.folder, KUBERNETES=version,
                       CONTAINERD=plugin[0], KIND_EXPERIMENTAL_PROVIDER="docker")
    assert "failed to init node with kubeadm" in done.stderr, done.stderr  # which is as far as the stand-in goes
    runs = {line[2]: line for line in machine.calls() if line[0] == "run"}
    assert runs.keys() == {f"{cluster}-control-plane", *(["acr-worker"] if cluster == "acr" else [])}
    for node, arguments in runs.items():
        assert f"--volume={machine.folder}:/opt/acr:ro" in arguments
        read = machine.run(kubeadm, str(machine.state / node / "kubeadm.conf"))
        assert read.returncode == 0, read.stderr
        found = {kind: document for line in read.stdout.splitlines() for kind, document in json.loads(line).items()}
        document = found["JoinConfiguration" if node.endswith("worker") else "InitConfiguration"]
        arguments = {argument["Name"]: argument["Value"]
                     for argument in document["NodeRegistration"]["KubeletExtraArgs"]}
        assert arguments["image-credential-provider-bin-dir"] == "/opt/acr/bin"
        assert arguments["image-credential-provider-config"] == "/opt/acr/credential-provider.yaml"
    if cluster == "acr-emulated":
        for folder, place in (("containerd", "/etc/systemd/system/containerd.service.d"),
                              ("registry", "/etc/containerd/certs.d/" + DEMO)):
            assert f"--volume={machine.folder}/{folder}:{place}:ro" in runs["acr-emulated-control-plane"]
            assert (FOLDERS[cluster] / folder).is_dir()
        written = (machine.state / "acr-emulated-control-plane" / "config.toml").read_text()
        assert re.findall(r'^ *\[plugins\.(.*)\]\n *config_path = "/etc/containerd/certs.d"$', written, re.M) == [
            f'"{plugin[2:]}".registry']


@pytest.mark.slow
def test_kind_refuses_what_it_does_not_know(machine):
    kind = go_program.built(os.path.join(GO, "decoders"), package="sigs.k8s.io/kind")
    text = (FOLDERS["acr"] / "cluster.yaml").read_text()
    (machine.folder / "cluster.yaml").write_text(text.replace("extraMounts", "extraMount"))
    done = machine.run(kind, "create", "cluster", "--config", str(machine.folder / "cluster.yaml"))
    assert done.returncode == 1 and "field extraMount not found" in done.stderr


@pytest.mark.slow
def test_configurations(tmp_path):
    assert environment(FOLDERS["acr"] / "credential-provider.yaml", tmp_path) == {
        "ALIBABA_CLOUD_CONFIG_FILE": "/etc/aliyun-acr-credential-provider/profile.json",
        "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"}
    assert environment(FOLDERS["acr-emulated"] / "credential-provider.yaml", tmp_path).keys() == {
        "ALIBABA_CLOUD_IMDS_ENDPOINT", "HTTPS_PROXY", "SSL_CERT_FILE"}


# -- the script

class Laptop(Machine):
    """A checkout, in which the script runs."""

    def __init__(self, folder, image_id="sha256:0123"):
        super().__init__(folder)
        self.checkout = folder / "checkout"
        for part in ("deploy/kind", "tests/emulator"):
            shutil.copytree(os.path.join(ROOT, part), self.checkout / part)
        note = f'printf "%s\\n" "$0 $*" >>{self.state}/others'
        self.stand_in("kind", f'''{note}
            case "$1 $2" in
            "get nodes") printf "acr-control-plane\\nacr-worker\\n" ;;
            "create cluster") pwd >{self.state}/directory ;;
            esac''')
        self.stand_in("kubectl", f'''{note}
            case "$*" in *imageID*) printf %s "{image_id}" ;; *nodeName*) printf acr-worker ;; esac''')
        self.stand_in("sleep", "")

    def attempt(self, *arguments, **variables):
        return self.run("bash", str(self.checkout / "deploy" / "kind" / "try.sh"), *arguments, cwd=self.folder,
                        **{"PROGRAM": PROGRAM, **variables})

    def others(self):
        return (self.state / "others").read_text()

    def profiles(self):
        """The files with them that the nodes have got, which nobody else can read."""
        found = list(self.state.glob("*/etc/aliyun-acr-credential-provider/profile.json"))
        for path in found:
            assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        return found

    def assert_nowhere_else(self, secret):
        said = json.dumps(self.calls()) + self.others()
        assert secret not in said
        for path in self.folder.rglob("*"):
            if path.is_file() and not path.is_relative_to(self.home) and path not in self.profiles() and \
                    not path.is_relative_to(self.checkout / "tests"):  # the emulator has its own
                assert secret.encode() not in path.read_bytes(), path


@pytest.fixture
def laptop(tmp_path):
    return Laptop(tmp_path)


def assert_program_uses(profile, cloud):
    """It is the identity with which the program gets a password, by the variables of the kubelet's configuration."""
    result = call("get", "--output", "password", DEMO, environment={
        **cloud.environment(), **without_cache(), "ALIBABA_CLOUD_CONFIG_FILE": str(profile),
        "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"})
    assert result.status == 0, result.err
    assert result.out.strip() == cloud.cloud.issued[-1] and cloud.log("metadata") == []


def test_access_key_of_the_environment(laptop, cloud):
    done = laptop.attempt(DEMO + "/team/app", ALIBABA_CLOUD_ACCESS_KEY_ID=KEY, ALIBABA_CLOUD_ACCESS_KEY_SECRET=SECRET)
    assert (done.returncode, done.stdout) == (0, "pulled: sha256:0123\n"), done.stderr
    work = laptop.checkout / "build" / "acr"
    assert (laptop.state / "directory").read_text().strip() == str(work)
    assert {path.name for path in work.iterdir()} == {"bin", "keys", "cluster.yaml", "credential-provider.yaml"}
    assert os.access(work / "bin" / os.path.basename(PROGRAM), os.X_OK)
    assert f"run acr-try --image {DEMO}/team/app " in laptop.others()
    assert len(laptop.profiles()) == 2
    laptop.assert_nowhere_else(SECRET)
    assert_program_uses(laptop.profiles()[0], cloud)


def test_profile_of_the_cli(laptop, cloud):
    """The one that is chosen; the secrets of others stay."""
    path = laptop.home / ".aliyun" / "config.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"current": "other", "profiles": [
        {"name": "other", "mode": "AK", "access_key_id": "LTAIother", "access_key_secret": "of-another"},
        {"name": "mine", "mode": "AK", "access_key_id": KEY, "access_key_secret": SECRET}]}))
    done = laptop.attempt(DEMO + "/team/app", ALIBABA_CLOUD_PROFILE="mine")
    assert done.returncode == 0, done.stderr
    for secret in (SECRET, "of-another"):
        laptop.assert_nowhere_else(secret)
    assert "of-another" not in laptop.profiles()[0].read_text()
    assert_program_uses(laptop.profiles()[0], cloud)


@pytest.mark.parametrize("profile, words", [
    (None, "nor is there a profile"), ({"name": "me", "mode": "External"}, "no profile me of mode"),
    ({"name": "you", "mode": "AK"}, "no profile me of mode")])
def test_no_identity_for_nodes(laptop, profile, words):
    if profile:
        (laptop.home / ".aliyun").mkdir()
        (laptop.home / ".aliyun" / "config.json").write_text(json.dumps({"current": "me", "profiles": [profile]}))
    done = laptop.attempt(DEMO + "/team/app")
    assert done.returncode == 1 and words in done.stderr
    assert not (laptop.state / "others").exists()


def test_pull_that_fails(tmp_path):
    laptop = Laptop(tmp_path, image_id="")
    done = laptop.attempt(DEMO + "/team/app", ALIBABA_CLOUD_ACCESS_KEY_ID=KEY, ALIBABA_CLOUD_ACCESS_KEY_SECRET=SECRET)
    assert done.returncode == 1 and done.stderr.endswith(
        f"what the kubelet says\ntry.sh: {DEMO}/team/app was not pulled\n")
    assert "describe pod acr-try" in laptop.others()


@pytest.mark.parametrize("arguments, variables, words", [
    ([], {}, "usage:"), (["--help"], {}, "usage:"), (["--emulated"], {"PROGRAM": ""}, "PROGRAM has to name")])
def test_wrong_command_lines(laptop, arguments, variables, words):
    done = laptop.attempt(*arguments, **variables)
    assert done.returncode == 1 and words in done.stderr


def test_delete(laptop):
    assert laptop.attempt("--emulated").returncode == 0 and laptop.attempt("--delete").returncode == 0
    assert re.findall("delete cluster --name (.*)", laptop.others()) == ["acr", "acr-emulated"]
    assert os.listdir(laptop.checkout / "build") == []
    assert laptop.calls()[-1] == ["rm", "--force", "acr-emulated-cloud"]


# -- the emulated cloud

@pytest.fixture
def emulated(laptop):
    """Variables that lead to the process that the script starts in a container, here on ports of its own."""
    if not shutil.which("skopeo"):
        skip_where_permitted("skopeo is not there")
    done = laptop.attempt("--emulated")
    assert done.returncode == 0, done.stderr
    run, = (line for line in laptop.calls() if line[0] == "run")
    assert run[run.index("--network") + 1] == "container:acr-emulated-control-plane"
    volumes = dict(volume.split(":")[:2][::-1] for flag, volume in zip(run, run[1:]) if flag == "--volume")
    command = run[run.index("python3"):]
    config = yaml.safe_load((FOLDERS["acr-emulated"] / "credential-provider.yaml").read_text())
    configured = {variable["name"]: variable["value"] for variable in config["providers"][0]["env"]}
    assert configured == {"ALIBABA_CLOUD_IMDS_ENDPOINT": "http://127.0.0.1:" + command[-2],
                          "HTTPS_PROXY": "http://127.0.0.1:" + command[-1], "SSL_CERT_FILE": "/opt/acr/keys/ca.pem"}
    assert "HTTPS_PROXY=http://127.0.0.1:" + command[-1] in (
        FOLDERS["acr-emulated"] / "containerd" / "proxy.conf").read_text()
    command = [volumes.get(word, word) for word in command[:-2]] + ["0", "0"]
    with subprocess.Popen(command, cwd=volumes["/opt/acr"], stdout=subprocess.PIPE, text=True,
                          env={"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}) as process:
        variables = dict(process.stdout.readline().strip().split("=", 1) for _ in configured)
        variables["SSL_CERT_FILE"] = os.path.join(volumes["/opt/acr"], variables["SSL_CERT_FILE"])
        yield variables
        process.terminate()


@pytest.mark.slow
def test_image_of_the_emulated_registry(emulated, tmp_path):
    """It is the program, and needs the password that the program gets."""
    (tmp_path / "docker").mkdir()
    command = ["skopeo", "--insecure-policy", "copy", f"docker://{DEMO}/team/app:v1", f"dir:{tmp_path}/image"]
    environment = {**emulated, "PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode != 0 and "unauthorized" in done.stderr
    result = call("get", "--output", "docker", DEMO, environment={**emulated, **without_cache()})
    (tmp_path / "auth.json").write_text(result.out)
    done = subprocess.run([*command, "--src-authfile", f"{tmp_path}/auth.json"], capture_output=True, text=True,
                          env=environment, check=False)
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "image" / "manifest.json").read_text())
    layer = tmp_path / "image" / manifest["layers"][0]["digest"].removeprefix("sha256:")
    subprocess.run(["tar", "-C", tmp_path, "-xf", layer], check=True)
    assert (tmp_path / "program").read_bytes() == pathlib.Path(PROGRAM).read_bytes()
    assert os.access(tmp_path / "program", os.X_OK)


def test_registry_of_the_emulated_cloud_is_the_one_of_the_emulator():
    hosts = (FOLDERS["acr-emulated"] / "registry" / "hosts.toml").read_text()
    assert hosts == f'server = "https://{DEMO}"\nca = "/opt/acr/keys/ca.pem"\n'
    assert f"pull acr-emulated {DEMO}/team/app:v1\n" in (DEPLOY / "kind" / "try.sh").read_text()
