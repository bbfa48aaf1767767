"""What must not be told: no secret of any identity, whatever is asked to be logged and whatever a service quotes.

Registry passwords and the keys of the cloud are looked for in every run, by program_run.py; here, what else is secret.
"""

import base64
import itertools
import json
from urllib.parse import quote

import pytest
from identity_fixtures import CLAIMS, KEY, POD_ROLE, PROVIDER, PULLER, SECRET, cli, ini, oidc, print_json, write
from program_run import DEMO, assert_quiet, caller, request, run

# With characters that an encoding changes; the token is longer than any text of an error.
STS_KEY, STS_SECRET = "STS.quoted", "s3cr/t+" + base64.b64encode(bytes(range(190, 220))).decode()
STS_TOKEN = "CAIS/+" + base64.b64encode(bytes(n * n % 251 for n in range(900))).decode() + "=="
POD = {"serviceAccountAnnotations": {"acr.aliyun.com/role-arn": POD_ROLE}}
POD_CONFIG = {"podIdentity": {"oidcProviderArn": PROVIDER}}
ROLE = {"identity": {"assumeRole": [{"roleArn": PULLER}]}}


def variables(key_id, secret, token=""):
    return {"ALIBABA_CLOUD_ACCESS_KEY_ID": key_id, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": secret,
            "ALIBABA_CLOUD_SECURITY_TOKEN": token}


@pytest.fixture
def session(cloud):
    """STS credentials that the cloud knows: id, secret, token."""
    cloud.cloud.keys[STS_KEY] = {"secret": STS_SECRET, "token": STS_TOKEN, "ends": None, "role": "session"}
    return STS_KEY, STS_SECRET, STS_TOKEN


def ask(cloud, tmp_path, more=None, fields=None, config=None, image=DEMO + "/a", **keywords):
    return run(request(image, **(fields or {})), {**cloud.environment(), "HOME": str(tmp_path), **(more or {})},
               config={} if config is None else config, tmp_path=tmp_path, **keywords)


# -- what is logged --------------------------------------------------------------------------------------------


def profile(mode):
    def prepare(cloud, tmp_path):
        key = {"access_key_id": KEY, "access_key_secret": SECRET}
        sts = {"access_key_id": STS_KEY, "access_key_secret": STS_SECRET, "sts_token": STS_TOKEN}
        more = {
            "AK": key, "StsToken": sts, "RamRoleArn": {**key, "ram_role_arn": PULLER}, "EcsRamRole": {},
            "RamRoleArnWithRoleName": {"ram_role_arn": PULLER},
            "OIDC": {"ram_role_arn": POD_ROLE, "oidc_provider_arn": PROVIDER,
                     "oidc_token_file": str(tmp_path / "token")},
            "ChainableRamRoleArn": {"source_profile": "first", "ram_role_arn": PULLER},
            "External": {"process_command": print_json(mode="StsToken", **sts)},
            "CredentialsURI": {"credentials_uri": cloud.metadata + "/credentials"},
        }
        cli(tmp_path, {"mode": mode, **more[mode]}, {"name": "first", "mode": "StsToken", **sts})
        return {}
    return prepare


def credentials_file(_, tmp_path):
    ini(tmp_path, f"[default]\ntype = sts\naccess_key_id = {STS_KEY}\naccess_key_secret = {STS_SECRET}\n"
                  f"sts_token = {STS_TOKEN}\n")
    return {}


def metadata_service(mode):
    def prepare(cloud, _):
        cloud.cloud.metadata_mode = mode
        return {}
    return prepare


def credentials_uri(cloud, _):
    return {"ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
            "ALIBABA_CLOUD_CREDENTIALS_URI": cloud.metadata + "/credentials"}


def nothing(*_):
    return {}


# Who signs, what prepares the node and gives its variables, and its configuration.
SOURCES = {
    "environment": (KEY, lambda *_: variables(KEY, SECRET), {}),
    "environment-sts": ("session", lambda *_: variables(STS_KEY, STS_SECRET, STS_TOKEN), {}),
    "oidc": ("pod", oidc, {}),
    **{mode: (who, profile(mode), {}) for mode, who in {
        "AK": KEY, "StsToken": "session", "RamRoleArn": "puller", "EcsRamRole": "KubernetesWorkerRole",
        "RamRoleArnWithRoleName": "puller", "OIDC": "pod", "ChainableRamRoleArn": "puller", "External": "session",
        "CredentialsURI": "uri"}.items()},
    "credentials-file": ("session", credentials_file, {}),
    "ecs-by-session-token": ("KubernetesWorkerRole", metadata_service("hardened"), {}),
    "ecs-in-normal-mode": ("KubernetesWorkerRole", metadata_service("no-token-service"), {}),
    "credentials-uri": ("uri", credentials_uri, {}),
    "role-behind-role": ("puller", nothing, {"identity": {"assumeRole": [{"roleArn": PULLER}] * 2}}),
    "pod": ("pod", nothing, POD_CONFIG),
}


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.slow
def test_debug_log_of_every_identity(cloud, tmp_path, source):
    who, prepare, config = SOURCES[source]
    jwt = cloud.cloud.mint(CLAIMS)
    write(tmp_path / "token", jwt)
    more = prepare(cloud, tmp_path)
    fields = {"serviceAccountToken": jwt, **POD} if source == "pod" else {}
    # Without a cache, then a token that is to be kept, then the one that was.
    for arguments in (["--no-cache"], [], []):
        result = ask(cloud, tmp_path, more, fields, config, with_cache=True,
                     arguments=["--log-level", "debug", "--cache-dir", str(tmp_path / "cache"), *arguments])
        assert result.auth and caller(cloud) == who and "info: host=" in result.err
        sessions = {entry["headers"].get("x-aliyun-ecs-metadata-token", "") for entry in cloud.log("metadata")} - {""}
        assert_quiet(result.err, [*sessions, *jwt.split("."), *(tmp_path / "token").read_text().strip().split(".")])
    assert sessions or source != "ecs-by-session-token"


