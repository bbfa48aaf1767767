"""Images of registries, pulled by the identity of the node."""

import re
import time

from node import DEMO, DOMAIN, FOREIGN, LOST, OWN_CONFIG, write

TOKEN = "GetAuthorizationToken"


def test_private_image(node):
    """A private image, by the node's role"""
    node.start_kubelet()
    node.pod("first", DEMO + "/team/first:v1")
    node.wait_running("first")
    assert node.calls() == [TOKEN]
    status, said = node.doctor(DEMO + "/team/first:v1")
    assert status == 0 and "Healthy" in said, said


def test_fifty_images(node):
    """Fifty images at once: one call"""
    names = [f"storm-{number:02d}" for number in range(50)]
    for name in names:
        node.prepare_image(f"{DEMO}/storm/{name}:v1")
    node.emulator.fault("acr", delay_ms=1000)  # so that pulls wait together, and do not find a token in a cache
    node.start_kubelet()
    for name in names:
        node.pod(name, f"{DEMO}/storm/{name}:v1")
    node.wait_running(*names)
    assert node.calls() == [TOKEN]


def test_kubelet_restarted(node):
    """The kubelet restarted: no further call"""
    node.start_kubelet()
    node.pod("before", DEMO + "/restart/before:v1")
    node.wait_running("before")
    node.restart_kubelet()
    node.pod("after", DEMO + "/restart/after:v1")
    node.wait_running("before", "after")
    assert node.calls() == [TOKEN]


def test_api_down(node):
    """The API down and the kubelet restarted: twenty more pods, by the token of the node's cache"""
    node.start_kubelet()
    node.pod("before", DEMO + "/down/before:v1")
    node.wait_running("before")
    fault = node.emulator.fault("acr", status=503)
    node.restart_kubelet()
    names = [f"down-{number:02d}" for number in range(20)]
    for name in names:
        node.pod(name, f"{DEMO}/down/{name}:v1")
    node.wait_running(*names)
    assert fault["taken"] == 0
    status, said = node.doctor(DEMO + "/down/before:v1")
    assert status == 1 and "GetAuthorizationToken" in said and "503" in said, said


def test_token_ends(node):
    """A token that has ended is renewed"""
    node.cloud.token_life_s = 15
    node.start_kubelet()
    node.pod("before", DEMO + "/ended/before:v1")
    node.wait_running("before")
    time.sleep(15)
    node.pod("after", DEMO + "/ended/after:v1")
    node.wait_running("after")
    assert node.calls() == [TOKEN, TOKEN]


def test_role_detached(node):
    """The node's role detached: what the event, the kubelet's log and doctor say"""
    node.cloud.role = ""
    node.start_kubelet()
    node.pod("detached", DEMO + "/team/detached:v1")
    events = node.wait_refused("detached")
    assert any("failed to authorize" in text and "401 Unauthorized" in text for text in events), events
    assert any("no identity found" in line and "Attach a RAM role" in line for line in node.plugin_errors())
    assert TOKEN not in node.calls()
    status, said = node.doctor(DEMO + "/team/detached:v1")
    assert status == 1 and "no identity found" in said and "Attach a RAM role" in said, said
    # The kubelet tries again by itself.
    node.cloud.role = "KubernetesWorkerRole"
    node.wait_running("detached")


def test_permission_missing(node):
    """The permission cr:GetAuthorizationToken missing: what the kubelet's log and doctor say"""
    node.cloud.permissions = set()
    node.start_kubelet()
    node.pod("forbidden", DEMO + "/team/forbidden:v1")
    node.wait_refused("forbidden")
    assert any("NoPermission" in line and "Grant cr:GetAuthorizationToken" in line for line in node.plugin_errors())
    status, said = node.doctor(DEMO + "/team/forbidden:v1")
    assert status == 1 and "GetAuthorizationToken refused" in said and "NoPermission" in said, said


def test_two_accounts(node):
    """Two accounts on one node"""
    write(OWN_CONFIG, {"registries": [{"match": [FOREIGN], "identity": {"assumeRole": [
        {"roleArn": "acs:ram::9999999999999999:role/partner", "externalId": "abcd1234"}]}}]}, 0o600)
    node.start_kubelet()
    node.pod("ours", DEMO + "/accounts/ours:v1")
    node.pod("theirs", FOREIGN + "/accounts/theirs:v1")
    node.wait_running("ours", "theirs")
    assert sorted(node.calls()) == ["AssumeRole", TOKEN, TOKEN]
    for image in DEMO + "/accounts/ours:v1", FOREIGN + "/accounts/theirs:v1":
        status, said = node.doctor(image)
        assert status == 0, said


