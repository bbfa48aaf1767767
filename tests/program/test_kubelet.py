"""The kubelet's own code runs the program: its configuration, its matching, its strict decoder, its cache."""

import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest
import yaml
from identity_fixtures import CLAIMS, POD_ROLE, PULLER
from program_run import API, DEMO, PROGRAM, ROOT, caller, skip_where_permitted, without_cache

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kubelet")]

SOURCES = pathlib.Path(__file__).resolve().parent / "kubelet"
PERSONAL = "registry-vpc.cn-beijing.aliyuncs.com"


def go_version():
    said = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in re.findall(r"\d+", said)[:2])


@pytest.fixture(scope="module")
def kubelet():
    """Built into the build folder; Go's cache makes that quick from the second time on."""
    target = os.path.join(os.path.dirname(PROGRAM), "kubelet")
    if not shutil.which("go"):
        skip_where_permitted("there is no Go")
    if go_version() < (1, 21):  # Debian 12 has no other, and must pass too; a later one fetches what the kubelet needs
        pytest.skip("the kubelet's code needs Go 1.21 or later, Debian 12 itself has none")
    done = subprocess.run(["go", "build", "-buildvcs=false", "-o", target, "."], cwd=SOURCES, capture_output=True,
                          text=True, timeout=1500, check=False)
    if done.returncode != 0:
        skip_where_permitted("the kubelet's code could not be built: " + done.stderr)
    return target


class Node:
    """One kubelet after the other, each with an empty cache of its own, with a provider that keeps nothing either."""

    def __init__(self, kubelet, cloud, tmp_path):
        self.kubelet, self.cloud, self.folder = kubelet, cloud, tmp_path
        self.bin = tmp_path / "bin"
        self.bin.mkdir()
        (self.bin / "aliyun-acr-credential-provider").symlink_to(PROGRAM)

    def pull(self, *images, example="credential-provider.yaml", change=lambda provider: None, more=None, config=None):
        """The log-ins that the kubelet finds for each image, and what it logs."""
        with open(os.path.join(ROOT, "deploy", example), encoding="utf-8") as file:
            document = yaml.safe_load(file)
        change(document["providers"][0])
        path = self.folder / "credential-provider.yaml"
        path.write_text(yaml.safe_dump(document))
        environment = {**self.cloud.environment(), **without_cache(), **(more or {})}
        if config is not None:
            own = self.folder / "config.json"
            own.write_text(json.dumps({"cache": {"enabled": False}, **config}))
            own.chmod(0o600)
            environment["ACR_CREDENTIAL_PROVIDER_CONFIG"] = str(own)
        done = subprocess.run([self.kubelet, path, self.bin, *images], capture_output=True, text=True, env=environment,
                              timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


@pytest.fixture
def node(kubelet, cloud, tmp_path):
    return Node(kubelet, cloud, tmp_path)


def login(password):
    return [{"User": "cr_temp_user", "Password": password}]


@pytest.mark.parametrize("version", ["v1", "v1beta1", "v1alpha1"])
def test_images_of_a_registry_cost_one_run(node, version):
    found, said = node.pull(DEMO + "/team/app:v1", DEMO + "/team/other@sha256:" + "0" * 64, PERSONAL + "/team/app",
                            "docker.io/library/nginx",
                            change=lambda provider: provider.update(apiVersion=API + version))
    enterprise, personal = node.cloud.cloud.issued
    assert found == [login(enterprise), login(enterprise), login(personal), []] and said == ""


def test_host_with_a_port(node):
    found, _ = node.pull(DEMO + ":443/app", change=lambda provider: provider["matchImages"].append(DEMO + ":443"))
    assert found == [login(node.cloud.cloud.issued[-1])]


def test_login_for_a_path_serves_no_other_path(node):
    config = {"registries": [{"match": [DEMO + "/team-a"], "identity": {"assumeRole": [
        {"roleArn": PULLER}]}}]}
    found, _ = node.pull(DEMO + "/team-b/app", DEMO + "/team-a/app", DEMO + "/team-a/app", config=config)
    of_node, of_role = node.cloud.cloud.issued
    assert found == [login(of_node), login(of_role), login(of_role)]
    assert caller(node.cloud) == "puller"


def test_anonymous_host(node):
    image = "registry-cn-hangzhou.ack.aliyuncs.com/acs/pause"
    found, said = node.pull(image, image, change=lambda provider: provider["matchImages"].append("*.ack.aliyuncs.com"))
    assert found == [[], []] and said == ""


@pytest.mark.parametrize("annotations, who", [
    ({"acr.aliyun.com/role-arn": POD_ROLE}, "pod"), ({"pod-identity.alibabacloud.com/role-name": "pod"}, "pod"),
    ({"pod-identity.alibabacloud.com/role-arn": POD_ROLE}, "pod"), ({}, "KubernetesWorkerRole"),
])
def test_role_of_a_pod(node, annotations, who):
    more = {"TOKEN": node.cloud.cloud.mint(CLAIMS), "ANNOTATIONS": json.dumps(annotations)}
    config = {"podIdentity": {"clusterId": "c0123456789"}}
    found, said = node.pull(DEMO + "/app", example="credential-provider-pods.yaml", more=more, config=config)
    assert found == [login(node.cloud.cloud.issued[-1])] and said == ""
    assert caller(node.cloud) == who


def test_kubelet_logs_why(node):
    node.cloud.cloud.permissions = set()
    found, said = node.pull(DEMO + "/app")
    assert found == [[]]
    assert "NoPermission" in said and "Grant cr:GetAuthorizationToken" in said
