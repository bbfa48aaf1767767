"""`doctor` in the emulated cloud: registry, identity, network, API, log-in."""

import json

import pytest
from doctor_run import assert_text, doctor, examine
from identity_fixtures import (ACCESS_KEY, CLAIMS, KEY, NO_METADATA, PARTNER_ROLE, POD_ROLE, PROVIDER, PULLER, SECRET)
from made_up_node import MadeUpNode
from program_run import DEMO, assert_quiet

IMAGE = DEMO + "/team/app:v1"
VPC, PUBLIC = "cr-vpc.cn-hangzhou.aliyuncs.com", "cr.cn-hangzhou.aliyuncs.com"
AUTH = "dockerauth.cn-hangzhou.aliyuncs.com"
INSTANCE = "cri-demo567890abcdef"
URI = "ALIBABA_CLOUD_CREDENTIALS_URI"
OWN_CONFIG = "/etc/aliyun-acr-credential-provider/config.json"


@pytest.fixture
def made(tmp_path):
    return MadeUpNode(tmp_path / "node")


def policy(action, resource="*"):
    return {"Version": "1", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]}


def assert_only(report, *found):
    """These are the checks that failed or warn, but for emulated registries that answer as they have no challenge."""
    left = [check for check in report.checks if check["status"] in ("failed", "warning")
            and (check["id"], check["status"]) != ("registry.reachable", "warning")]
    for name, status, *words in found:
        left.remove(report.has(name, status, *words))
    assert not left


def test_healthy(cloud, made):
    report = examine(IMAGE, cloud=cloud, root=made.root)
    assert_only(report)
    report.has("registry.host", "ok",
               f"{DEMO} is an Enterprise Edition host by its name, instance demo, region cn-hangzhou")
    report.has("registry.reachable", "ok", "the registry answers through the proxy with HTTP status 401")
    report.has("registry.instance", "ok", f"instance {INSTANCE} in cn-hangzhou, by the registry's challenge")
    report.has("identity.source", "ok", "the RAM role of this instance: in effect")
    report.has("identity.credentials", "ok", "RAM role KubernetesWorkerRole of this instance, metadata service with "
               "session token, region cn-hangzhou", "h ", " min left")
    report.has("network.trust", "ok", "SSL_CERT_FILE=" + cloud.ca)
    report.has("network.proxy", "ok", "HTTPS_PROXY names a proxy at " + cloud.proxy)
    assert [check["message"] for check in report.of("network.endpoint")] == [
        f"API endpoint {VPC} answers through the proxy; used first",
        f"API endpoint {PUBLIC} answers through the proxy; used as fallback"]
    report.has("network.clock", "ok", "right within")
    report.has("api.token", "ok", "GetAuthorizationToken: a password of cr_temp_user, ", "left")
    report.has("login.password", "ok", "accepts the password")
    report.has("login.pull", "ok", "may pull team/app")
    assert {check.get("image") for check in report.checks if check["id"].split(".")[0] in
            ("registry", "identity", "network", "api", "login")} == {IMAGE}
    assert_text(report, doctor(IMAGE, cloud=cloud, root=made.root))


def test_each_image_has_its_lines(cloud, made):
    other = "hub.example.com"
    report = examine(DEMO, other, cloud=cloud, root=made.root)
    assert [check["image"] for check in report.of("api.token")] == [DEMO, other]
    out = doctor(DEMO, other, cloud=cloud, root=made.root).out
    assert [line for line in out.split("\n") if line and not line.startswith(" ")] == [
        "Kubelet of this node", "This program", "Image " + DEMO, "Image " + other, "Healthy"]


# -- registry ------------------------------------------------------------------------------------------------------


HOSTS = {
    "enterprise": (DEMO, "an Enterprise Edition host by its name, instance demo, region cn-hangzhou"),
    "vpc": ("demo-registry-vpc.cn-hangzhou.cr.aliyuncs.com", "answers inside VPCs only"),
    "personal": ("registry.cn-hangzhou.aliyuncs.com", "a Personal Edition host by its name, region cn-hangzhou"),
    "newer personal": ("crpi-abc.cn-hangzhou.personal.cr.aliyuncs.com", "a Personal Edition host"),
    "custom": ("hub.example.com", "a custom domain"),
    "other": ("registry.cn-hangzhou.cr.aliyuncs.com", "a host under cr.aliyuncs.com"),
    "public images": ("registry-cn-hangzhou.ack.aliyuncs.com", "a host of public images", "no password is needed"),
}


