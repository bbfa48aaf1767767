"""What comes out when all is well: editions, identities, networks, keys and durations."""

import re

import pytest
from identity_fixtures import ACCESS_KEY, KEY
from program_run import API, DEMO, pull, request, run, seconds


@pytest.mark.parametrize("version", ["v1", "v1beta1", "v1alpha1"])
def test_answer_in_the_version_of_the_request(cloud, version):
    answer = run(request(DEMO + "/team/app", version), cloud.environment()).answer
    password = cloud.cloud.issued[-1]
    assert answer == {"kind": "CredentialProviderResponse", "apiVersion": API + version, "cacheKeyType": "Registry",
                      "cacheDuration": answer["cacheDuration"],
                      "auth": {DEMO: {"username": "cr_temp_user", "password": password}}}
    # One hour, less 15 minutes, less up to a tenth.
    assert 2425 <= seconds(answer["cacheDuration"]) <= 2700


@pytest.mark.parametrize("host, region, edition", [
    ("demo-registry-vpc.cn-hangzhou.cr.aliyuncs.com", "cn-hangzhou", "enterprise"),
    ("demo-registry-internal.cn-hangzhou.cr.aliyuncs.com", "cn-hangzhou", "enterprise"),
    ("demo-registry.distributed.cn-hangzhou.cr.aliyuncs.com", "cn-hangzhou", "enterprise"),
    ("my-registry-registry-vpc.cn-hangzhou.cr.aliyuncs.com", "cn-hangzhou", "enterprise"),
    ("harbour-registry.cn-shanghai.cr.aliyuncs.com", "cn-shanghai", "enterprise"),
    ("DEMO-Registry.cn-hangzhou.CR.aliyuncs.com", "cn-hangzhou", "enterprise"),
    ("demo-registry.cn-hangzhou.cr.aliyuncs.com:443", "cn-hangzhou", "enterprise"),
    ("demo-registry.cn-hangzhou.cr.aliyuncs.com.", "cn-hangzhou", "enterprise"),
    ("registry.cn-hangzhou.aliyuncs.com", "cn-hangzhou", "personal"),
    ("registry-vpc.cn-beijing.aliyuncs.com", "cn-beijing", "personal"),
    ("registry-intl.ap-southeast-1.aliyuncs.com", "ap-southeast-1", "personal"),
    ("crpi-abcdefgh12345678.cn-shanghai.personal.cr.aliyuncs.com", "cn-shanghai", "personal"),
])
@pytest.mark.parametrize("rest", ["", "/team/app", "/team/app:v1@sha256:" + "0" * 64])
def test_hosts(cloud, host, region, edition, rest):
    assert list(pull(cloud, host + rest).auth) == [host]
    call = cloud.log("acr")[-1]
    assert re.fullmatch(rf"cr(-vpc)?\.{region}\.aliyuncs\.com", call["host"])
    assert call["path"].startswith("/tokens" if edition == "personal" else "/?InstanceId=cri-")


def test_vpc_endpoint_first_then_the_public_one(cloud):
    pull(cloud, DEMO + "/a").answer  # the node is in the registry's region
    assert cloud.log("acr")[-1]["host"] == "cr-vpc.cn-hangzhou.aliyuncs.com"
    cloud.cloud.region = "cn-beijing"
    pull(cloud, DEMO + "/a").answer
    assert cloud.log("acr")[-1]["host"] == "cr.cn-hangzhou.aliyuncs.com"
    cloud.cloud.unresolvable = {"cr-vpc.cn-hangzhou.aliyuncs.com"}
    pull(cloud, "demo-registry-vpc.cn-hangzhou.cr.aliyuncs.com/a").answer
    assert cloud.log("acr")[-1]["host"] == "cr.cn-hangzhou.aliyuncs.com"


PINNED = {"registries": [{"match": [DEMO], "instanceId": "cri-demo567890abcdef"}]}  # no challenge on the way


def connections(cloud):
    return [entry["host"] for entry in cloud.log("proxy")]


def test_api_connection_is_opened_while_the_metadata_service_is_asked(cloud, tmp_path):
    cloud.fault("metadata", "token", delay_ms=500)
    pull(cloud, DEMO + "/a", config=PINNED, tmp_path=tmp_path).answer
    operations = [entry["operation"] for entry in cloud.log()]
    assert operations.index("connect") < operations.index("role") < operations.index("GetAuthorizationToken")
    assert connections(cloud) == ["cr-vpc.cn-hangzhou.aliyuncs.com:443"]
    assert cloud.operations("acr") == ["GetAuthorizationToken"]


