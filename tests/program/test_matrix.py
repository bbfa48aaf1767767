"""Every kind of host, with every source of an identity, in every version of the protocol; then hosts made at random."""

import itertools
import json
import random
import re
import shlex
import sys

import pytest
from identity_fixtures import CLAIMS, KEY, POD_ROLE, PROVIDER, PULLER, SECRET
from program_run import API, DEMO, Emulator, assert_failed, caller, pull, request, run

pytestmark = pytest.mark.slow


HOSTS = {
    "enterprise": DEMO, "enterprise-vpc": "demo-registry-vpc.cn-hangzhou.cr.aliyuncs.com",
    "enterprise-internal": "demo-registry-internal.cn-hangzhou.cr.aliyuncs.com",
    "enterprise-intl": "demo-registry-intl.cn-hangzhou.cr.aliyuncs.com",
    "enterprise-intl-vpc": "demo-registry-intl-vpc.cn-hangzhou.cr.aliyuncs.com",
    "distributed": "demo-registry.distributed.cn-hangzhou.cr.aliyuncs.com",
    "chart": "demo-chart.cn-hangzhou.cr.aliyuncs.com", "chart-vpc": "demo-chart-vpc.cn-hangzhou.cr.aliyuncs.com",
    "finance": "bank-registry.cn-shanghai-finance-1.cr.aliyuncs.com",
    "joint-venture": "venture-registry.cn-zhengzhou-jva.cr.aliyuncs.com",
    # Of no known form: under Alibaba Cloud's own suffix a challenge is enough, though no instance lists this domain.
    "no-form": "demo-registry-intl-internal.cn-hangzhou.cr.aliyuncs.com",
    "custom": "hub.example.com", "port": DEMO + ":5000", "trailing-dot": DEMO + ".", "upper-case": DEMO.upper(),
    "personal": "registry.cn-hangzhou.aliyuncs.com", "personal-vpc": "registry-vpc.cn-beijing.aliyuncs.com",
    "personal-internal": "registry-internal.cn-beijing.aliyuncs.com",
    "personal-intl": "registry-intl.ap-southeast-1.aliyuncs.com",
    "personal-intl-vpc": "registry-intl-vpc.ap-southeast-1.aliyuncs.com",
    "personal-intl-internal": "registry-intl-internal.ap-southeast-1.aliyuncs.com",
    "personal-new": "crpi-abcdefgh12345678.cn-shanghai.personal.cr.aliyuncs.com",
    "personal-new-vpc": "crpi-abcdefgh12345678-vpc.cn-shanghai.personal.cr.aliyuncs.com",
    "anonymous": "registry-cn-hangzhou.ack.aliyuncs.com", "anonymous-vpc": "registry-cn-hangzhou-vpc.ack.aliyuncs.com",
}
SOURCES = ["key", "sts-key", "oidc", "cli", "cli-sts", "cli-chain", "cli-external", "cli-uri", "ini", "ecs", "uri",
           "role", "pod",
           "entry-role", "entry-profile"]


