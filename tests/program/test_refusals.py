"""Bad input and faults: exit status, one line with cause and remedy, empty stdout, no secret, in time."""

import json
import os
import re
import shlex
import shutil
import subprocess

import pytest
from identity_fixtures import ACCESS_KEY, PULLER, SECRET
from program_run import DEMO, PROGRAM, SHORT_S, WRAPPER, Emulator, assert_failed, call, pull, request, run

GOOD = json.loads(request(DEMO + "/a"))


@pytest.mark.parametrize("stdin, words", [
    ("", "stdin"), ("{", "stdin"), (request(DEMO)[:-5], "stdin"), ("[]", "stdin"), ("{} {}", "stdin"),
    ('{"kind":"A","kind":"B"}', "twice"), (request(DEMO) + "x", "stdin"),
    (json.dumps({**GOOD, "kind": "Pod"}), "kind"), (json.dumps({**GOOD, "apiVersion": "v1"}), "apiVersion"),
    (request(DEMO, "v2"), "apiVersion"), (json.dumps({**GOOD, "image": 1}), "image"),
    (json.dumps({**GOOD, "image": ""}), "image"), (json.dumps({**GOOD, "image": "x" * 2000}), "image"),
    (json.dumps({**GOOD, "image": "a b"}), "image"), (json.dumps({**GOOD, "image": "a\0b"}), "stdin"),
    (b'{"kind":"\xff"}', "stdin"), (b'{"kind":"\x00"}', "stdin"), (b"x" * (1024 * 1024 + 1), "1048576"),
    (request(DEMO, serviceAccountToken=7), "serviceAccountToken"),
])
def test_bad_requests(stdin, words):
    result = run(stdin if isinstance(stdin, bytes) else stdin.encode())
    result.out, result.err = result.out.decode(), result.err.decode()
    assert_failed(result, 65, words)


@pytest.mark.parametrize("image", [
    "@evil/a", "user@" + DEMO + "/a", "user:pass@" + DEMO + "/a", "d\u00e9mo.cr.aliyuncs.com/a", "a..b/c", "/a", "-a.b/c",
    "a-.b/c", DEMO + ":0/a", DEMO + ":65536/a", DEMO + ":x/a", "https://" + DEMO + "/a", "x" * 64 + ".com/a",
    "a." * 130 + "com/a", "[::1]/a", DEMO + "../a", "a%2eb.com/c",
])
def test_images_without_a_host(image):
    assert_failed(run(request(image)), 65, "image")


@pytest.mark.parametrize("image, cause", [
    ("user@" + DEMO + "/a", "has an @"), ("nginx@sha256:" + "0" * 64, "has an @"), ("[::1]:5000/a", "is an IPv6 address"),
    (DEMO + ":0/a", "the port of"), (DEMO + ":x/a", "the port of"), (DEMO + ":65536/a", "the port of"),
    (DEMO + ":x:5000/a", "the port of"),
    pytest.param("x" * 300 + "/a", "registry host is too long", id="long-host"),
    pytest.param(DEMO + "/" + "x" * 2000, "the image is too long", id="long-path"),
])
def test_image_of_another_form_is_told_the_right_one(image, cause):
    result = call("get", "--no-cache", image)
    assert_failed(result, 65, cause, "An image is HOST[:PORT]/PATH, ")
    assert "use: aliyun-acr-credential-provider get" not in result.err


@pytest.mark.parametrize("image, words", [
    ("nginx", "An image without a registry host is Docker Hub's: this program has no credentials for it"),
    ("localhost/a", "for ACR only"), ("hub:5000/a", "for ACR only"), ("127.0.0.1:5000/a", "for ACR only"),
    ("169.254.169.254/a", "for ACR only"),
])
def test_hosts_that_nobody_needs_to_ask(image, words):
    result = run(request(image))
    assert_failed(result, 78, "is not an ACR host", words)
    assert "registries" not in result.err


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
                  'Map it under "registries" in the configuration file, with an identity of the account that owns instance cri-')
    assert cloud.cloud.issued == []


