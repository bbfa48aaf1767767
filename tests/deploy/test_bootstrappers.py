"""The files for kubeadm, k3s, Cluster API, Flatcar and Talos, read by the code of those who will read them."""

import base64
import gzip
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import urllib.parse

import go_program
import pytest
import yaml
from kubelet_files import DEPLOY, environment
from program_run import PROGRAM, ROOT, skip_where_permitted

NAME = os.path.basename(PROGRAM)
FILE, DIRECTORY = "/etc/kubernetes/credential-provider.yaml", "/etc/kubernetes/credential-providers.d"
GO = os.path.join(ROOT, "tests", "deploy")
DIRECTORIES = ["1.34", "1.37"]


def flags(config, bin_dir="/usr/local/bin"):
    return {"image-credential-provider-bin-dir": bin_dir, "image-credential-provider-config": config}


def documents(*command):
    """The lines of JSON that it prints."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def refusal(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stdout == ""
    return done.stderr


def changed(path, folder, old, new):
    text = path.read_text()
    assert old in text
    (folder / path.name).write_text(text.replace(old, new))
    return folder / path.name


# -- kubeadm and k3s

@pytest.mark.slow
@pytest.mark.parametrize("name, modules, config", [
    ("v1beta3.yaml", "go-1.34.mod", FILE), ("v1beta4.yaml", "go-1.34.mod", FILE), ("v1beta4.yaml", "go.mod", FILE),
    ("v1beta4-directory.yaml", "go-1.34.mod", DIRECTORY), ("v1beta4-directory.yaml", "go.mod", DIRECTORY)])
def test_kubeadm(name, modules, config):
    kubeadm = go_program.built(os.path.join(GO, "kubeadm"), modules=modules)
    found = {kind: document["NodeRegistration"]["KubeletExtraArgs"]
             for line in documents(kubeadm, DEPLOY / "kubeadm" / name) for kind, document in line.items()}
    assert found.keys() == {"InitConfiguration", "JoinConfiguration"}
    for arguments in found.values():
        assert {argument["Name"]: argument["Value"] for argument in arguments} == flags(config)


@pytest.mark.slow
def test_kubeadm_refuses_what_it_does_not_know(tmp_path):
    misspelt = changed(DEPLOY / "kubeadm" / "v1beta4.yaml", tmp_path, "kubeletExtraArgs", "kubeletExtraArg")
    kubeadm = go_program.built(os.path.join(GO, "kubeadm"))
    assert 'unknown field "nodeRegistration.kubeletExtraArg"' in refusal(kubeadm, misspelt)
    assert "unknown configuration" in refusal(kubeadm, DEPLOY / "kubeadm" / "v1beta3.yaml")


@pytest.mark.slow
@pytest.mark.parametrize("page", ["kubeadm", "k3s"])
def test_configurations_that_pages_make(page, tmp_path):
    """By the commands of the page, below another root."""
    paths = re.findall(r"config --install (/\S+)$", (DEPLOY / page / "README.md").read_text(), re.M)
    assert len(paths) == 2
    for path in paths:
        place = pathlib.Path(f"{tmp_path}{path}")
        (place if "." not in place.name or place.suffix == ".d" else place.parent).mkdir(parents=True, exist_ok=True)
        subprocess.run([PROGRAM, "config", "--install", place], capture_output=True, check=True)
        versions = {"versions": DIRECTORIES} if place.is_dir() else {}
        assert environment(place, tmp_path, **versions) == {}


def test_directory_of_k3s():
    """The flags that k3s gives the kubelet are of the page's paths."""
    text, page = ((DEPLOY / "k3s" / name).read_text() for name in ("kubelet-directory.yaml", "README.md"))
    arguments = dict(argument.split("=") for argument in yaml.safe_load(text)["kubelet-arg+"])
    assert arguments == flags("/var/lib/rancher/credentialprovider/config.d", "/var/lib/rancher/credentialprovider/bin")
    assert f"config --install {arguments['image-credential-provider-config']}\n" in page
    assert f"{NAME}-x86_64 credentialprovider/bin/{NAME}\n" in page


# -- Cluster API

def configurations(path=DEPLOY / "cluster-api" / "kubeadm.yaml"):
    control_plane, workers = yaml.safe_load_all(path.read_text())
    return control_plane["spec"]["kubeadmConfigSpec"], workers["spec"]["template"]["spec"]


@pytest.mark.slow
def test_cluster_api(tmp_path):
    decoders = go_program.built(os.path.join(GO, "decoders"))
    path = DEPLOY / "cluster-api" / "kubeadm.yaml"
    control_plane, workers = documents(decoders, "cluster-api", path)
    assert (control_plane["kind"], workers["kind"]) == ("KubeadmControlPlane", "KubeadmConfigTemplate")
    specs = control_plane["spec"]["kubeadmConfigSpec"], workers["spec"]["template"]["spec"]
    for spec, kinds in zip(specs, (["initConfiguration", "joinConfiguration"], ["joinConfiguration"])):
        assert spec.keys() == {"files", "preKubeadmCommands", *kinds}
        assert spec["preKubeadmCommands"] == [spec["files"][0]["path"]]
        for kind in kinds:
            arguments = spec[kind]["nodeRegistration"]["kubeletExtraArgs"]
            assert {argument["name"]: argument["value"] for argument in arguments} == flags(FILE)
    assert "unknown field" in refusal(decoders, "cluster-api", changed(path, tmp_path, "permissions:", "mode:"))


