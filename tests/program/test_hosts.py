"""Which hosts get a token, and what a registry's challenge may say."""

import pytest
from program_run import DEMO, Emulator, assert_failed, pull, request, run


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


def test_host_of_another_account_gets_no_token(cloud):
    """The challenge names a real instance; only our own account could prove that the host is its own."""
    assert_failed(pull(cloud, "foreign.example.com/a"), 77, "foreign.example.com", "INSTANCE_NOT_EXIST",
                  'Map it under "registries" in the configuration file, with an identity of the account that owns '
                  "instance cri-")
    assert cloud.cloud.issued == []


def test_challenge_that_names_our_instance_is_no_proof(cloud):
    cloud.fault("registry", "challenge", status=401, headers={
        "WWW-Authenticate": 'Bearer service="registry.aliyuncs.com:cn-hangzhou:china:cri-demo567890abcdef"'})
    assert_failed(pull(cloud, "attacker.example/a"), 78, "attacker.example is not an ACR host: ",
                  "instance cri-demo567890abcdef does not list it among its domains")
    assert cloud.cloud.issued == []


@pytest.mark.parametrize("code, words",
                         [("NoPermission", "or allow cr:ListInstanceEndpoint to"), ("Odd", "Look up the code")])
def test_proof_that_is_refused(cloud, code, words):
    cloud.fault("acr", "ListInstanceEndpoint", code=code, status=403)
    assert_failed(pull(cloud, "hub.example.com/a"), 77, "is not proved to be an ACR host", words)


def test_region_of_a_challenge_never_becomes_another_host(cloud):
    cloud.fault("registry", "challenge", status=401, headers={
        "WWW-Authenticate": 'Bearer service="registry.aliyuncs.com:evil.example/:china:cri-demo567890abcdef"'})
    assert_failed(pull(cloud, "hub.example.com/a"), 78, "is not an ACR host",
                  '{"match": ["hub.example.com"], "region": "REGION", "instanceId": "cri-..."}')
    assert cloud.log("acr") == []


def challenge(cloud, region="cn-hangzhou", rest=":cri-demo567890abcdef"):
    cloud.fault("registry", "challenge", status=401,
                headers={"WWW-Authenticate": f'Bearer service="registry.aliyuncs.com:{region}:china{rest}"'})


HUB = {"registries": [{"match": ["hub.example.com"]}]}


@pytest.mark.parametrize("entry, words", [
    ({"region": "cn-beijing"}, ["the registry reports region cn-hangzhou, but cn-beijing is configured",
                                "Correct region under"]),
    ({"instanceId": "cri-another"},
     ["reports instance cri-demo567890abcdef, but instance cri-another is configured", "Correct instanceId under"]),
])
def test_registry_that_contradicts_the_configuration(cloud, tmp_path, entry, words):
    challenge(cloud)
    config = {"registries": [{"match": ["hub.example.com"], **entry}]}
    assert_failed(pull(cloud, "hub.example.com/a", config=config, tmp_path=tmp_path), 78, *words, "registries")
    assert cloud.cloud.issued == []


@pytest.mark.parametrize("said", [{"region": "cn-beijing"}, {"rest": ""}, {"rest": ":cri-UPPER"}])
def test_enterprise_host_whose_challenge_is_of_no_use_is_listed(cloud, said):
    challenge(cloud, **said)
    assert pull(cloud, DEMO + "/a").auth
    assert cloud.operations("acr")[0] == "ListInstance"


@pytest.mark.parametrize("edition, rest, words", [
    ("enterprise", "", "the registry reports Personal Edition"),
    ("personal", ":cri-demo567890abcdef", "the registry reports Enterprise Edition"),
])
def test_registry_of_another_edition_than_configured(cloud, tmp_path, edition, rest, words):
    challenge(cloud, rest=rest)
    config = {"registries": [{"match": ["hub.example.com"], "edition": edition}]}
    assert_failed(pull(cloud, "hub.example.com/a", config=config, tmp_path=tmp_path), 78, words,
                  "Correct edition under")
    assert cloud.cloud.issued == []


def test_registry_that_names_no_instance_against_the_configuration(cloud, tmp_path):
    challenge(cloud, rest="")
    config = {"registries": [{"match": ["hub.example.com"], "instanceId": "cri-another"}]}
    assert_failed(pull(cloud, "hub.example.com/a", config=config, tmp_path=tmp_path), 78,
                  "the registry reports no instance, but instance")


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
    assert_failed(result, 75, "is not proved to be an ACR host", "ServiceUnavailable")
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


@pytest.mark.parametrize("entry, words", [
    ({}, "Set region and instanceId for it"), ({"region": "cn-hangzhou"}, "Set instanceId for it"),
    ({"instanceId": "cri-demo567890abcdef"}, "Set region for it"), ({"edition": "personal"}, "Set region for it"),
])
def test_configured_host_that_is_not_acr(cloud, tmp_path, entry, words):
    cloud.fault("registry", "challenge", status=200)
    config = {"registries": [{"match": ["hub.example.com"], **entry}]}
    result = pull(cloud, "hub.example.com/a", config=config, tmp_path=tmp_path)
    assert_failed(result, 78, "neither its name nor the configuration", words)


def test_foreign_host_that_says_it_is_personal(cloud):
    challenge(cloud, rest="")
    assert_failed(pull(cloud, "attacker.example/a"), 78, "is not an ACR host")
    assert cloud.cloud.issued == []


def test_name_of_no_instance(cloud):
    cloud.cloud.challenge_enabled = False
    assert_failed(pull(cloud, "nosuch-registry.cn-hangzhou.cr.aliyuncs.com/a"), 77, "no ACR instance named nosuch",
                  "instanceId")


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 429}, {"reset": "request"}])
@pytest.mark.parametrize("configured", [True, False])
def test_challenge_of_a_custom_domain_is_asked_again(cloud, tmp_path, configured, fault):
    config = {"registries": [{"match": ["hub.example.com"]}]} if configured else {}
    cloud.fault("registry", "challenge", times=1, **fault)
    assert pull(cloud, "hub.example.com/a", config=config, tmp_path=tmp_path).auth
    cloud.fault("registry", "challenge", **fault)
    assert_failed(pull(cloud, "hub.example.com/a", config=config, tmp_path=tmp_path), 75, "hub.example.com")


def test_image_with_a_scheme():
    assert_failed(run(request("https://" + DEMO + "/a")), 65, "has a scheme", "//")


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