def test_challenge_that_names_our_instance_is_no_proof(cloud):
    cloud.fault("registry", "challenge", status=401, headers={
        "WWW-Authenticate": 'Bearer service="registry.aliyuncs.com:cn-hangzhou:china:cri-demo567890abcdef"'})
    assert_failed(pull(cloud, "attacker.example/a"), 78, "attacker.example is not an ACR host: ",
                  "instance cri-demo567890abcdef does not list it among its domains")
    assert cloud.cloud.issued == []


@pytest.mark.parametrize("code, words", [("NoPermission", "or allow cr:ListInstanceEndpoint to"), ("Odd", "Look up the code")])
def test_proof_that_is_refused(cloud, code, words):
    cloud.fault("acr", "ListInstanceEndpoint", code=code, status=403)
    assert_failed(pull(cloud, "hub.example.com/a"), 77, "is not proved to be an ACR host", words)


def test_region_of_a_challenge_never_becomes_another_host(cloud):
    cloud.fault("registry", "challenge", status=401, headers={
        "WWW-Authenticate": 'Bearer service="registry.aliyuncs.com:evil.example/:china:cri-demo567890abcdef"'})
    assert_failed(pull(cloud, "hub.example.com/a"), 78, "is not an ACR host",
                  '{"match": ["hub.example.com"], "region": "REGION", "instanceId": "cri-..."}')
    assert cloud.log("acr") == []


def test_no_role(cloud):
    cloud.cloud.role = ""
    assert_failed(pull(cloud, DEMO + "/a"), 78, "no RAM role", "Attach a RAM role to the ECS instance")


def test_half_an_access_key(cloud):
    assert_failed(pull(cloud, DEMO + "/a", {"ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAIx"}), 78,
                  "ALIBABA_CLOUD_ACCESS_KEY_SECRET")


def test_hardened_only_without_token_service(cloud):
    cloud.cloud.metadata_mode = "hardened"
    cloud.fault("metadata", "token", status=404)
    assert_failed(pull(cloud, DEMO + "/a"), 77, "metadata", "/latest/api/token")


def test_normal_mode_forbidden(cloud):
    cloud.cloud.metadata_mode = "no-token-service"
    assert_failed(pull(cloud, DEMO + "/a", {"ALIBABA_CLOUD_IMDSV1_DISABLED": "true"}), 78,
                  "ALIBABA_CLOUD_IMDSV1_DISABLED")


def test_session_token_forbidden(cloud):
    cloud.cloud.metadata_mode = "hardened"
    assert_failed(pull(cloud, DEMO + "/a", {"ALIBABA_CLOUD_IMDSV2_DISABLED": "true"}), 77,
                  "only answers with a session token: unset ALIBABA_CLOUD_IMDSV2_DISABLED")


def test_metadata_disabled_by_the_environment(cloud):
    assert_failed(pull(cloud, DEMO + "/a", {"ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"}), 78, "no identity")


@pytest.mark.parametrize("operation", ["token", "role", "credentials"])
@pytest.mark.parametrize("fault, statuses", [
    ({"body": "<html>hello</html>"}, {69}), ({"status": 500}, {75}), ({"stall": True}, {75}),
    ({"reset": "request"}, {75}), ({"reset": "headers"}, {75}), ({"reset": "body"}, {75}), ({"close": True}, {75}),
    ({"garbage": True}, {69}), ({"endless": True}, {69}), ({"body_bytes": 1 << 30}, {69}),
    ({"redirect": "http://127.0.0.1:1/"}, {69}), ({"drip": {"bytes": 1, "interval_ms": 200}}, {75}),
])
def test_metadata_faults(cloud, operation, fault, statuses):
    cloud.fault("metadata", operation, **fault)
    result = pull(cloud, DEMO + "/a", deadline_s=SHORT_S)
    assert result.status in statuses, (result.status, result.err)
    assert_failed(result, result.status, "etadata")


@pytest.mark.parametrize("operation, fault, status, words", [
    ("token", {"status": 500}, 75, ["PUT /latest/api/token: HTTP status 500", "Try again; if it stays, check what answers at http"]),
    ("role", {"status": 429}, 75, ["GET /latest/meta-data/ram/security-credentials/: HTTP status 429", "Try again; if it stays"]),
    ("role", {"status": 401}, 69, ["HTTP status 401", "Try again; if it stays, check what answers at http"]),
    ("token", {"garbage": True}, 69, ["PUT /latest/api/token: ", "Check what answers at http", "in its place"]),
    ("credentials", {"endless": True}, 69, ["/KubernetesWorkerRole: ", "larger", "Check what answers at http", "in its place"]),
])
def test_metadata_service_that_is_there_is_not_advised_to_be_reached(cloud, operation, fault, status, words):
    """Nor to be forbidden."""
    cloud.fault("metadata", operation, **fault)
    result = pull(cloud, DEMO + "/a")
    assert_failed(result, status, *words)
    assert "reach" not in result.err and "ALIBABA_CLOUD_ECS_METADATA_DISABLED" not in result.err