@pytest.fixture(scope="module")
def cloud():
    with Emulator() as emulator:
        emulator.cloud.instances += [
            {**emulator.cloud.instances[0], "InstanceId": "cri-bank000000000000", "InstanceName": "bank",
             "RegionId": "cn-shanghai-finance-1"},
            {**emulator.cloud.instances[0], "InstanceId": "cri-venture000000000", "InstanceName": "venture",
             "RegionId": "cn-zhengzhou-jva"}]
        emulator.fault("registry", "challenge", host=HOSTS["no-form"], status=401, headers={
            "WWW-Authenticate": 'Bearer service="registry.aliyuncs.com:cn-hangzhou:china:cri-demo567890abcdef"'})
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
        session = {"mode": "StsToken", "access_key_id": issued["AccessKeyId"],
                   "access_key_secret": issued["AccessKeySecret"],
                   "sts_token": issued["SecurityToken"]}
        printed = f"{sys.executable} -c " + shlex.quote(f"import json; print(json.dumps({session!r}))")
        profiles(home, {"name": "a",
                        **(session if source == "cli-sts" else {"mode": "External", "process_command": printed})}, key)
        return variables, {}, {}, "session"
    if source == "cli-chain":
        profiles(home, {"name": "a", "mode": "ChainableRamRoleArn", "source_profile": "key", "ram_role_arn": PULLER,
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
        return variables, {"identity": {"assumeRole": [{"roleArn": PULLER}]}}, {}, "puller"
    if source.startswith("entry-"):  # of each registry, beside an identity of the node that could sign too
        profiles(home, {**key, "name": "other", "mode": "RamRoleArn", "ram_role_arn": PULLER}, key)
        identity = {"assumeRole": [{"roleArn": PULLER}]} if source == "entry-role" else {"profile": "key",
                                                                                         "source": "profile"}
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
    variables, config, fields, who = node(cloud, source, tmp_path)
    if source == "pod" and version != "v1":
        who = "KubernetesWorkerRole"  # only v1 carries a token: in another version these fields mean nothing
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


# -- hosts put together at random --

# Hosts as the reference's tables have them: every form, regions of every kind, names that look like parts of a form.
REGIONS = ["cn-hangzhou", "cn-shanghai", "ap-southeast-1", "us-west-1", "cn-hangzhou-finance", "cn-shanghai-finance-1",
           "cn-north-2-gov-1", "cn-heyuan-acdr-1", "cn-wuhan-lr", "cn-zhengzhou-jva"]
NAMES = ["demo", "my-registry", "foo-vpc", "foo-registry-vpc", "my-chart", "x1"]
ENTERPRISE_FORMS = ["registry", "registry-vpc", "registry-internal", "registry-intl", "registry-intl-vpc", "chart",
                    "chart-vpc"]
FORMS = [f"{{name}}-{form}{{distributed}}.{{region}}.cr.aliyuncs.com" for form in ENTERPRISE_FORMS] + [
    f"registry{intl}{net}.{{region}}.aliyuncs.com" for intl in ("", "-intl") for net in ("", "-vpc", "-internal")] + [
    f"crpi-9ogjbhecfaihmimu{net}.{{region}}.personal.cr.aliyuncs.com" for net in ("", "-vpc")] + [
    f"registry-{{region}}{net}.ack.aliyuncs.com" for net in ("", "-vpc")]
STRANGE_LABELS = ["evil", "oss-cn-hangzhou", "xn--80ak6aa92e", "127", "0x7f", "cr", "personal", "distributed",
                  "registry", "*", ""]
STRANGE_BYTES = "azAZ09-._@:%#?\\/ \u212a"

# The same tables, as what a host must be to be of a kind; a region begins with two letters and a hyphen, since
# registry.oss-cn-hangzhou.aliyuncs.com is somebody's bucket.
REGION = r"(?P<region>[a-z]{2}-[a-z0-9-]*[a-z0-9])"
KINDS = {
    "enterprise": rf"(?P<name>[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)-(?:{'|'.join(ENTERPRISE_FORMS)})"
                  rf"(?:\.distributed)?\.{REGION}\.cr\.aliyuncs\.com",
    "personal": rf"registry(?:-intl)?(?:-vpc|-internal)?\.{REGION}\.aliyuncs\.com",
    "new-personal": rf"crpi-[a-z0-9-]+\.{REGION}\.personal\.cr\.aliyuncs\.com",
    "no-form": r".+\.cr\.aliyuncs\.com",
    "anonymous": r"registry-[a-z0-9-]+\.ack\.aliyuncs\.com",
    "foreign": r".+\.(?!(?:\d+|0x[0-9a-f]*)$)[^.]+",
}
LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
LURE, NODE_REGION = "cn-qingdao", "cn-shanghai"


def classify(image):
    """(kind, its parts, HOST:PORT); None where the image has no host that anybody could ask."""
    host = image.partition("/")[0]
    found = re.fullmatch(rf"((?:{LABEL}\.)*{LABEL})\.?(?::(\d{{1,5}}))?", host.lower() if host.isascii() else "")
    if found and len(found[1]) <= 253 and 1 <= int(found[2] or 443) <= 65535:
        for kind, pattern in KINDS.items():
            if parts := re.fullmatch(pattern, found[1]):
                return kind, parts.groupdict(), f"{found[1]}:{int(found[2] or 443)}"
    return None, {}, ""


def may_ask(image):
    """By service, each HOST:PORT that the reference allows for an image: the region's, the node's, the host itself."""
    kind, parts, host = classify(image)
    if kind in (None, "anonymous"):
        return {}
    region = parts.get("region", LURE)
    asked = {"acr": {f"cr{net}.{region}.aliyuncs.com:443" for net in ("", "-vpc")},
             "sts": {f"{prefix}.aliyuncs.com:443"
                     for prefix in ("sts", f"sts.{NODE_REGION}", f"sts-vpc.{NODE_REGION}")},
             "registry": set() if kind.endswith("personal") else {host}}
    return {**asked, "proxy": set().union(*asked.values())}


@pytest.fixture(scope="module")
def trap():
    """Our account has an instance of each name in each region. Other hosts claim to be one of them, or worse."""
    with Emulator() as emulator:
        some = emulator.cloud.instances[0]
        pairs = [*itertools.product(NAMES, REGIONS), ("lure", LURE)]
        emulator.cloud.instances = [{**some, "InstanceId": f"cri-{number:016d}", "InstanceName": name,
                                     "RegionId": region}
                                    for number, (name, region) in enumerate(pairs)]
        emulator.cloud.region = NODE_REGION
        truth, lies = emulator.cloud.challenge, itertools.cycle([LURE, LURE, "evil.example/", "oss-" + LURE,
                                                                 LURE + "@evil"])

        def challenge(host):
            region = LURE if host.endswith(".cr.aliyuncs.com") else next(lies)
            return truth(host) or f'Bearer service="registry.aliyuncs.com:{region}:china:cri-{len(pairs) - 1:016d}"'

        emulator.cloud.challenge = challenge
        yield emulator


class Watch:
    """Runs, of which each may ask only what its image allows: or the one before it, which ends before all is told."""

    def __init__(self, cloud, tmp_path):
        self.cloud, self.tmp_path, self.seen, self.allowed = cloud, tmp_path, len(cloud.log()), {}

    def pull(self, image):
        before, issued = self.allowed, len(self.cloud.cloud.issued)
        self.allowed = may_ask(image)
        result = pull(self.cloud, image, config={"identity": {"assumeRole": [{"roleArn": PULLER}]}},
                      tmp_path=self.tmp_path)
        log = self.cloud.log()[self.seen:]
        self.seen += len(log)
        for entry in log:
            host = entry["host"] if ":" in entry["host"] else entry["host"] + ":443"
            allowed = {*self.allowed.get(entry["service"], ()), *before.get(entry["service"], ())}
            assert host in allowed or (entry["service"] == "metadata" and (self.allowed or before)), (image, entry)
        kind, parts, _ = classify(image)
        issued = self.cloud.cloud.issued[issued:]
        assert issued == [] or kind not in (None, "foreign", "anonymous"), image
        if kind == "anonymous":
            assert result.auth == {}, image
        elif result.status == 0:
            assert [login["password"] for login in result.auth.values()] == issued, image
            assert list(result.auth) == [image.partition("/")[0]], image
            if kind == "enterprise":
                asked = re.search("InstanceId=(cri-.*)",
                                  [entry for entry in log if entry["service"] == "acr"][-1]["path"])[1]
                instance, = (i for i in self.cloud.cloud.instances if i["InstanceId"] == asked)
                assert (instance["InstanceName"], instance["RegionId"]) == (parts["name"], parts["region"]), image
        return kind, parts, result


@pytest.fixture(scope="module")
def watch(trap, tmp_path_factory):
    return Watch(trap, tmp_path_factory.mktemp("watch"))


def mutate(host, chosen):
    """A byte or a label is another, is missing, or is one too many."""
    dot, others = chosen.choice([("", STRANGE_BYTES), (".", STRANGE_LABELS)])
    parts = host.split(".") if dot else list(host)
    at, (removed, added) = chosen.randrange(len(parts)), chosen.choice([(1, 1), (1, 0), (0, 1)])
    parts[at:at + removed] = chosen.sample(others, added)
    return dot.join(parts)


@pytest.mark.xdist_group("watch")
def test_whatever_the_host_only_what_belongs_to_it_is_asked(watch):
    """By the real executable; the seed is fixed, so that a failure comes again."""
    chosen, kinds = random.Random(20261125), []
    for number in range(200):
        host = FORMS[number // 2 % len(FORMS)].format(name=chosen.choice(NAMES), region=chosen.choice(REGIONS),
                                                      distributed=chosen.choice(["", "", ".distributed"]))
        host = chosen.choice([host, host, host.upper(), host.title()]) + chosen.choice(["", "", ".", ":5000", ".:443"])
        if number % 2:
            host = mutate(host, chosen)
        kind, parts, result = watch.pull(host + "/team/app")
        assert number % 2 or kind not in (None, "no-form", "foreign"), host
        if kind in ("personal", "new-personal",
                    "anonymous") or (parts.get("name") in NAMES and parts["region"] in REGIONS):
            assert result.status == 0, (host, result.err)
        if result.status == 0:
            kinds.append(kind)
        else:
            assert_failed(result, result.status)
    assert len(kinds) - kinds.count("anonymous") >= 40 and kinds.count("enterprise") >= 20


@pytest.mark.xdist_group("watch")
@pytest.mark.parametrize("image, status", [
    (DEMO.upper(), 0), (DEMO.title(), 0), (DEMO + ".", 0), (DEMO + ":65535", 0), (DEMO + ".:443", 0),
    ("x.cr.aliyuncs.com.", 0),
    (DEMO + "@attacker.example", 65), ("attacker.example@" + DEMO, 65), (DEMO + "\\.attacker.example", 65),
    ("attacker.example\\." + DEMO, 65), (DEMO + "#.attacker.example", 65), ("attacker.example#." + DEMO, 65),
    (DEMO + "?.attacker.example", 65), ("attacker.example?" + DEMO, 65), (DEMO.replace(".", "%2e", 1), 65),
    (DEMO + "%00.attacker.example", 65), (DEMO.replace(".", "\u3002"), 65), (DEMO.replace("r", "\u0433"), 65),
    (DEMO.replace("c", "\u212a"), 65), (DEMO + "..", 65), (DEMO.replace(".", "..", 1), 65), ("." + DEMO, 65), (".", 65),
    (DEMO + ":", 65), (DEMO + ":0", 65), (DEMO + ":65536", 65), (DEMO + ":-1", 65), (DEMO + ":+443", 65),
    (DEMO + ":443:443", 65),
    (DEMO + ":443@attacker.example", 65), (DEMO + ":4294967739", 65), ("[::1]", 65), ("[::1]:443", 65), ("::1", 65),
    ("[::ffff:100.100.100.200]", 65), ("fe80--1", 78), ("100", 78), ("2130706433", 78), ("127.1", 78),
    ("100.100.100.200", 78),
    ("0x7f000001", 78), ("127.0.0.0x1", 78), ("100.100.100.0XC8.", 78), ("127.0.0.0x", 78), ("cr.aliyuncs.com", 78),
    ("aliyuncs.com", 78), ("xcr.aliyuncs.com", 78), (DEMO.replace(".cr.", ".evilcr."), 78),
    (DEMO + ".attacker.example", 78),
    (DEMO.replace("aliyuncs", "aliyuncs.attacker"), 78), (DEMO.replace("aliyuncs", "xn--aliyncs-e6a"), 78),
    (DEMO + ".xn--com-kp5a", 78), ("registry.oss-cn-hangzhou.aliyuncs.com", 78), ("registry.xn--.aliyuncs.com", 65),
    ("xn--demo-hn6a-registry.cn-hangzhou.cr.aliyuncs.com", 77), ("registry.cn-hangzhou.aliyuncs.co", 78),
    ("registry-cn-hangzhou.ack.aliyuncs.com.attacker.example", 78),
    ("crpi-abcdefgh12345678.cn-hangzhou.personal.cr.aliyuncs.com.cn", 78),
])
def test_host_that_looks_like_a_registry(watch, image, status):
    _, _, result = watch.pull(image + "/team/app")
    assert result.status == status, result.err
    if status:
        assert_failed(result, status)
