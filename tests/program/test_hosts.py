"""Which hosts get a token, and what a registry's challenge may say."""

import pytest
from program_run import DEMO, Emulator, assert_failed, pull


SPELLING = "Check the spelling: NAME-registry[-vpc].REGION.cr.aliyuncs.com, registry[-vpc].REGION.aliyuncs.com"


@pytest.mark.parametrize("image", [
    "docker.io/library/nginx", "evil-registry.cn-hangzhou.cr.aliyuncs.com.attacker.example/a",
    "registry.cn-hangzhou.aliyuncs.com.attacker.example/a", "aliyuncs.com/a", "cr.aliyuncs.com/a",
    "registry-cn-hangzhou.ack.aliyuncs.com.attacker.example/a", "registry.cn-hangzhou.evil-aliyuncs.com/a",
    "registry.oss-cn-hangzhou.aliyuncs.com/a",
])
def test_hosts_that_are_not_acr_get_no_token(cloud, image):
    is_misspelt = image.partition("/")[0].endswith(".aliyuncs.com")
    assert_failed(pull(cloud, image), 78, "is not an ACR host", SPELLING if is_misspelt else '"registries"')
    assert cloud.cloud.issued == []


def test_misspelt_host_that_has_no_address(cloud):
    cloud.cloud.unresolvable = {"demo-registri.cn-hangzhou.cr.aliyuncs.com"}
    assert_failed(pull(cloud, "demo-registri.cn-hangzhou.cr.aliyuncs.com/a"), 75, SPELLING)


def challenge(cloud, region="cn-hangzhou", rest=":cri-demo567890abcdef"):
    cloud.fault("registry", "challenge", status=401,
                headers={"WWW-Authenticate": f'Bearer service="registry.aliyuncs.com:{region}:china{rest}"'})


HUB = {"registries": [{"match": ["hub.example.com"]}]}


@pytest.mark.parametrize("said", [{"region": "cn-beijing"}, {"rest": ""}, {"rest": ":cri-UPPER"}])
def test_enterprise_host_whose_challenge_is_of_no_use_is_listed(cloud, said):
    challenge(cloud, **said)
    assert pull(cloud, DEMO + "/a").auth
    assert cloud.operations("acr")[0] == "ListInstance"


@pytest.mark.parametrize("before", ["Basic realm=\"x\", ", "Basic realm=x,"])
def test_bearer_challenge_behind_another(cloud, tmp_path, before):
    cloud.fault("registry", "challenge", status=401, headers={"WWW-Authenticate": before + 'Bearer realm="https://x",'
                'service="registry.aliyuncs.com:cn-hangzhou:china:cri-demo567890abcdef"'})
    pull(cloud, "hub.example.com/a", config=HUB, tmp_path=tmp_path).answer


@pytest.mark.parametrize("fault", [{"status": 503}, {"reset": "request"}])
def test_challenge_is_asked_again_where_listing_is_not_allowed(cloud, fault):
    """One passing failure must not end as a missing permission that nobody needs."""
    cloud.cloud.permissions = {"cr:GetAuthorizationToken"}
    cloud.fault("registry", "challenge", times=1, **fault)
    assert pull(cloud, DEMO + "/a").auth
    cloud.fault("registry", "challenge", **fault)
    result = pull(cloud, DEMO + "/a")
    assert_failed(result, 75, "requesting its challenge")


def test_trouble_on_the_way_to_a_proof_is_told_as_such(cloud):
    cloud.fault("acr", "ListInstanceEndpoint", code="ServiceUnavailable")
    result = pull(cloud, "hub.example.com/a")
    assert_failed(result, 75, "cannot confirm that", "ServiceUnavailable")
    assert "cr:ListInstanceEndpoint" not in result.err