@pytest.mark.parametrize("kind", HOSTS)
def test_what_the_host_is(cloud, made, kind):
    host, *words = HOSTS[kind]
    cloud.cloud.unresolvable = {host}
    report = examine(host, cloud=cloud, root=made.root, environment=NO_METADATA)
    report.has("registry.host", "ok", host, *words)
    report.has("registry.reachable", "failed")


@pytest.mark.parametrize("image, words", [("x" * 2000, "too long"), ("https://a.b/c", "has a scheme"),
                                          ("a.b:port/c", "port")])
def test_what_is_no_image(cloud, made, image, words):
    report = examine(image, cloud=cloud, root=made.root)
    assert_only(report, ("registry.host", "failed", words))
    assert cloud.log() == []


# What the cloud is like, options and what comes of it: of all that failed or warns, nothing is left out.
REGISTRY = {
    "unresolvable": (lambda cloud: cloud.cloud.unresolvable.add(DEMO), {}, [
        ("registry.reachable", "failed", "cannot be reached in this environment", DEMO),
        ("registry.instance", "warning", "its id has to be looked up", "instanceId", "cr:ListInstance")]),
    "unknown-ca": (lambda cloud: cloud.fault("tls", tls="unknown-ca"), {}, [
        ("registry.reachable", "failed", "certificate"), ("registry.instance", "warning", "looked up"),
        ("network.endpoint", "warning", VPC, "certificate"), ("network.endpoint", "failed", PUBLIC, "certificate"),
        ("api.instance", "failed", "certificate")]),
    "reset": (lambda cloud: cloud.fault("registry", reset="request"), {}, [
        ("registry.reachable", "failed", "connection"), ("registry.instance", "warning", "looked up")]),
    "no challenge": (lambda cloud: setattr(cloud.cloud, "challenge_enabled", False), {}, [
        ("registry.instance", "warning", "looked up")]),
    "no challenge of a custom domain": (lambda cloud: setattr(cloud.cloud, "challenge_enabled", False),
                                        {"image": "hub.example.com/a"},
                                        [("registry.instance", "failed", "HTTP status 404")]),
    "of another account": (lambda cloud: None, {"image": "foreign.example.com/a"},
                           [("api.instance", "failed", "INSTANCE")]),
    "ListInstance refused": (lambda cloud: (setattr(cloud.cloud, "challenge_enabled", False),
                                            cloud.cloud.permissions.remove("cr:ListInstance")), {}, [
        ("registry.instance", "warning"),
        ("api.instance", "failed", "NoPermission", "Grant cr:ListInstance", json.dumps(policy("cr:ListInstance")))]),
    "ListInstanceEndpoint refused": (
        lambda cloud: cloud.cloud.permissions.remove("cr:ListInstanceEndpoint"), {"image": "hub.example.com/a"},
        [("api.instance", "failed", "NoPermission", json.dumps(policy("cr:ListInstanceEndpoint")))]),
    "GetAuthorizationToken refused": (
        lambda cloud: cloud.cloud.permissions.remove("cr:GetAuthorizationToken"), {},
        [("api.token", "failed", "NoPermission", "Grant", json.dumps(policy("cr:GetAuthorizationToken")))]),
    "denied": (lambda cloud: cloud.fault("acr", "GetAuthorizationToken", status=403, body=json.dumps({
        "Code": "NoPermission", "Message": "no", "AccessDeniedDetail": {
            "AuthAction": "cr:GetAuthorizationToken", "NoPermissionType": "ExplicitDeny"}})), {},
        [("api.token", "failed", "explicitly: remove that Deny")]),
    "throttled": (lambda cloud: cloud.fault("acr", "GetAuthorizationToken", code="Throttling.User"),
                  {"arguments": ["--deadline", "1"]}, [("api.token", "failed", "Throttling.User")]),
    "no Personal Edition": (lambda cloud: setattr(cloud.cloud, "personal_user", False),
                            {"image": "registry.cn-hangzhou.aliyuncs.com/a/b"},
                            [("api.token", "failed", "USER_NOT_EXIST")]),
    "VPC endpoint": (lambda cloud: cloud.cloud.unresolvable.add(VPC), {},
                     [("network.endpoint", "warning", VPC, "used first")]),
    "public endpoint": (lambda cloud: cloud.cloud.unresolvable.add(PUBLIC), {},
                        [("network.endpoint", "warning", PUBLIC, "used as fallback")]),
    "no endpoint": (lambda cloud: cloud.cloud.unresolvable.update({VPC, PUBLIC}), {"arguments": ["--deadline", "1"]}, [
        ("network.endpoint", "warning", VPC, "used first"), ("network.endpoint", "failed", PUBLIC),
        ("api.token", "failed", PUBLIC)]),
    "configured endpoint": (lambda cloud: cloud.cloud.unresolvable.add(PUBLIC), {
        "config": {"endpoints": {"network": "public"}}, "arguments": ["--deadline", "1"]}, [
        ("network.endpoint", "failed", PUBLIC, "used first"), ("api.token", "failed", PUBLIC)]),
    "slow clock": (lambda cloud: setattr(cloud.cloud, "clock_offset_s", 120), {},
                   [("network.clock", "warning", "s slow", "timedatectl")]),
    "fast clock": (lambda cloud: setattr(cloud.cloud, "clock_offset_s", -4000), {}, [
        ("network.clock", "warning", "s fast", "signed by the API's clock")]),
    "password": (lambda cloud: cloud.fault("auth", status=401), {},
                 [("login.password", "failed", "refuses the password (HTTP status 401)", "belong together")]),
    "log-in unavailable": (lambda cloud: cloud.fault("auth", status=500), {"arguments": ["--deadline", "10"]},
                           [("login.password", "failed", "HTTP status 500")]),
    "log-in without a token": (lambda cloud: cloud.fault("auth", body="{}"), {},
                               [("login.password", "failed", "token")]),
    "log-in unresolvable": (lambda cloud: cloud.cloud.unresolvable.add(AUTH), {}, [("login.password", "failed", AUTH)]),
    "pull": (lambda cloud: setattr(cloud.cloud, "pull_repositories", {"other/*"}), {}, [
        ("login.pull", "failed", "logged in, but may not pull team/app", "cr:PullRepository",
         json.dumps(policy("cr:PullRepository")))]),
    "foreign token service": (lambda cloud: setattr(cloud.cloud, "auth_host", "auth.evil.example"), {}, [
        ("login.password", "warning", "https://auth.evil.example/auth", "was not sent the password", "DNS")]),
}