def test_metadata_not_there():
    result = run(request(DEMO + "/a"), {"ALIBABA_CLOUD_IMDS_ENDPOINT": "http://127.0.0.1:1"})
    assert_failed(result, 75, "ECS metadata service", "On an ECS instance, let this node reach http://127.0.0.1:1; elsewhere set "
                  "ALIBABA_CLOUD_ACCESS_KEY_ID and")


def test_expired_metadata_credentials(cloud):
    """By the cloud's clock, not by the node's; fetched anew once before it is given up."""
    cloud.cloud.credentials_life_s = -60
    assert_failed(pull(cloud, DEMO + "/a"), 77, "expired")
    assert cloud.operations("metadata").count("credentials") == 2


ONCE, TWICE, SOME = {1}, {2}, range(3, 10)


@pytest.mark.parametrize("code, http_status, status, tries, words", [
    ("Throttling", 400, 75, SOME, "throttled"), ("Throttling.User", 429, 75, SOME, "throttled"),
    ("Throttling.Api", 400, 75, SOME, "throttled"), ("Rejected.Throttling", 503, 75, SOME, "throttled"),
    ("Odd.Throttling", 403, 75, SOME, "throttled"), ("ServiceUnavailable", 503, 75, SOME, "trouble"),
    ("InternalError", 500, 75, SOME, "trouble"), ("SystemError", 400, 75, SOME, "trouble"), ("Never.Heard.Of", 502, 75, SOME, "trouble"),
    ("InvalidTimeStamp.Expired", 400, 78, TWICE, "NTP"), ("InvalidTimeStamp.Format", 400, 78, TWICE, "cannot read the date"),
    ("IllegalTimestamp", 400, 78, ONCE | TWICE, "NTP"), ("SignatureNonceUsed", 400, 75, TWICE, "proxy that sends requests twice"),
    ("InvalidSecurityToken.Expired", 400, 77, TWICE, "renew them where they come from"), ("InvalidSecurityToken.Malformed", 400, 77, ONCE, "security token"),
    ("InvalidSecurityToken.MismatchWithAccessKey", 403, 77, ONCE, "belong together"),
    ("MissingSecurityToken", 400, 77, ONCE, "ALIBABA_CLOUD_SECURITY_TOKEN"),
    ("InvalidAccessKeyId.NotFound", 404, 77, TWICE, "AccessKey"), ("InvalidAccessKeyId.Inactive", 403, 77, ONCE, "AccessKey"),
    ("Forbidden.AccessKeyDisabled", 403, 77, ONCE, "AccessKey"), ("SignatureDoesNotMatch", 400, 77, ONCE, "secret"),
    ("IncompleteSignature", 400, 77, ONCE, "secret"), ("NoPermission", 403, 77, ONCE, "cr:GetAuthorizationToken"),
    ("Forbidden", 403, 77, ONCE, "cr:GetAuthorizationToken"), ("Forbidden.RAM", 400, 77, ONCE, "cr:GetAuthorizationToken"),
    ("AccessDenied", 403, 77, ONCE, "RAM policy"), ("NoPrivilege", 403, 77, ONCE, "RAM policy"),
    ("AUTHENTICATION_FAILED", 403, 77, ONCE, "RAM policy"), ("Forbidden.RiskControl", 403, 77, ONCE, "state of the Alibaba Cloud account"),
    ("InstanceNotExist", 404, 77, ONCE, "belongs to the account"), ("InstanceNotExist", 200, 77, ONCE, "belongs to the account"),
    ("INSTANCE_NOT_EXIST", 404, 77, ONCE, "belongs to the account"), ("INSTANCE_NOT_EXIST", 200, 77, ONCE, "belongs to the account"),
    ("INSTANCE_STATUS_NOT_SUPPORT", 400, 77, ONCE, "stopped"), ("InstanceStatusNotSupport", 200, 77, ONCE, "stopped"),
    ("InvalidParameter.InstanceId", 400, 78, ONCE, "Correct in the configuration the parameter that the service names"), ("InvalidVersion", 400, 78, ONCE, "endpoints"),
    ("Never.Heard.Of", 400, 77, ONCE, "Look up the code"), ("EntityNotExist.User", 404, 77, ONCE, "Look up the code"),
])
def test_api_refusals(cloud, code, http_status, status, tries, words):
    cloud.fault("acr", code=code, status=http_status)
    assert_failed(pull(cloud, DEMO + "/a"), status, words, code, "FAULT-0001")
    assert len(cloud.log("acr")) in tries
    assert len({entry["headers"]["x-acs-signature-nonce"] for entry in cloud.log("acr")}) == len(cloud.log("acr"))


