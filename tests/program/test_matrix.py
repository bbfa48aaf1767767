"""Every kind of host, with every source of an identity, in every version of the protocol."""

import json
import random
import re
import shlex
import sys

import pytest
from provider import API, DEMO, Emulator, caller, pull, request, run

KEY, SECRET = "LTAIemulatorkey00001", "emulator-secret-0000000001"
POD_ROLE = "acs:ram::1234567890123456:role/pod"
PROVIDER = "acs:ram::1234567890123456:oidc-provider/ack-rrsa-c0123456789"
CLAIMS = {"iss": "https://oidc.example", "aud": "sts.aliyuncs.com", "sub": "system:serviceaccount:default:app"}

HOSTS = {
    "enterprise": DEMO, "enterprise-vpc": "demo-registry-vpc.cn-hangzhou.cr.aliyuncs.com",
    "enterprise-internal": "demo-registry-internal.cn-hangzhou.cr.aliyuncs.com",
    "enterprise-intl": "demo-registry-intl.cn-hangzhou.cr.aliyuncs.com",
    "enterprise-intl-vpc": "demo-registry-intl-vpc.cn-hangzhou.cr.aliyuncs.com",
    "distributed": "demo-registry.distributed.cn-hangzhou.cr.aliyuncs.com",
    "chart": "demo-chart.cn-hangzhou.cr.aliyuncs.com", "finance": "bank-registry.cn-shanghai-finance-1.cr.aliyuncs.com",
    "joint-venture": "venture-registry.cn-zhengzhou-jva.cr.aliyuncs.com",
    "custom": "hub.example.com", "port": DEMO + ":5000", "trailing-dot": DEMO + ".", "upper-case": DEMO.upper(),
    "personal": "registry.cn-hangzhou.aliyuncs.com", "personal-vpc": "registry-vpc.cn-beijing.aliyuncs.com",
    "personal-internal": "registry-internal.cn-beijing.aliyuncs.com",
    "personal-intl": "registry-intl.ap-southeast-1.aliyuncs.com",
    "personal-intl-vpc": "registry-intl-vpc.ap-southeast-1.aliyuncs.com",
    "personal-new": "crpi-abcdefgh12345678.cn-shanghai.personal.cr.aliyuncs.com",
    "personal-new-vpc": "crpi-abcdefgh12345678-vpc.cn-shanghai.personal.cr.aliyuncs.com",
    "anonymous": "registry-cn-hangzhou.ack.aliyuncs.com", "anonymous-vpc": "registry-cn-hangzhou-vpc.ack.aliyuncs.com",
}
PULLER = {"roleArn": "acs:ram::1234567890123456:role/puller"}
SOURCES = ["key", "sts-key", "oidc", "cli", "cli-sts", "cli-chain", "cli-external", "cli-uri", "ini", "ecs", "uri", "role", "pod",
           "entry-role", "entry-profile"]


@pytest.fixture(scope="module")
def cloud():
    with Emulator() as emulator:
        emulator.cloud.instances += [
            {**emulator.cloud.instances[0], "InstanceId": "cri-bank000000000000", "InstanceName": "bank",
             "RegionId": "cn-shanghai-finance-1"},
            {**emulator.cloud.instances[0], "InstanceId": "cri-venture000000000", "InstanceName": "venture",
             "RegionId": "cn-zhengzhou-jva"}]
        yield emulator


def profiles(home, *found):
    """A file of the CLI, whose first profile is the current one."""
    (home / ".aliyun").mkdir()
    (home / ".aliyun" / "config.json").write_text(json.dumps({"current": found[0]["name"], "profiles": found}))