@pytest.mark.parametrize("what", REGISTRY)
def test_what_is_wrong_in_the_cloud(cloud, made, what):
    change, options, found = REGISTRY[what]
    change(cloud)
    if "config" in options:
        made.write(OWN_CONFIG, options["config"])
    report = examine(options.get("image", IMAGE), *options.get("arguments", []), cloud=cloud, root=made.root)
    assert_only(report, *found)
    if what == "foreign token service":
        assert cloud.log("auth") == []
    if what == "denied":
        assert "policy" not in report.the("api.token")
    for one in report.checks:  # what a policy permits is told to machines as the document that it is
        assert isinstance(one.get("policy", {}), dict)


def test_instance_by_the_api(cloud, made):
    cloud.cloud.challenge_enabled = False
    report = examine(DEMO, cloud=cloud, root=made.root)
    report.has("api.instance", "ok", f"ListInstance: its id is {INSTANCE}")
    report.has("login.password", "skipped", "did not name its token service")


def test_custom_domain(cloud, made):
    report = examine("hub.example.com/team/app", cloud=cloud, root=made.root)
    assert_only(report)
    report.has("api.instance", "ok", f"ListInstanceEndpoint: instance {INSTANCE} lists this domain")
    report.has("login.pull", "ok", "may pull team/app")


def test_registry_of_the_configuration(cloud, made):
    made.write(OWN_CONFIG, {"registries": [
        {"match": ["hub.example.com"], "instanceId": INSTANCE, "region": "cn-hangzhou"}]})
    report = examine("hub.example.com", cloud=cloud, root=made.root)
    assert_only(report)
    report.has("registry.host", "ok", "a custom domain by its name, and listed in the configuration")
    report.has("registry.instance", "ok", f"instance {INSTANCE} in cn-hangzhou, by the configuration")
    report.has("login.pull", "skipped", "was not checked", "Name an image")


def test_personal_edition(cloud, made):
    report = examine("registry.cn-hangzhou.aliyuncs.com", cloud=cloud, root=made.root)
    report.has("registry.instance", "ok", "Personal Edition in cn-hangzhou")
    report.has("api.token", "ok")


def test_token_that_does_not_say_what_it_grants(cloud, made):
    cloud.fault("auth", body=json.dumps({"access_token": "opaque-" + "x" * 20}))
    report = examine(IMAGE, cloud=cloud, root=made.root)
    report.has("login.pull", "skipped", "does not say what may be pulled")