def test_other_account_without_its_role(node):
    """A registry of another account without an identity of it: refused, and doctor says why"""
    node.start_kubelet()
    node.pod("foreign", FOREIGN + "/accounts/foreign:v1")
    node.wait_refused("foreign")
    assert any("INSTANCE_NOT_EXIST" in line for line in node.plugin_errors()), node.plugin_errors()
    status, said = node.doctor(FOREIGN + "/accounts/foreign:v1")
    assert status == 1 and "INSTANCE_NOT_EXIST" in said, said


def test_custom_domain(node):
    """A custom domain of the account's instance; without a line in matchImages doctor says what to add"""
    node.start_kubelet()
    node.pod("domain", DOMAIN + "/domain/app:v1")
    node.wait_refused("domain")
    status, said = node.doctor(DOMAIN + "/domain/app:v1")
    assert status == 1 and f'Add "{DOMAIN}" to the matchImages' in said, said
    node.forget_calls()
    node.add_match_images(DOMAIN)
    node.restart_kubelet()
    node.wait_running("domain")
    assert node.calls() == ["ListInstanceEndpoint", TOKEN]
    status, said = node.doctor(DOMAIN + "/domain/app:v1")
    assert status == 0, said


def test_custom_domain_of_another_account(node):
    """A domain that no instance of the account lists gets no password"""
    next(i for i in node.cloud.instances if i["InstanceName"] == "demo")["custom_domains"].clear()
    node.add_match_images(DOMAIN)
    node.start_kubelet()
    node.pod("domain", DOMAIN + "/domain/foreign:v1")
    node.wait_refused("domain")
    assert TOKEN not in node.calls()
    status, said = node.doctor(DOMAIN + "/domain/foreign:v1")
    assert status == 1 and "does not list it among its domains" in said, said


def test_vpc_endpoint_lost(node):
    """The VPC endpoint of the API unreachable: the public one serves, and doctor says which fails"""
    node.point(cr_vpc_cn_hangzhou_aliyuncs_com=LOST)
    node.start_kubelet()
    node.pod("fallback", DEMO + "/team/fallback:v1")
    node.wait_running("fallback")
    assert {entry["host"] for entry in node.emulator.log("acr")} == {"cr.cn-hangzhou.aliyuncs.com"}
    _, said = node.doctor(DEMO + "/team/fallback:v1")
    assert re.search(r"! .*cr-vpc\.cn-hangzhou\.aliyuncs\.com", said), said
    assert re.search(r"✓ API endpoint cr\.cn-hangzhou\.aliyuncs\.com", said), said


def test_no_endpoint(node):
    """Neither endpoint reachable: the program ends by its deadline, and doctor says that both fail"""
    write(OWN_CONFIG, {"deadlineSeconds": 5}, 0o600)
    node.point(cr_vpc_cn_hangzhou_aliyuncs_com=LOST, cr_cn_hangzhou_aliyuncs_com=LOST)
    node.start_kubelet()
    node.pod("unreachable", DEMO + "/team/unreachable:v1")
    node.wait_refused("unreachable")
    runs, total_s = node.runs()
    assert 4 < total_s / runs < 7 and any("cr.cn-hangzhou.aliyuncs.com" in line for line in node.plugin_errors())
    status, said = node.doctor(DEMO + "/team/unreachable:v1")
    assert status == 1, said
    for host in "cr-vpc.cn-hangzhou.aliyuncs.com", "cr.cn-hangzhou.aliyuncs.com":
        assert re.search(rf"[!✗] .*\b{re.escape(host)}", said), said


def test_repository_forbidden(node):
    """A repository that the role may not pull: doctor tells it from a wrong password"""
    node.cloud.pull_repositories = {"team/*"}
    node.start_kubelet()
    node.pod("closed", DEMO + "/closed/app:v1")
    node.wait_refused("closed")
    assert not node.plugin_errors()
    status, said = node.doctor(DEMO + "/closed/app:v1")
    assert status == 1 and "may not pull closed/app" in said, said


def test_slow_clock(node):
    """A node whose clock is twenty minutes slow: pulled all the same, and doctor says so"""
    node.cloud.clock_offset_s = 1200
    node.start_kubelet()
    node.pod("slow", DEMO + "/team/slow:v1")
    node.wait_running("slow")
    status, said = node.doctor(DEMO + "/team/slow:v1")
    assert status == 0, said
    assert re.search(r"clock is (1199|1200|1201) s slow", said), said