def test_authority_of_a_registry_that_is_not_known_is_told_as_such(cloud, tmp_path):
    """Only the authority of the API is trusted: nothing is asked of the registry."""
    with Emulator(has_own_keys=True) as known:
        config = {"registries": [{"match": ["hub.example.com"], "apiEndpoint": known.api}]}
        result = pull(cloud, "hub.example.com/a", {"SSL_CERT_FILE": known.ca, "NO_PROXY": "127.0.0.1"}, config=config,
                      tmp_path=tmp_path)
        assert_failed(result, 69, "hub.example.com", "certificate", "SSL_CERT_FILE")
        assert "hub.example.com:443" in [entry["host"] for entry in cloud.log("proxy")]
        assert cloud.log("registry") == known.log("acr") == []


def test_configured_host_without_an_instance_is_personal(cloud, tmp_path):
    challenge(cloud, rest="")
    assert pull(cloud, "hub.example.com/a", config=HUB, tmp_path=tmp_path).auth
    assert cloud.log("acr")[-1]["path"] == "/tokens"


def test_foreign_host_that_says_it_is_personal(cloud):
    challenge(cloud, rest="")
    assert_failed(pull(cloud, "attacker.example/a"), 78, "is not an ACR host")
    assert cloud.cloud.issued == []


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 429}, {"reset": "request"}])
@pytest.mark.parametrize("configured", [True, False])
def test_challenge_of_a_custom_domain_is_asked_again(cloud, tmp_path, configured, fault):
    config = {"registries": [{"match": ["hub.example.com"]}]} if configured else {}
    cloud.fault("registry", "challenge", times=1, **fault)
    assert pull(cloud, "hub.example.com/a", config=config, tmp_path=tmp_path).auth
    cloud.fault("registry", "challenge", **fault)
    assert_failed(pull(cloud, "hub.example.com/a", config=config, tmp_path=tmp_path), 75, "hub.example.com")


def test_long_host_keeps_its_port(cloud, tmp_path):
    name = ".".join(["a" * 49] * 5) + ".de"  # 252 bytes
    config = {"registries": [{"match": [name + ":65535"]}]}
    assert_failed(pull(cloud, name + ":65535/a", config=config, tmp_path=tmp_path), 78, "instanceId")
    assert name + ":65535" in {entry["host"] for entry in cloud.log("proxy")}


# -- hosts of Alibaba Cloud whose name says no more than that --------------------------------------------------

ALIBABA = ["registry.cn-hangzhou.cr.aliyuncs.com", "demo-registry.a.b.cr.aliyuncs.com",
           "other.cn-hangzhou.personal.cr.aliyuncs.com"]


def challenge_fault(rest, service="registry.aliyuncs.com"):
    return {"service": "registry", "status": 401,
            "headers": {"WWW-Authenticate": f'Bearer service="{service}:cn-hangzhou:china{rest}"'}}


@pytest.mark.parametrize("host", ALIBABA)
@pytest.mark.parametrize("rest, path",
                         [(":cri-demo567890abcdef", "/?InstanceId=cri-demo567890abcdef"), ("", "/tokens")])
def test_host_of_alibaba_is_believed_its_challenge(cloud, host, rest, path):
    """It needs no proof of our own account; that the challenge comes by verified TLS is enough."""
    cloud.cloud.permissions = {"cr:GetAuthorizationToken"}
    cloud.fault(**challenge_fault(rest))
    assert list(pull(cloud, host + "/team/app").auth) == [host]
    assert [entry["path"] for entry in cloud.log("acr")] == [path]


@pytest.mark.parametrize("host", ALIBABA)
@pytest.mark.parametrize("fault, status, words", [
    ({"service": "registry", "status": 404}, 78,
     ["%s is not an ACR host", "Check the spelling: NAME-registry[-vpc].REGION.cr.aliyuncs.com"]),
    (challenge_fault("", "registry.example.com"), 78, ["%s is not an ACR host"]),
    ({"service": "registry", "status": 503}, 75, ["%s: requesting its challenge", "if it is correct, retry"]),
    ({"service": "tls", "tls": "unknown-ca"}, 69, ["%s", "certificate", "SSL_CERT_FILE"]),
])
def test_host_of_alibaba_whose_challenge_says_nothing_gets_no_token(cloud, host, fault, status, words):
    cloud.fault(**fault)
    assert_failed(pull(cloud, host + "/team/app"), status, *(word.replace("%s", host) for word in words))
    assert cloud.cloud.issued == []