@pytest.mark.parametrize("reference, repository", [
    ("/team/app", "team/app"), ("/team/app:v1", "team/app"), ("/team/app@sha256:" + "0" * 64, "team/app"),
    ("/a/b/c:v1@sha256:" + "0" * 64, "a/b/c")])
def test_repository_of_an_image(cloud, made, reference, repository):
    cloud.cloud.pull_repositories = {repository}
    examine(DEMO + reference, cloud=cloud, root=made.root).has("login.pull", "ok", "may pull " + repository)


def test_endpoint_that_is_not_used(cloud, made):
    made.write(OWN_CONFIG, {"endpoints": {"network": "public"}})
    cloud.cloud.unresolvable = {VPC}
    report = examine(DEMO, cloud=cloud, root=made.root)
    report.has("network.endpoint", "ok", f"{PUBLIC} answers through the proxy; used first")
    report.has("network.endpoint", "skipped", VPC, "not used here")
    assert report.healthy


# -- network -------------------------------------------------------------------------------------------------------


def test_trust_store_that_is_missing(cloud, made):
    report = examine(DEMO, cloud=cloud, root=made.root, environment={"SSL_CERT_FILE": "/nonexistent.pem"})
    report.has("network.trust", "failed", "SSL_CERT_FILE=/nonexistent.pem, which cannot be read", "ca-certificates")
    report.has("network.clock", "skipped", "no service told the time")
    report.has("api.instance", "failed", "/nonexistent.pem")


@pytest.mark.parametrize("variables, found", [
    ({"HTTPS_PROXY": ""}, ("ok", "no proxy is set")),
    ({"HTTPS_PROXY": "http://user:s3cret-of-the-proxy@127.0.0.1:1"}, ("ok", "a proxy at 127.0.0.1:1")),
    ({"HTTPS_PROXY": "user:s3cret-of-the-proxy@127.0.0.1:1"}, ("ok", "a proxy at 127.0.0.1:1")),
    ({"HTTPS_PROXY": "http://127.0.0.1:1", "NO_PROXY": "10.0.0.0/8,.local"}, ("ok", "not for: 10.0.0.0/8,.local")),
    ({"HTTPS_PROXY": "", "https_proxy": "http://127.0.0.1:1"}, ("ok", "https_proxy names a proxy")),
    ({"HTTPS_PROXY": "ftp://user:s3cret-of-the-proxy@127.0.0.1"},
     ("failed", "HTTPS_PROXY is not the URL of a proxy", "Correct or unset")),
])
def test_proxy(cloud, made, variables, found):
    """All that is asked for is refused at once, by a port at which nobody listens."""
    image = "127.0.0.1:1/a"
    made.write(OWN_CONFIG, {"registries": [{"match": ["127.0.0.1:1"], "instanceId": INSTANCE, "region": "cn-hangzhou",
                                            "apiEndpoint": "https://127.0.0.1:1"}]})
    report = examine(image, "--deadline", "1", cloud=cloud, root=made.root, environment={**ACCESS_KEY, **variables})
    report.has("network.proxy", *found)
    assert_quiet(report.result.out, ["s3cret-of-the-proxy"])


def test_direct_connection(cloud, made):
    """The way of each host is told: here, one that the proxy is not for."""
    host = f"127.0.0.1:{cloud.api_port}"
    made.write(OWN_CONFIG, {"registries": [{"match": [host], "instanceId": INSTANCE, "region": "cn-hangzhou",
                                            "apiEndpoint": "https://" + host}]})
    report = examine(host, cloud=cloud, root=made.root, environment={"NO_PROXY": "127.0.0.1"})
    report.has("registry.reachable", "warning", "answers directly with HTTP status 404, where 401 is expected")
    report.has("network.endpoint", "ok", f"{host} answers directly; used first")


# -- identity ------------------------------------------------------------------------------------------------------


def sources(report):
    return [(check["status"], check["message"]) for check in report.of("identity.source")]


