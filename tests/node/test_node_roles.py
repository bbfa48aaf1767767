"""Roles of pods, by the tokens that the API server issues for their service accounts."""

import pytest
from node import DEMO, OWN_CONFIG, ROOT, write

POD_ROLE = "acs:ram::1234567890123456:role/pod"
ANNOTATIONS = [{"acr.aliyun.com/role-arn": POD_ROLE}, {"pod-identity.alibabacloud.com/role-name": "pod"},
               {"pod-identity.alibabacloud.com/role-arn": POD_ROLE}]
OIDC, TOKEN = "AssumeRoleWithOIDC", "GetAuthorizationToken"


def prepare(node, has_rule=True, **pod_identity):
    """As deploy/README.md says: the rule, the kubelet's file, the program's configuration."""
    if has_rule:
        done = node.kubectl("apply", "-f", "deploy/token-audience.yaml")
        assert done.returncode == 0, done.stderr
    with open(f"{ROOT}/deploy/credential-provider-pods.yaml", encoding="utf-8") as file:
        write("/etc/kubernetes/credential-provider.yaml", file.read())
    write(OWN_CONFIG, {"podIdentity": {"clusterId": "c0123456789", **pod_identity}}, 0o600)
    node.start_kubelet()


def trust(node, account):
    node.cloud.roles["pod"]["sub"] = "system:serviceaccount:default:" + account


@pytest.mark.parametrize("annotations", ANNOTATIONS, ids=lambda annotations: next(iter(annotations)))
def test_role_of_a_pod(node, annotations):
    """A pod's own role, by each annotation"""
    name = "role-" + str(ANNOTATIONS.index(annotations))
    node.account(name, **annotations)
    trust(node, name)
    prepare(node)
    node.pod(name, f"{DEMO}/roles/{name}:v1", name)
    node.wait_running(name)
    assert node.calls() == [OIDC, TOKEN]
    assert [given["RoleArn"] for given in node.cloud.assumed[-1:]] == [POD_ROLE]


def test_forbidden_role(node):
    """A role that does not trust the pod: refused, never the node's role instead"""
    node.account("forbidden", **ANNOTATIONS[0])
    prepare(node)
    node.pod("forbidden", DEMO + "/roles/forbidden:v1", "forbidden")
    node.wait_refused("forbidden")
    assert any("AssumeRoleWithOIDC refused" in line and POD_ROLE in line for line in node.plugin_errors())
    assert set(node.calls()) == {OIDC}


def test_no_role_is_the_nodes(node):
    """A pod without a role, withoutRole node: the node's role"""
    node.account("plain")
    prepare(node, withoutRole="node")
    node.pod("plain", DEMO + "/roles/plain:v1", "plain")
    node.wait_running("plain")
    assert node.calls() == [TOKEN]


def test_no_role_is_refused(node):
    """A pod without a role, withoutRole refuse: refused"""
    node.account("plain")
    prepare(node, withoutRole="refuse")
    node.pod("refused", DEMO + "/roles/refused:v1", "plain")
    node.wait_refused("refused")
    assert any("withoutRole" in line for line in node.plugin_errors()), node.plugin_errors()
    assert node.calls() == []


def test_rule_missing(node):
    """The RBAC rule missing: the kubelet's log names it, and the rule of deploy/ mends it without a restart"""
    node.account("early", **ANNOTATIONS[0])
    trust(node, "early")
    prepare(node, has_rule=False)
    node.pod("early", DEMO + "/roles/early:v1", "early")
    node.wait_refused("early")
    words = "failed to get service account token"  # since 1.35
    assert words in node.kubelet_log()
    assert node.calls() == []
    _, said = node.doctor(DEMO + "/roles/early:v1")
    assert words in said and "kubectl auth can-i" in said and "kubectl apply -f token-audience.yaml" in said, said
    node.kubectl("apply", "-f", "deploy/token-audience.yaml")
    node.wait_running("early", seconds=150)


def test_second_account_is_verified(node):
    """An image that is there is no other service account's (KEP-2535)"""
    for name in ("owner", "thief"):
        node.account(name, **ANNOTATIONS[0])
    trust(node, "owner")
    prepare(node)
    node.restart_kubelet(featureGates={"KubeletEnsureSecretPulledImages": True},
                         imagePullCredentialsVerificationPolicy="AlwaysVerify")
    node.pod("owner", DEMO + "/verified/app:v1", "owner")
    node.wait_running("owner")
    node.pod("thief", DEMO + "/verified/app:v1", "thief")
    node.wait_refused("thief")
    assert any("AssumeRoleWithOIDC refused" in line for line in node.plugin_errors())
    # The first account's own second pod, with the same image.
    node.pod("again", DEMO + "/verified/app:v1", "owner")
    node.wait_running("again")
