"""Hosts of one instance share a token; what one of them meets neither delays nor fails another."""

import pytest
from emulated_node import finish
from identity_fixtures import KEY, SECRET
from program_run import DEMO, assert_failed, pull, wait_until

VPC = "demo-registry-vpc.cn-hangzhou.cr.aliyuncs.com"
OTHER_PORT = DEMO + ":81"


def start_on(node, host, **fault):
    """A run for a host whose challenge fails like this, and which has no other way to the instance id."""
    node.cloud.cloud.permissions.discard("cr:ListInstance")
    fault = node.cloud.fault("registry", "challenge", host=host, **fault)
    process = node.start(image=host + "/a")
    wait_until(lambda: fault["taken"])
    return process


@pytest.mark.parametrize("dead", [VPC, OTHER_PORT])
def test_unreachable_host_does_not_delay_another(node, dead):
    leader = start_on(node, dead, stall=True)
    result = node.pull(arguments=["--log-level", "info"])
    assert result.auth and "another process" not in result.err
    leader.kill()
    list(finish([leader]))


@pytest.mark.parametrize("status, exit_status", [(404, 77), (502, 75)])
@pytest.mark.slow
def test_failure_of_a_host_is_not_shared_with_another(node, status, exit_status):
    leader = start_on(node, VPC, status=status, delay_ms=1500)
    assert node.password() in node.cloud.cloud.issued
    ((got, out, _),) = finish([leader])
    assert (got, out) == (exit_status, "")


def test_unreachable_public_endpoint_does_not_delay_the_vpc_host(node):
    key = {"ALIBABA_CLOUD_ACCESS_KEY_ID": KEY, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET}
    node.cloud.cloud.unresolvable.add("cr.cn-hangzhou.aliyuncs.com")
    leader = node.start(more=key)
    wait_until(lambda: any(entry["host"].startswith("cr.") for entry in node.cloud.log("proxy")))
    result = node.pull(VPC + "/a", more=key, arguments=["--log-level", "info"])
    assert result.auth and "another process" not in result.err
    leader.kill()
    list(finish([leader]))


def test_hosts_of_an_instance_share_a_token(node):
    assert node.password() == node.password(VPC + "/a") == node.password(OTHER_PORT + "/a")


@pytest.mark.parametrize("with_cache", [True, False])
def test_crowd_behind_an_absent_metadata_service(node, with_cache):
    """Each run learns by itself that the service is absent; one of them calls the API."""
    uri = {"ALIBABA_CLOUD_CREDENTIALS_URI": node.cloud.metadata + "/credentials",
           "ALIBABA_CLOUD_IMDS_ENDPOINT": "http://127.0.0.1:9"}
    crowd = [node.start(*([] if with_cache else ["--no-cache"]), more=uri) for _ in range(8)]
    passwords = set()
    for status, out, err in finish(crowd):
        assert status == 0, err
        passwords.add(out)
    assert node.tokens_asked() == (1 if with_cache else 8)


@pytest.mark.parametrize("with_cache", [True, False])
def test_host_that_is_not_acrs_without_an_identity(node, with_cache):
    """That is what is wrong, and not the lack of an identity."""
    flags = None if with_cache else ["--no-cache"]
    for more in ({"ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"},
                 {"ALIBABA_CLOUD_IMDS_ENDPOINT": "http://127.0.0.1:9"}):
        assert_failed(node.pull("docker.io/library/nginx", more=more, flags=flags), 78, "docker.io is not an ACR host")


def test_unreachable_host_that_is_not_acrs_without_an_identity(cloud):
    cloud.cloud.unresolvable.add("docker.io")
    assert_failed(pull(cloud, "docker.io/library/nginx", {"ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"}), 75,
                  "docker.io is not an ACR host by its name or the configuration")