def test_chain_without_an_identity(made):
    report = examine(root=made.root, environment=NO_METADATA)
    assert [status for status, _ in sources(report)] == ["skipped"] * 5
    assert [message for _, message in sources(report)] == [
        "environment: ALIBABA_CLOUD_ACCESS_KEY_ID is not set", "OIDC: ALIBABA_CLOUD_OIDC_TOKEN_FILE is not set",
        "CLI profile: there is no /nonexistent/.aliyun/config.json; credentials file: there is no "
        "/nonexistent/.alibabacloud/credentials",
        "ECS metadata service: disabled by ALIBABA_CLOUD_ECS_METADATA_DISABLED",
        "credentials URI: ALIBABA_CLOUD_CREDENTIALS_URI is not set"]
    report.has("identity.credentials", "failed", "no identity found", "ALIBABA_CLOUD_ACCESS_KEY_ID")


@pytest.mark.parametrize("mode, words", [("normal", "with session token"), ("hardened", "with session token"),
                                         ("no-token-service", "without session token")])
def test_mode_of_the_metadata_service(cloud, made, mode, words):
    cloud.cloud.metadata_mode, cloud.cloud.credentials_life_s = mode, 1859
    report = examine(cloud=cloud, root=made.root)
    report.has("identity.credentials", "ok", words, ", 30 min left")


def test_metadata_service_without_a_role(cloud, made):
    cloud.cloud.role = ""
    report = examine(cloud=cloud, root=made.root)
    assert [status for status, _ in sources(report)] == ["skipped"] * 5
    report.has("identity.source", "skipped", "the RAM role of this instance: ", "no RAM role")
    report.has("identity.credentials", "failed", "none of these sources is set up", "Attach a RAM role")


def test_credentials_uri_behind_the_metadata_service(cloud, made):
    uri, name = {URI: cloud.metadata + "/credentials"}, "the credentials of " + URI
    report = examine(cloud=cloud, root=made.root, environment=uri)
    assert sources(report)[-1] == ("skipped", f"{name}: not used, since an earlier source is in effect")
    cloud.cloud.role = ""
    report = examine(cloud=cloud, root=made.root, environment=uri)
    assert sources(report)[-1] == ("ok", name + ": in effect")
    assert "metadata" not in report.has("identity.credentials", "ok", "credentials: " + name)["message"]