def test_connection_that_was_lost_while_it_waited_is_opened_anew(cloud, tmp_path):
    cloud.fault("tls", times=1, reset=True)
    cloud.fault("metadata", "credentials", delay_ms=500)
    pull(cloud, DEMO + "/a", config=PINNED, tmp_path=tmp_path).answer
    assert connections(cloud) == ["cr-vpc.cn-hangzhou.aliyuncs.com:443"] * 2


def test_connection_for_another_call_than_the_first_serves_the_next(cloud):
    """ListInstance comes first, by the same connection."""
    cloud.fault("registry", "challenge", status=404)
    pull(cloud, DEMO + "/a").answer
    assert cloud.operations("acr") == ["ListInstance", "ListInstance", "GetAuthorizationToken"]
    assert connections(cloud).count("cr-vpc.cn-hangzhou.aliyuncs.com:443") == 1


def test_configured_network(cloud, tmp_path):
    pull(cloud, DEMO + "/a", config={"endpoints": {"network": "public"}}, tmp_path=tmp_path).answer
    assert cloud.log("acr")[-1]["host"] == "cr.cn-hangzhou.aliyuncs.com"


def test_instance_by_challenge_without_listing(cloud):
    pull(cloud, DEMO + "/a").answer
    assert cloud.operations("acr") == ["GetAuthorizationToken"]


def test_instance_by_its_exact_name_on_a_later_page(cloud):
    cloud.cloud.challenge_enabled = False
    pull(cloud, DEMO + "/a").answer
    assert cloud.operations("acr") == ["ListInstance", "ListInstance", "GetAuthorizationToken"]
    assert "InstanceId=cri-demo567890abcdef" in cloud.log("acr")[-1]["path"]


def test_instance_from_the_configuration_needs_no_challenge(cloud, tmp_path):
    entry = {"match": ["hub.example.com"], "region": "cn-hangzhou", "instanceId": "cri-demo567890abcdef"}
    pull(cloud, "hub.example.com/a", config={"registries": [entry]}, tmp_path=tmp_path).answer
    assert cloud.log("registry") == [] and cloud.operations("acr") == ["GetAuthorizationToken"]


def test_configured_custom_domain_is_completed_by_its_challenge(cloud, tmp_path):
    config = {"registries": [{"match": ["hub.example.com"]}]}
    assert list(pull(cloud, "hub.example.com/a", config=config, tmp_path=tmp_path).auth) == ["hub.example.com"]
    assert cloud.operations("acr") == ["GetAuthorizationToken"]


def test_custom_domain_proved_by_our_own_account(cloud):
    assert list(pull(cloud, "hub.example.com/a").auth) == ["hub.example.com"]
    assert cloud.operations("acr") == ["ListInstanceEndpoint", "GetAuthorizationToken"]


def test_paths_are_cached_per_image(cloud, tmp_path):
    config = {"registries": [{"match": [DEMO + "/team-a"], "instanceId": "cri-demo567890abcdef"}]}
    narrow = pull(cloud, DEMO + "/team-a/app", config=config, tmp_path=tmp_path).answer
    assert narrow["cacheKeyType"] == "Image" and list(narrow["auth"]) == [DEMO + "/team-a"]
    # What is outside the path must not enter the cache of the whole host either.
    other = pull(cloud, DEMO + "/team-b/app", config=config, tmp_path=tmp_path).answer
    assert other["cacheKeyType"] == "Image" and list(other["auth"]) == [DEMO]


def test_public_image_beside_a_path_is_cached_by_itself(cloud, tmp_path):
    """Kept for the whole host, that it needs no credentials would hide those of the path."""
    public = "registry-cn-hangzhou.ack.aliyuncs.com"
    config = {"registries": [{"match": [public + "/private"], "region": "cn-hangzhou",
                              "instanceId": "cri-demo567890abcdef"}]}
    answer = pull(cloud, public + "/acs/pause", config=config, tmp_path=tmp_path).answer
    assert (answer["cacheKeyType"], answer["auth"]) == ("Image", {})
    assert list(pull(cloud, public + "/private/app", config=config, tmp_path=tmp_path).auth) == [public + "/private"]


def test_api_endpoint_of_an_entry(cloud, tmp_path):
    config = {"registries": [{"match": [DEMO], "apiEndpoint": cloud.api}]}
    pull(cloud, DEMO + "/a", config=config, tmp_path=tmp_path).answer
    assert cloud.log("acr")[-1]["host"] == cloud.api[len("https://"):]