@pytest.mark.parametrize("status_200", [True, False])
def test_instance_that_does_not_exist(cloud, tmp_path, status_200):
    cloud.cloud.refusals_with_status_200 = status_200
    config = {"registries": [{"match": [DEMO], "instanceId": "cri-another"}]}
    assert_failed(pull(cloud, DEMO + "/a", config=config, tmp_path=tmp_path), 77, "INSTANCE_NOT_EXIST", "cri-another", "cn-hangzhou")
    assert len(cloud.log("acr")) == 1


def test_nonce_that_was_used_is_followed_by_another(cloud):
    cloud.fault("acr", times=1, code="SignatureNonceUsed")
    assert pull(cloud, DEMO + "/a").auth
    first, second = (entry["headers"]["x-acs-signature-nonce"] for entry in cloud.log("acr"))
    assert first != second


@pytest.mark.parametrize("code", ["InvalidTimeStamp.Expired", "InvalidTimeStamp.Format", "IllegalTimestamp"])
def test_clock_is_mended_however_the_refusal_is_called(cloud, code):
    cloud.cloud.clock_offset_s = 20 * 60
    cloud.fault("acr", times=1, code=code)
    assert pull(cloud, DEMO + "/a").auth
    assert len(cloud.log("acr")) == 2


def test_only_a_key_that_passes_is_fetched_anew_when_it_is_unknown(cloud):
    """Expired STS keys are called unknown too; that a lasting key is unknown stays so."""
    cloud.fault("acr", times=1, code="InvalidAccessKeyId.NotFound")
    assert pull(cloud, DEMO + "/a").auth
    assert cloud.operations("metadata").count("credentials") == 2
    first, second = (re.search("Credential=(STS[^,]+)", entry["headers"]["authorization"])[1] for entry in cloud.log("acr"))
    assert first != second
    cloud.fault("acr", times=1, code="InvalidAccessKeyId.NotFound")
    assert_failed(pull(cloud, DEMO + "/a", ACCESS_KEY), 77, "InvalidAccessKeyId.NotFound", "deleted or disabled")
    assert len(cloud.log("acr")) == 3


def test_final_refusals_are_not_retried(cloud):
    cloud.cloud.permissions = set()
    assert_failed(pull(cloud, DEMO + "/a"), 77, "NoPermission", "cr:GetAuthorizationToken", "KubernetesWorkerRole")
    assert len(cloud.log("acr")) == 1


@pytest.mark.parametrize("kind, words", [
    ("ImplicitDeny", "Allow the action cr:Pull to app in a RAM policy\n"),
    ("ExplicitDeny", "A policy denies cr:Pull to app explicitly: remove that Deny\n")])
def test_what_a_policy_denies(cloud, kind, words):
    detail = {"AuthAction": "cr:Pull", "AuthPrincipalDisplayName": "app", "NoPermissionType": kind}
    cloud.fault("acr", status=403, body=json.dumps({"Code": "NoPermission", "AccessDeniedDetail": detail}))
    assert_failed(pull(cloud, DEMO + "/a"), 77, words)


def test_wrong_secret_prints_no_signed_request(cloud):
    key = {**ACCESS_KEY, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "wrong-secret"}
    result = pull(cloud, DEMO + "/a", key)
    assert_failed(result, 77, "SignatureDoesNotMatch", secrets=["wrong-secret", "x-acs-content-sha256"])