BROKEN = {
    "environment": ({"ALIBABA_CLOUD_ACCESS_KEY_ID": KEY}, 0, "environment", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
    "OIDC": ({"ALIBABA_CLOUD_OIDC_TOKEN_FILE": "/token"}, 1, "OIDC", "ALIBABA_CLOUD_ROLE_ARN"),
    "profile": ({"HOME": "/home", "ALIBABA_CLOUD_PROFILE": "missing"}, 2, "profile", "missing"),
    "region": ({"ALIBABA_CLOUD_STS_REGION": "?"}, 3, "ECS metadata service", "ALIBABA_CLOUD_STS_REGION"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_source_that_is_broken_is_in_effect(cloud, made, what):
    """Another one in its place would be another identity than was meant."""
    variables, place, name, words = BROKEN[what]
    made.write("/home/.aliyun/config.json", {"current": "default", "profiles": []}, 0o600)
    report = examine(cloud=cloud, root=made.root, environment=variables)
    assert sources(report)[place] == ("ok", name + ": in effect")
    assert [status for status, _ in sources(report)].count("ok") == 1
    assert_only(report, ("identity.credentials", "failed", words))
    assert cloud.log() == []


PROFILES = {
    "AK": ({"mode": "AK", "access_key_id": KEY, "access_key_secret": SECRET}, "profile"),
    "RamRoleArn": ({"mode": "RamRoleArn", "access_key_id": KEY, "access_key_secret": SECRET, "ram_role_arn": PULLER,
                    "ram_session_name": "me"}, "credentials: role " + PULLER),
}


@pytest.mark.parametrize("mode", PROFILES)
def test_profile(cloud, made, mode):
    fields, words = PROFILES[mode]
    made.write("/root/.aliyun/config.json", {"current": "default", "profiles": [
        {"name": "default", "region_id": "cn-hangzhou", **fields}]}, 0o600)
    report = examine(cloud=cloud, root=made.root, environment={"HOME": "/root"})
    assert_only(report)
    report.has("identity.credentials", "ok", words)
    report.has("identity.source", "skipped", "the RAM role of this instance: not used")


def test_command_of_a_profile_below_another_root(cloud, made, tmp_path):
    """Whoever has written that tree must not make this process run something."""
    made.write("/root/.aliyun/config.json", {"current": "default", "profiles": [
        {"name": "default", "mode": "External", "process_command": f"touch {tmp_path}/mark"}]}, 0o600)
    report = examine(cloud=cloud, root=made.root, environment={"HOME": "/root"})
    report.has("identity.credentials", "failed", "ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS")
    assert not (tmp_path / "mark").exists()


def test_roles(cloud, made):
    made.write(OWN_CONFIG, {"identity": {"assumeRole": [{"roleArn": PULLER},
                                                        {"roleArn": PARTNER_ROLE, "externalId": "abcd1234"}]}})
    report = examine(cloud=cloud, root=made.root)
    assert_only(report)
    report.has("identity.credentials", "ok", f"credentials: role {PARTNER_ROLE}", f"by role {PULLER}", "left")


CLOSED = PULLER.replace("puller", "closed")


@pytest.mark.parametrize("roles", [[CLOSED], [PULLER, CLOSED]])
def test_role_that_cannot_be_assumed(cloud, made, roles):
    made.write(OWN_CONFIG, {"identity": {"source": "ecs", "assumeRole": [{"roleArn": arn} for arn in roles]}})
    report = examine(IMAGE, cloud=cloud, root=made.root)
    found = report.has("identity.credentials", "failed", CLOSED, "sts:AssumeRole", "trust policy")
    assert found["policy"] == policy("sts:AssumeRole", CLOSED)
    report.has("api.token", "skipped", "what failed above")


def test_source_of_the_configuration(cloud, made):
    made.write(OWN_CONFIG, {"identity": {"source": "env"}})
    report = examine(cloud=cloud, root=made.root)
    assert sources(report) == []
    assert_only(report, ("identity.credentials", "failed", "ALIBABA_CLOUD_ACCESS_KEY_ID is not set"))


def pod(cloud, made, tmp_path, annotations=(f"acr.aliyun.com/role-arn={POD_ROLE}",), config=None, **claims):
    made.write(OWN_CONFIG, {"podIdentity": {"oidcProviderArn": PROVIDER}} if config is None else config)
    token = tmp_path / "token"
    token.write_text(cloud.cloud.mint({**CLAIMS, **claims}) + "\n")
    token.chmod(0o600)
    arguments = [word for annotation in annotations for word in ("--annotation", annotation)]
    return examine(IMAGE, "--service-account-token", str(token), *arguments, cloud=cloud, root=made.root)


@pytest.mark.parametrize("annotation", [f"acr.aliyun.com/role-arn={POD_ROLE}",
                                        "pod-identity.alibabacloud.com/role-name=pod"])
def test_pod(cloud, made, tmp_path, annotation):
    report = pod(cloud, made, tmp_path, [annotation, "other=a=b"])
    assert_only(report)
    report.has("identity.credentials", "ok", "the pod's role")
    assert sources(report) == []
    assert cloud.cloud.assumed[-1]["RoleArn"] == POD_ROLE


@pytest.mark.parametrize("change, words", [
    ({"sub": "system:serviceaccount:default:other"}, "system:serviceaccount:default:other"),
    ({"aud": "other"}, "the token's audience is other"),
    ({"config": {}}, "needs an OIDC provider"),
    ({"annotations": ["acr.aliyun.com/role-arn=nonsense"]}, "acr.aliyun.com/role-arn"),
    ({"annotations": [], "config": {"podIdentity": {"withoutRole": "refuse"}}}, "names no RAM role"),
])
def test_pod_that_gets_nothing(cloud, made, tmp_path, change, words):
    assert_only(pod(cloud, made, tmp_path, **change), ("identity.credentials", "failed", words))


def test_pod_without_a_role(cloud, made, tmp_path):
    report = pod(cloud, made, tmp_path, [])
    assert_only(report, ("identity.source", "warning", "the pod gets the identity of the node",
                         "acr.aliyun.com/role-arn"))
    report.has("identity.credentials", "ok", "RAM role KubernetesWorkerRole")


def test_annotation_without_a_token(cloud, made):
    report = examine(IMAGE, "--annotation", f"acr.aliyun.com/role-arn={POD_ROLE}", cloud=cloud, root=made.root)
    assert_only(report, ("identity.credentials", "failed", "sent no token", "serviceAccountTokenAudience"))


def test_identity_of_a_registry(cloud, made):
    """An image is examined with the identity that its registry has."""
    made.write(OWN_CONFIG, {"registries": [{"match": [DEMO], "identity": {"assumeRole": [{"roleArn": PULLER}]}}]})
    report = examine(IMAGE, "hub.example.com", cloud=cloud, root=made.root)
    first, second = report.of("identity.credentials")
    assert PULLER in first["message"] and "KubernetesWorkerRole" in second["message"]
