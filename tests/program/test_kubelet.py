"""The kubelet's own code runs the program: its configuration, its matching, its strict decoder, its cache."""

import json
import os
import subprocess

import pytest
import yaml
from identity_fixtures import CLAIMS, POD_ROLE, PULLER
from kubelets import NEWEST, VERSIONS, check, kubelet
from program_run import API, DEMO, PROGRAM, ROOT, caller, without_cache

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kubelet")]

PERSONAL = "registry-vpc.cn-beijing.aliyuncs.com"
PODS = "credential-provider-pods.yaml"
GATE = "KubeletServiceAccountTokenForCredentialProviders=true"


@pytest.fixture
def bin_dir(tmp_path):
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "aliyun-acr-credential-provider").symlink_to(PROGRAM)
    return folder


def changed(folder, example="credential-provider.yaml", change=lambda provider: None):
    """A copy of an example, changed."""
    with open(os.path.join(ROOT, "deploy", example), encoding="utf-8") as file:
        document = yaml.safe_load(file)
    change(document["providers"][0])
    path = folder / "credential-provider.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


class Node:
    """One kubelet after the other, each with an empty cache of its own, with a provider that keeps nothing either."""

    def __init__(self, cloud, tmp_path, bin_dir):
        self.cloud, self.folder, self.bin = cloud, tmp_path, bin_dir

    def pull(self, *images, more=None, config=None, version=NEWEST, **what):
        """The log-ins that the kubelet finds for each image, and what it logs."""
        path = changed(self.folder, **what)
        environment = {**self.cloud.environment(), **without_cache(), **(more or {})}
        if config is not None:
            own = self.folder / "config.json"
            own.write_text(json.dumps({"cache": {"enabled": False}, **config}))
            own.chmod(0o600)
            environment["ACR_CREDENTIAL_PROVIDER_CONFIG"] = str(own)
        done = subprocess.run([kubelet(version), path, self.bin, *images], capture_output=True, text=True,
                              env=environment, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


@pytest.fixture
def node(cloud, tmp_path, bin_dir):
    return Node(cloud, tmp_path, bin_dir)


def login(password):
    return [{"User": "cr_temp_user", "Password": password}]


@pytest.mark.parametrize("version", ["v1", "v1beta1", "v1alpha1"])
def test_images_of_a_registry_cost_one_run(node, version):
    found, said = node.pull(DEMO + "/team/app:v1", DEMO + "/team/other@sha256:" + "0" * 64, PERSONAL + "/team/app",
                            "docker.io/library/nginx",
                            change=lambda provider: provider.update(apiVersion=API + version))
    enterprise, personal = node.cloud.cloud.issued
    assert found == [login(enterprise), login(enterprise), login(personal), []] and said == ""


@pytest.mark.parametrize("version", VERSIONS)
def test_versions_of_the_kubelet(node, version):
    found, said = node.pull(DEMO + "/app", PERSONAL + "/app", version=version)
    assert found == [login(password) for password in node.cloud.cloud.issued] and said == ""


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
    found, said = node.pull(DEMO + "/app", example=PODS, more=more, config=config)
    assert found == [login(node.cloud.cloud.issued[-1])] and said == ""
    assert caller(node.cloud) == who


@pytest.mark.parametrize("version", [version for version in VERSIONS if version >= "1.33"])
def test_role_of_a_pod_in_versions(node, version):
    def change(provider):
        if version == "1.33":
            provider["tokenAttributes"].pop("cacheType")
    more = {"TOKEN": node.cloud.cloud.mint(CLAIMS), "ANNOTATIONS": json.dumps({"acr.aliyun.com/role-arn": POD_ROLE}),
            "FEATURE_GATES": GATE if version == "1.33" else ""}
    found, said = node.pull(DEMO + "/app", version=version, example=PODS, change=change, more=more,
                            config={"podIdentity": {"clusterId": "c0123456789"}})
    assert found == [login(node.cloud.cloud.issued[-1])] and said == ""
    assert caller(node.cloud) == "pod"


def test_kubelet_logs_why(node):
    node.cloud.cloud.permissions = set()
    found, said = node.pull(DEMO + "/app")
    assert found == [[]]
    assert "NoPermission" in said and "Grant cr:GetAuthorizationToken" in said


@pytest.mark.parametrize("example, version", [
    *(("credential-provider.yaml", version) for version in VERSIONS),
    *((PODS, version) for version in VERSIONS if version >= "1.34")])
def test_examples_are_accepted(bin_dir, example, version):
    assert check(version, os.path.join(ROOT, "deploy", example), bin_dir) is None


def test_example_for_pods_in_1_33(tmp_path, bin_dir):
    """With the gate, and without the line that its comment speaks of."""
    path = changed(tmp_path, PODS, lambda provider: provider["tokenAttributes"].pop("cacheType"))
    assert check("1.33", path, bin_dir, GATE) is None
    assert "feature gate is disabled" in check("1.33", path, bin_dir)
    assert "tokenAttributes.cacheType" in check("1.33", changed(tmp_path, PODS), bin_dir, GATE)


@pytest.mark.parametrize("change, words", [
    ({"name": "other"}, "did not exist"), ({"defaultCacheDuration": 0}, "cannot unmarshal number"),
    ({"matchImages": ["a b"]}, "match image is invalid"), ({"retries": 1}, 'unknown field "providers[0].retries"'),
])
def test_what_a_kubelet_refuses(tmp_path, bin_dir, change, words):
    path = changed(tmp_path, change=lambda provider: provider.update(change))
    for version in VERSIONS:
        said = check(version, path, bin_dir)
        if version < "1.32" and "unknown" in words:  # what they do not know they do not read
            assert said is None
        else:
            assert words in said