def test_service_that_quotes_the_security_token(cloud):
    issued = cloud.cloud.issue_credentials()
    cloud.fault("acr", status=400, body=json.dumps({"Code": "Odd", "Message": "saw " + issued["SecurityToken"]}))
    key = {"ALIBABA_CLOUD_ACCESS_KEY_ID": issued["AccessKeyId"],
           "ALIBABA_CLOUD_ACCESS_KEY_SECRET": issued["AccessKeySecret"],
           "ALIBABA_CLOUD_SECURITY_TOKEN": issued["SecurityToken"]}
    assert_failed(pull(cloud, DEMO + "/a", key), 77, "Odd")


@pytest.mark.parametrize("fault", [
    {"code": "Throttling.User", "retry_after": 1}, {"code": "ServiceUnavailable"}, {"reset": "request"},
    {"reset": "headers"}, {"reset": "body"}, {"truncate": True}, {"close": True},
])
def test_trouble_that_passes(cloud, fault):
    cloud.fault("acr", "GetAuthorizationToken", times=2, **fault)
    assert pull(cloud, DEMO + "/a").auth
    assert cloud.operations("acr").count("GetAuthorizationToken") == 3


def test_each_try_is_signed_anew(cloud):
    cloud.fault("acr", "GetAuthorizationToken", times=2, code="ServiceUnavailable")
    pull(cloud, DEMO + "/a").answer
    nonces = [entry["headers"]["x-acs-signature-nonce"] for entry in cloud.log("acr")]
    assert len(nonces) >= 3 and len(set(nonces)) == len(nonces)


def test_retry_after_beyond_the_deadline_fails_at_once(cloud):
    cloud.fault("acr", code="Throttling.User", retry_after=3600)
    result = pull(cloud, DEMO + "/a")
    assert_failed(result, 75, "Throttling.User")
    assert len(cloud.log("acr")) == 1


def test_expired_security_token_is_fetched_anew_once(cloud):
    cloud.fault("acr", times=1, code="InvalidSecurityToken.Expired")
    assert pull(cloud, DEMO + "/a").auth
    assert cloud.operations("metadata").count("credentials") == 2


@pytest.mark.parametrize("fault, status", [
    ({"stall": True}, 75), ({"garbage": True}, 69), ({"endless": True}, 69), ({"body_bytes": 1 << 30}, 69),
    ({"body": "<html>hello</html>"}, 69), ({"body": "{}"}, 69), ({"redirect": "https://attacker.example/"}, 69),
    ({"body": '{"IsSuccess":true,"TempUsername":"u","AuthorizationToken":"p","ExpireTime":1}'}, 69),
    ({"drip": {"bytes": 1, "interval_ms": 500}}, 75), ({"reset": "request"}, 75),
])
def test_api_faults(cloud, fault, status):
    cloud.fault("acr", **fault)
    assert_failed(pull(cloud, DEMO + "/a", deadline_s=SHORT_S), status)


@pytest.mark.parametrize("fault, status, words", [
    ({"tls": "unknown-ca"}, 69, "certificate"), ({"tls": "wrong-name"}, 69, "certificate"),
    ({"tls": "expired"}, 69, "certificate"), ({"reset": "tls"}, 75, "connection failed"),
])
def test_tls(cloud, fault, status, words, tmp_path):
    """Straight at the API, so that nothing but the program sees the handshake."""
    config = {"registries": [{"match": [DEMO], "instanceId": "cri-demo567890abcdef", "apiEndpoint": cloud.api}]}
    cloud.fault("tls", **fault)
    assert_failed(pull(cloud, DEMO + "/a", config=config, tmp_path=tmp_path), status, words)
    assert cloud.log("acr") == []


def test_hashed_directory_of_certificates(cloud, tmp_path):
    shutil.copy(cloud.ca, tmp_path / "ca.pem")
    subprocess.run(["openssl", "rehash", str(tmp_path)], check=True)
    environment = cloud.environment()
    del environment["SSL_CERT_FILE"]
    assert run(request(DEMO + "/a"), {**environment, "SSL_CERT_DIR": str(tmp_path)}).auth
    assert_failed(run(request(DEMO + "/a"), environment), 69, "certificate")