def test_anonymous_host_needs_nothing():
    answer = run(request("registry-cn-hangzhou-vpc.ack.aliyuncs.com/acs/pause")).answer
    assert answer["auth"] == {} and answer["cacheDuration"] == "21600s"


def test_entry_that_fits_an_anonymous_host_by_chance(cloud, tmp_path):
    host = "registry-cn-hangzhou.ack.aliyuncs.com"
    entry = {"match": ["registry*.*.aliyuncs.com"], "identity": {"source": "env"}}
    assert pull(cloud, host + "/acs/pause", config={"registries": [entry]}, tmp_path=tmp_path).auth == {}
    entry = {"match": ["registry*.*.aliyuncs.com"], "edition": "personal", "region": "cn-hangzhou"}
    assert list(pull(cloud, host + "/acs/pause", config={"registries": [entry]}, tmp_path=tmp_path).auth) == [host]


def test_access_key_of_the_environment(cloud):
    pull(cloud, DEMO + "/a", ACCESS_KEY).answer
    assert cloud.log("metadata") == []
    assert f"Credential={KEY}," in cloud.log("acr")[-1]["headers"]["authorization"]


def test_sts_credentials_of_the_environment(cloud):
    issued = cloud.cloud.issue_credentials()
    key = {"ALIBABA_CLOUD_ACCESS_KEY_ID": issued["AccessKeyId"],
           "ALIBABA_CLOUD_ACCESS_KEY_SECRET": issued["AccessKeySecret"],
           "ALIBABA_CLOUD_SECURITY_TOKEN": issued["SecurityToken"]}
    pull(cloud, DEMO + "/a", key).answer
    assert cloud.log("metadata") == []


def test_metadata_by_session_token_and_without_proxy(cloud):
    pull(cloud, DEMO + "/a", {"http_proxy": cloud.proxy, "ALL_PROXY": cloud.proxy}).answer
    assert sorted(cloud.operations("metadata")) == ["credentials", "region", "role", "token"]
    gets = [entry for entry in cloud.log("metadata") if entry["method"] == "GET"]
    assert all("x-aliyun-ecs-metadata-token" in entry["headers"] for entry in gets)
    assert {entry["host"] for entry in cloud.log("proxy")} >= {"cr-vpc.cn-hangzhou.aliyuncs.com:443"}


@pytest.mark.parametrize("mode", ["no-token-service", "hardened"])
def test_metadata_modes(cloud, mode):
    cloud.cloud.metadata_mode = mode
    pull(cloud, DEMO + "/a").answer


def test_role_that_is_named_is_not_listed(cloud, tmp_path):
    config = {"identity": {"source": "ecs", "roleName": "KubernetesWorkerRole"}}
    pull(cloud, DEMO + "/a", config=config, tmp_path=tmp_path).answer
    pull(cloud, DEMO + "/a", {"ALIBABA_CLOUD_ECS_METADATA": "KubernetesWorkerRole"}).answer
    assert "role" not in cloud.operations("metadata")


def test_credentials_that_end_earlier_end_the_cache_earlier(cloud):
    cloud.cloud.credentials_life_s = 600
    # Half of ten minutes, less up to a tenth.
    assert 265 <= seconds(pull(cloud, DEMO + "/a").answer["cacheDuration"]) <= 300


@pytest.mark.parametrize("offset_s", [20 * 60, -20 * 60])
def test_wrong_clock_is_recovered_from(cloud, offset_s):
    cloud.cloud.clock_offset_s = offset_s
    result = pull(cloud, DEMO + "/a", arguments=["--log-level", "warning"])
    assert 2425 <= seconds(result.answer["cacheDuration"]) <= 2700
    assert "Run NTP" in result.err
    assert cloud.operations("acr") == ["GetAuthorizationToken"] * 2


def test_success_is_silent(cloud):
    assert pull(cloud, DEMO + "/a").err == ""


def test_debug_log_has_no_secret(cloud):
    result = pull(cloud, DEMO + "/a", arguments=["--log-level", "debug"])
    assert result.status == 0
    assert all(re.match("aliyun-acr-credential-provider: (debug|info): ", line) for line in result.err.splitlines())
    for word in ("Enterprise Edition", "cri-demo567890abcdef", "cn-hangzhou", "KubernetesWorkerRole",
                 "cr-vpc.cn-hangzhou.aliyuncs.com"):
        assert word in result.err
    for key in cloud.cloud.keys.values():
        assert key["secret"] not in result.err
    assert cloud.cloud.issued[-1] not in result.err
