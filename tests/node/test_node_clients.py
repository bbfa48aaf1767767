"""What pulls beside the kubelet's ordinary pods: static pods, crictl, nerdctl."""

import json
import re
import shutil

from node import DEMO, OWN_CONFIG, PROVIDER, ROOT, Node, write

MANIFESTS = "/etc/kubernetes/manifests"


def test_static_pod(node):
    """A static pod, whose requests have no token: the node's role, even where pods without a role are refused"""
    write(OWN_CONFIG, {"podIdentity": {"clusterId": "c0123456789", "withoutRole": "refuse"}}, 0o600)
    with open(f"{ROOT}/deploy/credential-provider-pods.yaml", encoding="utf-8") as file:
        write("/etc/kubernetes/credential-provider.yaml", file.read())
    node.images.push("static/app")
    write(MANIFESTS + "/static.json", {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "static", "namespace": "default"},
        "spec": {"hostNetwork": True, "terminationGracePeriodSeconds": 0,
                 "containers": [{"name": "app", "image": DEMO + "/static/app:v1"}]}})
    node.start_kubelet(staticPodPath=MANIFESTS)
    node.wait_running("static-node")
    assert node.calls() == ["GetAuthorizationToken"]
    shutil.rmtree(MANIFESTS)  # by which the kubelet ends it


def test_pulled_before_the_kubelet(node):
    """crictl, by the script of deploy/systemd, before the kubelet starts: pulled, and pinned if containerd can"""
    image = DEMO + "/prepull/app:v1"
    node.images.push("prepull/app")
    write("/run/images", f"# what every pod may use\n{image}\n")
    done = node.run("sh", f"{ROOT}/deploy/systemd/aliyun-acr-prepull.sh", "/run/images")
    assert done.returncode == 0, done.stderr
    status = json.loads(node.run("crictl", "inspecti", image).stdout)["status"]
    assert image in status["repoTags"], status
    version = containerd_version()
    assert status["pinned"] == (version >= ((1, 7, 10) if version >= (1, 7) else (1, 6, 25))), status
    node.emulator.fault("registry", status=503)
    node.start_kubelet()
    node.pod("prepulled", image)
    node.wait_running("prepulled")


def containerd_version():
    said = Node.run("containerd", "--version").stdout
    return tuple(int(part) for part in re.search(r" v?(\d+)\.(\d+)\.(\d+)", said).groups())


def test_nerdctl_by_the_helper(node):
    """nerdctl, by the credential helper that config --docker sets up"""
    image = DEMO + "/nerdctl/helper:v1"
    node.images.push("nerdctl/helper")
    assert node.run("nerdctl", "pull", "--quiet", image).returncode != 0
    done = node.run(PROVIDER, "config", "--docker", DEMO)
    assert done.returncode == 0, done.stderr
    done = node.run("nerdctl", "pull", "--quiet", image)
    assert done.returncode == 0, done.stderr
    assert node.calls() == ["GetAuthorizationToken"]


def test_nerdctl_by_a_password(node):
    """nerdctl login with the password that get prints, as the README has it"""
    with open(f"{ROOT}/README.md", encoding="utf-8") as file:
        line, = (line for line in file if "| nerdctl login" in line)
    done = node.run("sh", "-euc", line.replace("HOST", DEMO))
    assert done.returncode == 0, done.stderr
    node.images.push("nerdctl/password")
    done = node.run("nerdctl", "pull", "--quiet", DEMO + "/nerdctl/password:v1")
    assert done.returncode == 0, done.stderr