def node(cloud, source, home):
    """(variables, configuration, more fields of the request, who must sign) for a source of an identity."""
    variables, config, fields = {"HOME": str(home)}, {}, {}
    if source == "key":
        return {**variables, "ALIBABA_CLOUD_ACCESS_KEY_ID": KEY, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET}, {}, {}, KEY
    if source == "sts-key":
        issued = cloud.cloud.issue_credentials(role="session")
        return {**variables, "ALIBABA_CLOUD_ACCESS_KEY_ID": issued["AccessKeyId"],
                "ALIBABA_CLOUD_ACCESS_KEY_SECRET": issued["AccessKeySecret"],
                "ALIBABA_CLOUD_SECURITY_TOKEN": issued["SecurityToken"]}, {}, {}, "session"
    if source == "oidc":
        (home / "token").write_text(cloud.cloud.mint(CLAIMS))
        return {**variables, "ALIBABA_CLOUD_ROLE_ARN": POD_ROLE, "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": PROVIDER,
                "ALIBABA_CLOUD_OIDC_TOKEN_FILE": str(home / "token")}, {}, {}, "pod"
    key = {"name": "key", "mode": "AK", "access_key_id": KEY, "access_key_secret": SECRET}
    if source == "cli":
        profiles(home, key)
        return variables, {}, {}, KEY
    if source in ("cli-sts", "cli-external"):
        issued = cloud.cloud.issue_credentials(role="session")
        session = {"mode": "StsToken", "access_key_id": issued["AccessKeyId"], "access_key_secret": issued["AccessKeySecret"],
                   "sts_token": issued["SecurityToken"]}
        printed = f"{sys.executable} -c " + shlex.quote(f"import json; print(json.dumps({session!r}))")
        profiles(home, {"name": "a", **(session if source == "cli-sts" else {"mode": "External", "process_command": printed})}, key)
        return variables, {}, {}, "session"
    if source == "cli-chain":
        profiles(home, {"name": "a", "mode": "ChainableRamRoleArn", "source_profile": "key", "ram_role_arn": PULLER["roleArn"],
                        "ram_session_name": "matrix"}, key)
        return variables, {}, {}, "puller"
    if source == "cli-uri":
        profiles(home, {"name": "a", "mode": "CredentialsURI", "credentials_uri": cloud.metadata + "/credentials"}, key)
        return variables, {}, {}, "uri"
    if source == "ini":
        (home / ".alibabacloud").mkdir()
        (home / ".alibabacloud" / "credentials").write_text(
            f"[default]\ntype = access_key\naccess_key_id = {KEY}\naccess_key_secret = {SECRET}\n")
        return variables, {}, {}, KEY
    if source == "uri":
        return {**variables, "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
                "ALIBABA_CLOUD_CREDENTIALS_URI": cloud.metadata + "/credentials"}, {}, {}, "uri"
    if source == "role":
        return variables, {"identity": {"assumeRole": [PULLER]}}, {}, "puller"
    if source.startswith("entry-"):  # of each registry, beside an identity of the node that could sign too
        profiles(home, {**key, "name": "other", "mode": "RamRoleArn", "ram_role_arn": PULLER["roleArn"]}, key)
        identity = {"assumeRole": [PULLER]} if source == "entry-role" else {"profile": "key", "source": "profile"}
        config = {"identity": {"source": "ecs"}, "registries": [{"match": [], "identity": identity}]}
        return variables, config, {}, "puller" if source == "entry-role" else KEY
    if source == "pod":
        fields = {"serviceAccountToken": cloud.cloud.mint(CLAIMS),
                  "serviceAccountAnnotations": {"acr.aliyun.com/role-arn": POD_ROLE}}
        return variables, {"podIdentity": {"oidcProviderArn": PROVIDER}}, fields, "pod"
    return variables, config, fields, "KubernetesWorkerRole"


@pytest.mark.parametrize("version", ["v1", "v1beta1", "v1alpha1"])
@pytest.mark.parametrize("source", SOURCES)
def test_every_host(cloud, tmp_path, source, version):
    if source == "pod" and version != "v1":
        pytest.skip("only v1 carries a token")
    variables, config, fields, who = node(cloud, source, tmp_path)
    for kind, host in HOSTS.items():
        before = len(cloud.log("acr"))
        for entry in config.get("registries", []):
            # As a configuration must spell it; one that names an anonymous host says that it is none.
            entry["match"] = [DEMO if kind.startswith("anonymous") else host.lower().rstrip(".")]
        result = run(request(host + "/team/app", version, **fields), {**cloud.environment(), **variables},
                     config=config, tmp_path=tmp_path)
        answer = result.answer
        calls = cloud.log("acr")[before:]
        assert answer["apiVersion"] == API + version, kind
        if kind.startswith("anonymous"):
            assert answer["auth"] == {} and calls == [], kind
            continue
        assert answer["auth"] == {host: {"username": "cr_temp_user", "password": cloud.cloud.issued[-1]}}, kind
        assert caller(cloud) == who, kind
        assert all(re.fullmatch(r"cr(-vpc)?\.[a-z]{2}-[a-z0-9-]+\.aliyuncs\.com", call["host"]) for call in calls), kind
        assert calls[-1]["path"].startswith("/tokens" if kind.startswith("personal") else "/?InstanceId=cri-"), kind


def test_whatever_the_host_no_other_api_host_is_asked(cloud):
    """Hosts put together at random, by the real executable; the seed is fixed, so that a failure comes again."""
    pieces = ["demo", "-registry", "-registry-vpc", "registry", "crpi-abcdefgh12345678", ".", ".", "cn-hangzhou", "cn-beijing",
              "oss-cn-hangzhou", "evil", ".cr.aliyuncs.com", ".personal.cr.aliyuncs.com", ".aliyuncs.com",
              ".attacker.example", "@", ":443", "..", "%2e", "/", "-", "CR", "registry.aliyuncs.com"]
    chosen = random.Random(20261124)
    before = len(cloud.log("acr"))
    answered = 0
    for _ in range(150):
        host = "".join(chosen.choices(pieces, k=chosen.randint(2, 6)))
        if chosen.random() < 0.3:
            host = f"demo-registry.{chosen.choice(['cn-hangzhou', 'oss-cn-hangzhou', 'evil'])}" + chosen.choice(pieces)
        answered += pull(cloud, host + "/a").status == 0
    assert answered > 0
    for call in cloud.log("acr")[before:]:
        assert re.fullmatch(r"cr(-vpc)?\.cn-(hangzhou|beijing)\.aliyuncs\.com", call["host"]), call["host"]