def test_bundle_with_many_certificates_is_searched(cloud, tmp_path):
    bundle = tmp_path / "bundle.pem"
    with open(os.path.join(os.path.dirname(cloud.ca), "other", "ca.pem"), encoding="ascii") as other, \
            open(cloud.ca, encoding="ascii") as own:
        bundle.write_text("# comment\n" + other.read() * 100 + own.read())
    assert pull(cloud, DEMO + "/a", {"SSL_CERT_FILE": str(bundle)}).auth


def test_stdin_that_never_ends():
    with subprocess.Popen([PROGRAM, "--deadline", "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env={}) as process:
        assert process.wait(10) == 75
        assert process.stdout.read() == b"" and b"before the deadline. Close standard input after the request\n" in process.stderr.read()


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_configuration_that_others_can_write(tmp_path, mode):
    path = tmp_path / "config.json"
    path.write_text("{}")
    path.chmod(mode)
    assert_failed(run(request(DEMO), arguments=["--config", str(path)]), 78, "written by others", "chmod")


@pytest.mark.parametrize("arguments", [
    ["--nonsense"], ["frobnicate"], ["--config"], ["--deadline", "0"], ["--deadline", "x"], ["--log-level", "loud"],
    ["--log-to", "journal"],
])
def test_wrong_command_lines(arguments):
    assert_failed(run(request(DEMO), arguments=arguments), 64, "--help" if arguments[0] == "--nonsense" else "")


def test_configuration_that_may_not_be_read(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "config.json").chmod(0)
    prefix = [] if os.geteuid() else ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    result = run(request(DEMO), arguments=["--config", str(tmp_path / "config.json")], prefix=prefix)
    assert_failed(result, 78, "cannot open", "Let the user that runs this program read it")


def test_missing_configuration(tmp_path):
    assert_failed(run(request(DEMO), arguments=["--config", str(tmp_path / "none.json")]), 78, "no such file")


@pytest.mark.parametrize("make, words", [
    (lambda path: path.mkdir(), "not a regular file"), (os.mkfifo, "not a regular file"),
    (lambda path: path.symlink_to(path), "symbolic links"), (lambda path: path.write_text("{"), "line 1"),
    (lambda path: path.write_text(" " * (1024 * 1024 + 1)), "larger"),
    (lambda path: (path.write_text("{}"), path.chmod(0o620)), "chmod go-w"),
])
def test_configuration_that_cannot_be_read(tmp_path, make, words):
    make(tmp_path / "config.json")
    assert_failed(run(request(DEMO), arguments=["--config", str(tmp_path / "config.json")]), 78, "config.json", words)


# -- what a registry says of itself --


def challenge(cloud, region="cn-hangzhou", rest=":cri-demo567890abcdef"):
    cloud.fault("registry", "challenge", status=401,
                headers={"WWW-Authenticate": f'Bearer service="registry.aliyuncs.com:{region}:china{rest}"'})


HUB = {"registries": [{"match": ["hub.example.com"]}]}


@pytest.mark.parametrize("entry, words", [
    ({"region": "cn-beijing"}, ["region cn-hangzhou instead of cn-beijing", "Correct region under"]),
    ({"instanceId": "cri-another"}, ["instance cri-demo567890abcdef instead of instance cri-another", "Correct instanceId under"]),
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
    ("enterprise", "", "it says it is Personal Edition"), ("personal", ":cri-demo567890abcdef", "it says it is Enterprise Edition"),
])
def test_registry_of_another_edition_than_configured(cloud, tmp_path, edition, rest, words):
    challenge(cloud, rest=rest)
    config = {"registries": [{"match": ["hub.example.com"], "edition": edition}]}
    assert_failed(pull(cloud, "hub.example.com/a", config=config, tmp_path=tmp_path), 78, words, "Correct edition under")
    assert cloud.cloud.issued == []


def test_registry_that_names_no_instance_against_the_configuration(cloud, tmp_path):
    challenge(cloud, rest="")
    config = {"registries": [{"match": ["hub.example.com"], "instanceId": "cri-another"}]}
    assert_failed(pull(cloud, "hub.example.com/a", config=config, tmp_path=tmp_path), 78, "it says no instance instead of")


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
    assert_failed(result, 75, "asking which ACR instance it is")


def test_trouble_on_the_way_to_a_proof_is_told_as_such(cloud):
    cloud.fault("acr", "ListInstanceEndpoint", code="ServiceUnavailable")
    result = pull(cloud, "hub.example.com/a")
    assert_failed(result, 75, "is not proved to be an ACR host", "ServiceUnavailable")
    assert "cr:ListInstanceEndpoint" not in result.err


def test_authority_of_a_registry_that_is_not_known_is_told_as_such(cloud, tmp_path):
    """The authority of another cloud, where the API is, is the only one that is known: of the registry nothing is asked."""
    with Emulator() as known:
        config = {"registries": [{"match": ["hub.example.com"], "apiEndpoint": known.api}]}
        result = pull(cloud, "hub.example.com/a", {"SSL_CERT_FILE": known.ca, "NO_PROXY": "127.0.0.1"}, config=config, tmp_path=tmp_path)
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
    assert_failed(pull(cloud, "nosuch-registry.cn-hangzhou.cr.aliyuncs.com/a"), 77, "no ACR instance named nosuch", "instanceId")


def test_new_personal_edition_without_permission_names_the_fixed_password(cloud):
    cloud.cloud.permissions = set()
    assert_failed(pull(cloud, "crpi-abcdefgh12345678.cn-shanghai.personal.cr.aliyuncs.com/a"), 77, "imagePullSecret")


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 429}, {"reset": "request"}])
@pytest.mark.parametrize("configured", [True, False])
def test_challenge_of_a_custom_domain_is_asked_again(cloud, tmp_path, configured, fault):
    config = {"registries": [{"match": ["hub.example.com"]}]} if configured else {}
    cloud.fault("registry", "challenge", times=1, **fault)
    assert pull(cloud, "hub.example.com/a", config=config, tmp_path=tmp_path).auth
    cloud.fault("registry", "challenge", **fault)
    assert_failed(pull(cloud, "hub.example.com/a", config=config, tmp_path=tmp_path), 75, "hub.example.com")