# -- what services quote ---------------------------------------------------------------------------------------


def parts_of(secret):
    """Texts are cut where they get too long, so that a part of a secret must not be told either."""
    return {text[at:at + 12] for text in (secret, quote(secret, safe="")) for at in range(len(text) - 11)}


DENIED = {"AuthAction": "cr:Pull", "AuthPrincipalDisplayName": "app", "NoPermissionType": "ImplicitDeny"}
# Where a service may quote something.
PLACES = [
    lambda told: {"Code": "Odd", "Message": "saw " + told},
    lambda told: {"Code": "Odd", "Message": f"{told}{told}, {told}"},
    lambda told: {"Code": "Odd", "Message": "x" * 490 + told}, lambda told: {"Code": told, "Message": "no"},
    lambda told: {"Code": "Odd", "Message": "no", "RequestId": told},
    *[lambda told, name=name: {"Code": "NoPermission", "Message": "no", "AccessDeniedDetail": {**DENIED, name: told}}
      for name in DENIED],
]


@pytest.mark.parametrize("service, operation, who, host, config", [
    ("sts", "AssumeRole", "key", DEMO, ROLE), ("sts", "AssumeRoleWithOIDC", "oidc", DEMO, {}),
    ("sts", "AssumeRoleWithOIDC", "pod", DEMO, POD_CONFIG), ("acr", "GetAuthorizationToken", "key", DEMO, {}),
    ("acr", "GetAuthorizationToken", "key", "registry.cn-hangzhou.aliyuncs.com", {}),
    ("acr", "ListInstance", "key", DEMO, {}), ("acr", "ListInstanceEndpoint", "key", "hub.example.com", {}),
])
@pytest.mark.slow
def test_service_that_quotes_what_it_was_sent(cloud, tmp_path, session, service, operation, who, host, config):
    cloud.cloud.challenge_enabled = operation != "ListInstance"
    more, fields, secrets = variables(*session), {}, session[1:]
    if who != "key":
        secrets = [cloud.cloud.mint({**CLAIMS, "more": "x" * 600})]
        more, fields = (oidc(cloud, tmp_path),
                        {}) if who == "oidc" else ({}, {"serviceAccountToken": secrets[0], **POD})
        write(tmp_path / "token", secrets[0])
    for secret, place in itertools.product(secrets, PLACES):
        for told in {secret, quote(secret, safe="")}:
            cloud.heal()
            fault = cloud.fault(service, operation, status=403, body=json.dumps(place(told)),
                                headers={"x-acs-request-id": told})
            result = ask(cloud, tmp_path, more, fields, config, host + "/a", arguments=["--log-level", "debug"])
            assert (result.status, fault["taken"]) == (77, 1), result.err
            assert_quiet(result.err, parts_of(secret))


def test_command_that_quotes_what_it_prints(cloud, tmp_path, session):
    """Only the last of its words are shown, which may begin within a secret."""
    names = "access_key_id", "access_key_secret", "sts_token"
    document = write(tmp_path / "document", dict(zip(names, session), mode="StsToken"))
    script = write(tmp_path / "script", f"cat {document}; echo using {STS_SECRET} and {STS_TOKEN} >&2; exit 1\n")
    cli(tmp_path, {"mode": "External", "process_command": f"sh {script}"})
    result = ask(cloud, tmp_path, {"PATH": "/usr/bin:/bin"}, arguments=["--log-level", "debug"])
    assert result.status == 69 and "exit status 1" in result.err
    assert_quiet(result.err, parts_of(STS_SECRET) | parts_of(STS_TOKEN))


@pytest.mark.parametrize("document",
                         [{"Code": "{}"}, {"Code": "Success", "AccessKeyId": "STS.x", "AccessKeySecret": "y",
                                           "SecurityToken": "z", "Expiration": "{}"}])
def test_metadata_service_that_quotes_its_session_token(cloud, tmp_path, document):
    token = "ECS+Token/" * 3
    cloud.fault("metadata", "token", body=token)
    cloud.fault("metadata", "role", body="KubernetesWorkerRole")
    cloud.fault("metadata", "credentials", body=json.dumps(document).replace("{}", token))
    result = ask(cloud, tmp_path, arguments=["--log-level", "debug"])
    assert result.status == 69
    assert_quiet(result.err, parts_of(token))
