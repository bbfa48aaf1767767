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
    status, said = node.doctor(f"{DEMO}/roles/{name}:v1")
    assert status == 0 and "kubectl auth can-i request-serviceaccounts-token-audience sts.aliyuncs.com" in said, said
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
    """The RBAC rule missing: the event, the kubelet's log; the rule of deploy/ mends it without a restart"""
    node.account("early", **ANNOTATIONS[0])
    trust(node, "early")
    prepare(node, has_rule=False)
    node.pod("early", DEMO + "/roles/early:v1", "early")
    events = node.wait_refused("early")
    assert any("failed to authorize" in text for text in events), events
    said = [line for line in node.kubelet_log().splitlines() if "failed to get service account token" in line]
    for words in "sts.aliyuncs.com", "not authorized to request tokens":
        assert said and all(words in line for line in said), said
    assert node.calls() == []
    assert node.kubectl("apply", "-f", "deploy/token-audience.yaml").returncode == 0
    node.wait_running("early", seconds=150)
    assert node.calls() == [OIDC, TOKEN]


@pytest.mark.parametrize("policy", ["NeverVerifyPreloadedImages", "AlwaysVerify"])
def test_second_account_is_verified(node, policy):
    """An image that is there is no other service account's (KEP-2535), by the default policy and the strict one"""
    for name in ("owner", "thief"):
        node.account(name, **ANNOTATIONS[0])
    trust(node, "owner")
    prepare(node)
    node.restart_kubelet(featureGates={"KubeletEnsureSecretPulledImages": True},
                         imagePullCredentialsVerificationPolicy=policy)
    image = f"{DEMO}/verified/{policy.lower()}:v1"
    node.pod("owner", image, "owner")
    node.wait_running("owner")
    node.pod("thief", image, "thief")
    node.wait_refused("thief")
    assert any("AssumeRoleWithOIDC refused" in line for line in node.plugin_errors())
    # The first account's own second pod, with the same image.
    node.pod("again", image, "owner")
    node.wait_running("again")
    assert any("already present on machine" in text for text in node.events("again")), node.events("again")