def test_vpc_endpoint_is_returned_to(cloud):
    cloud.fault("proxy", "connect", times=1, host="cr-vpc.*")
    cloud.cloud.unresolvable = {"cr.cn-hangzhou.aliyuncs.com"}
    assert pull(cloud, DEMO + "/a").auth
    assert cloud.log("acr")[-1]["host"] == "cr-vpc.cn-hangzhou.aliyuncs.com"


def test_back_off_does_not_starve_what_runs_beside_it(cloud, tmp_path):
    """The challenge comes while a throttled AssumeRole is waited for longer than a challenge may take."""
    cloud.fault("sts", times=1, code="Throttling.User", retry_after=7)
    cloud.fault("registry", "challenge", delay_ms=300)
    config = {"registries": [{"match": ["hub.example.com"]}],
              "identity": {"assumeRole": [{"roleArn": PULLER}]}}
    assert pull(cloud, "hub.example.com/a", config=config, tmp_path=tmp_path, arguments=["--deadline", "30"]).auth


def test_secret_at_the_edge_of_a_message(cloud):
    for before in range(485, 506, 4):
        cloud.fault("acr", times=1, status=400, body=json.dumps({"Code": "Odd", "Message": "x" * before + SECRET}))
        result = pull(cloud, DEMO + "/a", ACCESS_KEY)
        assert_failed(result, 77, "Odd", secrets=[SECRET[:8]])


def test_default_port_of_an_endpoint(cloud, tmp_path):
    config = {"endpoints": {"acr": "https://cr.cn-hangzhou.aliyuncs.com:443"}}
    assert pull(cloud, DEMO + "/a", config=config, tmp_path=tmp_path).auth


@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&-", "<&- >&- 2>&-"])
def test_closed_standard_streams(cloud, closed):
    command = shlex.join([*WRAPPER, PROGRAM, "get", "--no-cache", "--output", "password", DEMO]) + " " + closed
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, env=cloud.environment(), check=False)
    assert (done.returncode == 0) == (">&-" not in closed.replace("2>&-", "")) and "reg-" not in done.stderr


@pytest.mark.parametrize("arguments", [["--config", ""], ["--config="], ["--cache-dir="]])
def test_empty_value_is_no_default(arguments):
    assert_failed(run(request(DEMO), arguments=arguments), 64, "value is missing", arguments[0].rstrip("="))
