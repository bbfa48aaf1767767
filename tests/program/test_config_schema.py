"""plugin/config/config.schema.json and the program agree on what a configuration is.

Both judge every configuration of two tables. The program is asked about a host that needs neither credentials nor a
network. What the keys bring about is for test_settings.py to say.
"""

import json
import pathlib

import jsonschema
import pytest
from identity_fixtures import PULLER
from program_run import assert_failed, request, run

SCHEMA_FILE = pathlib.Path(__file__).parents[2] / "plugin" / "config" / "config.schema.json"
SCHEMA = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

REQUEST = request("registry-cn-hangzhou.ack.aliyuncs.com/acs/pause")


def registry(**fields):
    return {"registries": [{"match": ["hub.example.com"], **fields}]}


def match(*patterns):
    return {"registries": [{"match": list(patterns)}]}


ROLE = {"roleArn": PULLER}


def assume(**fields):
    return {"identity": {"assumeRole": [{**ROLE, **fields}]}}


GOOD = [
    {},
    {"registries": []},
    match("hub.example.com"),
    match("hub.example.com:5000", "*-registry.*.cr.aliyuncs.com/team-a", "h", "h.x/"),
    match("h" * 512),
    match(*["h"] * 64),
    {"registries": [{"match": ["h"]}] * 256},
    registry(edition="enterprise", region="cn-shanghai", instanceId="cri-sgedpenzw80e1abc"),
    registry(edition="personal", region="cn-shanghai"),
    registry(instanceId="cri-" + "a" * 60),
    registry(region="cn-" + "a" * 60),
    registry(apiEndpoint="https://cr.cn-shanghai.aliyuncs.com"),
    registry(apiEndpoint="https://127.0.0.1:65535"),
    registry(apiEndpoint="https://[2001:db8::1]:8443"),
    {"identity": {}},
    {"identity": {"source": "default"}},
    {"identity": {"source": "env"}},
    {"identity": {"source": "ecs", "roleName": "Node.Role_1-a"}},
    {"identity": {"source": "oidc"}},
    {"identity": {"source": "uri"}},
    {"identity": {"source": "profile"}},
    {"identity": {"profile": "team \u00e4"}},
    {"identity": {"source": "profile", "profile": "p" * 256}},
    {"identity": {"assumeRole": []}},
    {"identity": {"source": "env", "assumeRole": [ROLE] * 5}},
    {"identity": {"assumeRole": [{**ROLE, "externalId": "a=" * 612, "sessionName": "a@b", "durationSeconds": 900,
                                  "sourceIdentity": "me", "policy": "p" * 2048}]}},
    registry(identity={}),
    registry(identity={"source": "ecs", "roleName": "R"}),
    {"podIdentity": {}},
    {"podIdentity": {"oidcProviderArn": "acs:ram::12345678:oidc-provider/ack-rrsa-c1", "accountId": "1234567890123456",
                     "clusterId": "c1", "withoutRole": "refuse"}},
    {"cache": {}},
    {"cache": {"enabled": False, "directory": "/run/x"}},
    {"endpoints": {"sts": "https://sts.cn-shanghai.aliyuncs.com"}},
    {"endpoints": {}},
    {"endpoints": {"metadata": "http://127.0.0.1:8080", "acr": "https://acr.example.com"}},
    {"endpoints": {"network": "auto"}},
    {"endpoints": {"network": "vpc"}},
    {"endpoints": {"network": "public"}},
    {"deadlineSeconds": 1, "refreshMarginSeconds": 0},
    {"deadlineSeconds": 600, "refreshMarginSeconds": 43200},
    {"log": {}},
    {"log": {"level": "error", "destination": "stderr"}},
    {"log": {"level": "warning", "destination": "syslog"}},
]