class Machine:
    """A folder in place of the root, in which the script runs that installs the program."""

    def __init__(self, root):
        self.root = root
        self.program, self.config = (pathlib.Path(f"{root}{path}") for path in (f"/usr/local/bin/{NAME}", FILE))
        self.program.parent.mkdir(parents=True)

    def install(self, digest):
        """Its exit status."""
        script, other = (spec["files"][0]["content"] for spec in configurations())
        assert script == other
        for variable, value in (("URL", "file://" + PROGRAM), ("SHA256", digest)):
            script = re.sub(rf"^{variable}= *#", f"{variable}={value} #", script, flags=re.M)
        script = re.sub(r"(?<![\w/.}])/(?=(?:etc|usr)/)", f"{self.root}/", script)
        return subprocess.run(["sh", "-c", script], capture_output=True, check=False).returncode


@pytest.fixture
def machine(tmp_path):
    if not shutil.which("curl"):
        skip_where_permitted("curl is not there")
    return Machine(tmp_path)


@pytest.mark.slow
def test_script_of_cluster_api(machine):
    digest = hashlib.sha256(pathlib.Path(PROGRAM).read_bytes()).hexdigest()
    for _ in range(2):
        assert machine.install(digest) == 0
        assert os.access(machine.program, os.X_OK) and os.listdir(machine.program.parent) == [NAME]
        assert environment(machine.config, machine.root) == {}


def test_script_of_cluster_api_refuses_another_file(machine):
    assert machine.install("0" * 64) != 0
    assert not machine.program.exists() and not machine.config.exists()


def test_shellcheck_of_cluster_api():
    if not shutil.which("shellcheck"):
        skip_where_permitted("shellcheck is not there")
    script = configurations()[0]["files"][0]["content"]
    done = subprocess.run(["shellcheck", "-"], input=script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


# -- Flatcar

def content_of(file):
    """Of a data URL of Ignition."""
    kind, _, data = file["contents"]["source"].partition(",")
    data = base64.b64decode(data) if kind.endswith(";base64") else urllib.parse.unquote_to_bytes(data)
    return gzip.decompress(data) if file["contents"].get("compression") == "gzip" else data


@pytest.mark.slow
@pytest.mark.parametrize("name, program, folder", [
    ("opt-bin.yaml", f"/opt/bin/{NAME}", "/opt/bin"), ("sysext.yaml", f"/etc/extensions/{NAME}.raw", "/usr/bin")])
def test_flatcar(name, program, folder, tmp_path):
    decoders = go_program.built(os.path.join(GO, "decoders"))
    ignition, = documents(decoders, "butane", DEPLOY / "flatcar" / name)
    files = {file["path"]: file for file in ignition["storage"]["files"]}
    assert files.keys() == {program, FILE, "/etc/sysconfig/kubelet"}
    assert (files[program]["mode"], files[FILE]["mode"]) == (0o755 if folder == "/opt/bin" else 0o644, 0o644)
    assert files[program]["contents"]["verification"]["hash"] == "sha256-" + "0" * 64
    line = content_of(files["/etc/sysconfig/kubelet"]).decode()
    assert re.fullmatch(r'KUBELET_EXTRA_ARGS="[^"\n]*"\n', line)
    assert dict(re.findall(r'--([\w-]+)=([^" ]+)', line)) == flags(FILE, folder)
    (tmp_path / "credential-provider.yaml").write_bytes(content_of(files[FILE]))
    assert environment(tmp_path / "credential-provider.yaml", tmp_path) == {}


@pytest.mark.slow
def test_butane_refuses_what_it_does_not_know(tmp_path):
    misspelt = changed(DEPLOY / "flatcar" / "opt-bin.yaml", tmp_path, "mode: 0644", "modes: 0644")
    assert "modes" in refusal(go_program.built(os.path.join(GO, "decoders")), "butane", misspelt)


# -- Talos

@pytest.mark.slow
@pytest.mark.parametrize("version, name", [("v1.6", "before"), ("v1.13", "before"), ("v1.14", "from")])
def test_talos(version, name, tmp_path):
    talos = go_program.built(os.path.join(GO, "talos"))
    patch = DEPLOY / "talos" / f"{name}-1.14.yaml"
    config, = documents(talos, version, patch)
    (tmp_path / "written.yaml").write_text(yaml.safe_dump(config))
    file, = list(yaml.safe_load_all(patch.read_text()))[-1]["machine"]["files"]
    assert environment(tmp_path / "written.yaml", tmp_path) == {"ACR_CREDENTIAL_PROVIDER_CONFIG": file["path"]}
    assert file["path"].startswith("/var/lib/kubelet/") and file["permissions"] == "0o600"
    assert json.loads(file["content"]) == {}
    assert "unknown keys" in refusal(talos, version, changed(patch, tmp_path, "    op: create", "    oper: create"))


@pytest.mark.slow
@pytest.mark.parametrize("version, name, words", [
    ("v1.13", "from", "cannot use KubeCredentialProviderConfig with legacy kubelet configuration"),
    ("v1.14", "before", "kubelet config is already set in v1alpha1 config")])
def test_talos_refuses_the_wrong_patch(version, name, words):
    talos = go_program.built(os.path.join(GO, "talos"))
    assert words in refusal(talos, version, DEPLOY / "talos" / f"{name}-1.14.yaml")
    assert words in re.sub(r"\s+", " ", (DEPLOY / "talos" / "README.md").read_text())