# With the word that the program's error must name.
BAD = [
    # Keys that do not exist.
    ({"registry": []}, "registry"),
    ({"Registries": []}, "Registries is not a known key: write registries. Correct this file"),
    (registry(instanceID="cri-a"), "registries[0].instanceID"),
    (registry(comment="x"), "registries[0].comment"),
    ({"identity": {"role": "R"}}, "identity.role"),
    ({"endpoints": {"imds": "http://h"}}, "endpoints.imds"),
    ({"log": {"file": "/tmp/x"}}, "log.file"),
    ({"cache": False}, "cache"),
    ({"cache": {"enabled": "no"}}, "cache.enabled"),
    ({"cache": {"directory": "run"}}, "cache.directory"),
    ({"cache": {"directory": "/" + "x" * 1024}}, "cache.directory"),
    ({"cache": {"directory": "/a\nb"}}, "cache.directory"),
    ({"cache": {"path": "/run"}}, "cache.path"),
    # Types.
    ({"registries": {}}, "registries"),
    ({"registries": ["h"]}, "registries[0]"),
    ({"registries": None}, "registries"),
    ({"identity": []}, "identity"),
    ({"endpoints": "https://h"}, "endpoints"),
    ({"log": "debug"}, "log"),
    ({"deadlineSeconds": "50"}, "deadlineSeconds"),
    ({"deadlineSeconds": 5.5}, "deadlineSeconds"),
    ({"deadlineSeconds": True}, "deadlineSeconds"),
    ({"refreshMarginSeconds": None}, "refreshMarginSeconds"),
    (registry(edition=1), "registries[0].edition"),
    (registry(region=None), "registries[0].region"),
    # Ranges and words.
    ({"deadlineSeconds": 0}, "deadlineSeconds"),
    ({"deadlineSeconds": 601}, "deadlineSeconds"),
    ({"deadlineSeconds": 2**64 + 50}, "deadlineSeconds"),
    ({"refreshMarginSeconds": -1}, "refreshMarginSeconds"),
    ({"refreshMarginSeconds": 43201}, "refreshMarginSeconds"),
    ({"identity": {"source": "ECS"}}, "identity.source"),
    ({"identity": {"roleName": ""}}, "identity.roleName"),
    ({"identity": {"roleName": "a/b"}}, "identity.roleName"),
    ({"identity": {"roleName": "a" * 65}}, "identity.roleName"),
    ({"endpoints": {"network": "internal"}}, "endpoints.network"),
    ({"log": {"level": "trace"}}, "log.level"),
    ({"log": {"destination": "journal"}}, "log.destination"),
    ({"log": {"format": "json"}}, "log.format"),
    # Identities.
    ({"identity": {"profile": "p", "source": "env"}}, "identity.profile"),
    ({"identity": {"profile": ""}}, "identity.profile"),
    ({"identity": {"profile": "a\nb"}}, "identity.profile"),
    ({"identity": {"profile": "p", "roleName": "R"}}, "identity.roleName"),
    ({"identity": {"source": "uri", "roleName": "R"}}, "identity.roleName"),
    ({"identity": {"assumeRole": [ROLE] * 6}}, "identity.assumeRole"),
    ({"identity": {"assumeRole": ROLE}}, "identity.assumeRole"),
    ({"identity": {"assumeRole": [{}]}}, "identity.assumeRole[0].roleArn"),
    ({"identity": {"assumeRole": [{"roleArn": "puller"}]}}, "identity.assumeRole[0].roleArn"),
    ({"identity": {"assumeRole": [{"roleArn": "acs:ram::1:role/a"}]}}, "identity.assumeRole[0].roleArn"),
    ({"identity": {"assumeRole": [{"roleArn": "acs:ram::12345678:user/a"}]}}, "identity.assumeRole[0].roleArn"),
    (assume(externalId="a"), "identity.assumeRole[0].externalId"),
    (assume(externalId="a b"), "identity.assumeRole[0].externalId"),
    (assume(externalId="a" * 1225), "identity.assumeRole[0].externalId"),
    (assume(sessionName="a/b"), "identity.assumeRole[0].sessionName"),
    (assume(sessionName="a" * 65), "identity.assumeRole[0].sessionName"),
    (assume(sourceIdentity="x"), "identity.assumeRole[0].sourceIdentity"),
    (assume(durationSeconds=899), "identity.assumeRole[0].durationSeconds"),
    (assume(durationSeconds=43201), "identity.assumeRole[0].durationSeconds"),
    (assume(policy=""), "identity.assumeRole[0].policy"),
    (assume(policy={}), "identity.assumeRole[0].policy"),
    (assume(role="x"), "identity.assumeRole[0].role"),
    (registry(identity=None), "registries[0].identity"),
    (registry(identity={"sources": "ecs"}), "registries[0].identity.sources"),
    ({"podIdentity": []}, "podIdentity"),
    ({"podIdentity": {"oidcProviderArn": "ack-rrsa-c1"}}, "podIdentity.oidcProviderArn"),
    ({"podIdentity": {"accountId": 1234567890123456}}, "podIdentity.accountId"),
    ({"podIdentity": {"accountId": "me"}}, "podIdentity.accountId"),
    ({"podIdentity": {"clusterId": "C1"}}, "podIdentity.clusterId"),
    ({"podIdentity": {"withoutRole": "deny"}}, "podIdentity.withoutRole"),
    ({"podIdentity": {"role": "x"}}, "podIdentity.role"),
    ({"endpoints": {"sts": "sts.aliyuncs.com"}}, "endpoints.sts"),
    # Registries.
    ({"registries": [{}]}, "registries[0].match"),
    ({"registries": [{"match": ["h"]}, {"region": "cn-shanghai"}]}, "registries[1].match"),
    (match(), "registries[0].match"),
    ({"registries": [{"match": "h"}]}, "registries[0].match"),
    ({"registries": [{"match": ["h"]}] * 257}, "registries"),
    (match(*["h"] * 65), "registries[0].match"),
    (match("h", 5), "registries[0].match[1]"),
    (match("h", ""), "registries[0].match[1]"),
    (match("h" * 513), "registries[0].match[0]"),
    (match("https://hub.example.com"), "registries[0].match[0] has a scheme"),
    (match("demo-registr?.x"), "registries[0].match[0]"),
    (match("[a-z].x"), "registries[0].match[0]"),
    (match("Hub.example.com"), "registries[0].match[0]"),
    (match("hub.example.com/*"), "registries[0].match[0]"),
    (match("/team"), "registries[0].match[0]"),
    (match(":5000"), "registries[0].match[0]"),
    (match("a..b"), "registries[0].match[0]"),
    (match("h.x:0"), "registries[0].match[0]"),
    (match("h.x:65536"), "registries[0].match[0]"),
    (match("h.x/a:tag"), "registries[0].match[0]"),
    (registry(edition="Enterprise"), "registries[0].edition"),
    (registry(edition="personal", instanceId="cri-a"), "registries[0].instanceId"),
    (registry(instanceId="crpi-a"), "registries[0].instanceId"),
    (registry(instanceId="cri-" + "a" * 61), "registries[0].instanceId"),
    (registry(region="c"), "registries[0].region"),
    (registry(region="-cn"), "registries[0].region"),
    (registry(region="cn-"), "registries[0].region"),
    (registry(region="cn.shanghai"), "registries[0].region"),
    (registry(region="cn-" + "a" * 61), "registries[0].region"),
    (registry(region="oss-cn-hangzhou"), "registries[0].region"),
    # Endpoints.
    (registry(apiEndpoint="cr.cn-shanghai.aliyuncs.com"), "registries[0].apiEndpoint"),
    (registry(apiEndpoint="http://h"), "registries[0].apiEndpoint"),
    ({"endpoints": {"metadata": "https://100.100.100.200"}}, "endpoints.metadata"),
    ({"endpoints": {"metadata": "http://h/latest"}}, "endpoints.metadata"),
    ({"endpoints": {"acr": "https://h/"}}, "endpoints.acr"),
    ({"endpoints": {"acr": "https://h?x=1"}}, "endpoints.acr"),
    ({"endpoints": {"acr": "https://user@h"}}, "endpoints.acr"),
    ({"endpoints": {"acr": "https://h:0"}}, "endpoints.acr"),
    ({"endpoints": {"acr": "https://h:65536"}}, "endpoints.acr"),
    ({"endpoints": {"acr": "https://-h"}}, "endpoints.acr"),
    ({"endpoints": {"acr": "https://"}}, "endpoints.acr"),
    ({"endpoints": {"acr": "HTTPS://h"}}, "endpoints.acr"),
]


def test_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_schema_accepts_and_refuses():
    for config in GOOD:
        VALIDATOR.validate(config)
    assert [config for config, _ in BAD if VALIDATOR.is_valid(config)] == []


@pytest.mark.parametrize("config", GOOD, ids=lambda config: json.dumps(config)[:60])
def test_program_accepts(config, tmp_path):
    assert run(REQUEST, config=config, tmp_path=tmp_path).auth == {}


@pytest.mark.parametrize("config, name", BAD, ids=lambda value: json.dumps(value)[:60])
def test_program_refuses_and_names_the_key(config, name, tmp_path):
    assert_failed(run(REQUEST, config=config, tmp_path=tmp_path), 78, name)
