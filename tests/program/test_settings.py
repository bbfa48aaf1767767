"""What is configured takes effect: every key of the file, and what goes before what."""

import copy
import json
import os
import subprocess

import pytest
from identity_fixtures import ACCESS_KEY, CLAIMS, KEY, POD_ROLE, PROVIDER, PULLER, SECRET, cli, write
from program_run import DEMO, PROGRAM, ROOT, WRAPPER, assert_failed, caller, pull, request, run, seconds

with open(os.path.join(ROOT, "plugin", "config", "config.schema.json"), encoding="utf-8") as file:
    SCHEMA = json.load(file)
DEFINITIONS = SCHEMA["$defs"]

HUB = "hub.example.com"
DEMO_ID = "cri-demo567890abcdef"
ARN, NAME = "acr.aliyun.com/role-arn", "pod-identity.alibabacloud.com/role-name"


def asked(place, service="acr", field="host"):
    """Whether somebody of a service was asked, who has this in his name."""
    return lambda cloud, result: any(place in entry[field] for entry in cloud.log(service))


def signed_by(who):
    return lambda cloud, result: cloud.log("acr") != [] and caller(cloud) == who


def assumed_with(name, value):
    return lambda cloud, result: cloud.cloud.assumed[-1].get(name) == value


def told(words):
    return lambda cloud, result: words in result.err


def registry(host=HUB, **fields):
    return {"registries": [{"match": [host], **fields}]}


def role(**fields):
    return {"identity": {"assumeRole": [{"roleArn": PULLER, **fields}]}}


# By key: a configuration with it, how its effect is seen, and what else it takes.
KEYS = {
    "registries.match": (registry(), lambda cloud, _: "ListInstanceEndpoint" not in cloud.operations("acr"),
                         {"image": HUB}),
    "registries.edition": (registry(edition="personal", region="cn-hangzhou"), asked("/tokens", field="path"),
                           {"image": HUB}),
    "registries.region": (registry(region="cn-shanghai", instanceId=DEMO_ID), asked("cr.cn-shanghai"), {"image": HUB}),
    "registries.instanceId": (registry(DEMO, instanceId="cri-other"), asked("InstanceId=cri-other", field="path"), {}),
    "registries.apiEndpoint": (registry(DEMO, apiEndpoint="https://acr.example.com"), asked("acr.example.com"), {}),
    "registries.identity": (registry(DEMO, identity={"source": "ecs"}), signed_by("KubernetesWorkerRole"),
                            {"more": ACCESS_KEY}),
    "identity.source": ({"identity": {"source": "ecs"}}, signed_by("KubernetesWorkerRole"), {"more": ACCESS_KEY}),
    "identity.roleName": ({"identity": {"roleName": "Other"}}, asked("/Other", "metadata", "path"), {}),
    "identity.profile": ({"identity": {"profile": "second"}}, signed_by(KEY), {}),
    "identity.assumeRole.roleArn": (role(), signed_by("puller"), {}),
    "identity.assumeRole.externalId": (role(externalId="abcd1234"), assumed_with("ExternalId", "abcd1234"), {}),
    "identity.assumeRole.sessionName": (role(sessionName="me@node"), assumed_with("RoleSessionName", "me@node"), {}),
    "identity.assumeRole.durationSeconds": (role(durationSeconds=1800), assumed_with("DurationSeconds", "1800"), {}),
    "identity.assumeRole.sourceIdentity": (role(sourceIdentity="team-a"), assumed_with("SourceIdentity", "team-a"), {}),
    "identity.assumeRole.policy": (role(policy="{}"), assumed_with("Policy", "{}"), {}),
    "podIdentity.oidcProviderArn": ({"podIdentity": {"oidcProviderArn": PROVIDER}}, signed_by("pod"),
                                    {"pod": {ARN: POD_ROLE}}),
    "podIdentity.clusterId": ({"podIdentity": {"clusterId": "c0123456789"}}, signed_by("pod"),
                              {"pod": {ARN: POD_ROLE}}),
    "podIdentity.accountId": ({"podIdentity": {"oidcProviderArn": PROVIDER, "accountId": "9999999999999999"}},
                              told("acs:ram::9999999999999999:role/pod"), {"pod": {NAME: "pod"}}),
    "podIdentity.withoutRole": ({"podIdentity": {"withoutRole": "refuse"}}, told("podIdentity.withoutRole"),
                                {"pod": {}}),
    "endpoints.sts": ({**role(), "endpoints": {"sts": "https://sts.example.com"}}, asked("sts.example.com", "sts"), {}),
    "endpoints.acr": ({"endpoints": {"acr": "https://acr.example.com"}}, asked("acr.example.com"), {}),
    "endpoints.network": ({"endpoints": {"network": "public"}}, asked("cr.cn-hangzhou"), {}),
    "refreshMarginSeconds": ({"refreshMarginSeconds": 60},
                             lambda _, result: seconds(result.answer["cacheDuration"]) > 3000, {}),
    "log.level": ({"log": {"level": "info"}}, told("info: "), {}),
}
ELSEWHERE = {"endpoints.metadata", "deadlineSeconds", "cache.enabled", "cache.directory",  # further down
             "log.destination"}  # in test_log.py


def keys_of(schema, prefix=""):
    """The keys of a file that hold no others; those of an entry's identity are the common identity's."""
    schema = DEFINITIONS.get(schema.get("$ref", "").rpartition("/")[2], schema)
    schema = DEFINITIONS.get(schema.get("items", {}).get("$ref", "").rpartition("/")[2], schema)
    if "properties" not in schema or prefix == "registries.identity.":
        return {prefix[:-1]}
    return set().union(*(keys_of(inner, f"{prefix}{name}.") for name, inner in schema["properties"].items()))


def test_no_key_is_without_effect():
    assert keys_of(SCHEMA) == {*KEYS, *ELSEWHERE}


def without(config, key):
    """The same but for this key; an entry that cannot do without it goes whole."""
    *path, last = key.split(".")
    config = inner = copy.deepcopy(config)
    for name in path:
        holder, inner = inner, inner[name]
        if isinstance(inner, list):
            if last in ("match", "roleArn"):
                del holder[name]
                return config
            inner = inner[0]
    del inner[last]
    return config


@pytest.mark.parametrize("is_there", [True, pytest.param(False, marks=pytest.mark.slow)])
@pytest.mark.parametrize("key", KEYS)
def test_key_of_the_file_takes_effect(cloud, tmp_path, key, is_there):
    config, is_seen, given = KEYS[key]
    cli(tmp_path, {"name": "second", "mode": "AK", "access_key_id": KEY, "access_key_secret": SECRET})
    pod = {"serviceAccountToken": cloud.cloud.mint(CLAIMS),
           "serviceAccountAnnotations": given["pod"]} if "pod" in given else {}
    environment = {**cloud.environment(), "HOME": str(tmp_path), **given.get("more", {})}
    result = run(request(given.get("image", DEMO) + "/a", **pod), environment,
                 config=config if is_there else without(config, key), tmp_path=tmp_path)
    assert is_seen(cloud, result) is is_there, result.err


def test_network_of_the_vpc_alone(cloud, tmp_path):
    cloud.cloud.unresolvable = {"cr-vpc.cn-hangzhou.aliyuncs.com"}
    config = {**registry(DEMO, instanceId=DEMO_ID), "endpoints": {"network": "vpc"}}
    result = pull(cloud, DEMO + "/a", config=config, tmp_path=tmp_path)
    assert_failed(result, 75, "cr-vpc.cn-hangzhou.aliyuncs.com")
    assert {entry["host"] for entry in cloud.log("proxy")} == {"cr-vpc.cn-hangzhou.aliyuncs.com:443"}


# -- what goes before what -------------------------------------------------------------------------------------


@pytest.mark.parametrize("log, flags, words", [
    ({"level": "error"}, ["--log-level", "info"], "aliyun-acr-credential-provider: info: "),
    ({"level": "debug"}, ["--log-level", "error"], ""),
    ({"level": "info", "destination": "syslog"}, ["--log-to", "stderr"], "aliyun-acr-credential-provider: info: "),
    ({"level": "info", "destination": "stderr"}, ["--log-to", "syslog"], ""),
])
def test_flags_of_the_log_go_before_the_file(cloud, tmp_path, log, flags, words):
    result = pull(cloud, DEMO + "/a", config={"log": log}, tmp_path=tmp_path, arguments=flags)
    assert result.auth and result.err.startswith(words) and (words != "" or result.err == "")


@pytest.mark.parametrize("cache, flags, made", [
    ({"directory": "of-file"}, [], {"of-file"}), ({"directory": "of-file", "enabled": False}, [], set()),
    ({"directory": "of-file"}, ["--cache-dir", "of-flag"], {"of-flag"}),
    ({"directory": "of-file", "enabled": True}, ["--no-cache"], set()),
])
def test_flags_of_the_cache_go_before_the_file(cloud, tmp_path, cache, flags, made):
    cache = {**cache, "directory": str(tmp_path / cache["directory"])}
    flags = [flag if flag.startswith("-") else str(tmp_path / flag) for flag in flags]
    assert pull(cloud, DEMO + "/a", config={"cache": cache}, tmp_path=tmp_path, arguments=flags, with_cache=True).auth
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == made


@pytest.mark.parametrize("of_file, flags", [(1, []), (600, ["--deadline", "1"])])
def test_deadline_of_the_file_and_the_flag_before_it(tmp_path, of_file, flags):
    """A run that waits for its request ends long before the usual 50 seconds are over."""
    path = write(tmp_path / "config.json", {"deadlineSeconds": of_file})
    with subprocess.Popen([*WRAPPER, PROGRAM, "--no-cache", "--config", path, *flags], stdin=subprocess.PIPE, env={},
                          text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.wait(30) == 75
        assert process.stdout.read() == "" and "timed out waiting for end of input" in process.stderr.read()


def test_variables_of_endpoints_go_before_the_file(cloud, tmp_path):
    config = {**role(), "endpoints": {"metadata": "http://127.0.0.1:1", "sts": "https://sts-of-file.example.com"}}
    more = {"ALIBABA_CLOUD_STS_ENDPOINT": "sts-of-variable.example.com"}
    assert pull(cloud, DEMO + "/a", more, config=config, tmp_path=tmp_path).auth
    assert {entry["host"] for entry in cloud.log("sts")} == {"sts-of-variable.example.com"}


def test_metadata_endpoint_of_the_file(cloud, tmp_path):
    environment = {name: value for name, value in cloud.environment().items() if name != "ALIBABA_CLOUD_IMDS_ENDPOINT"}
    config = {"endpoints": {"metadata": cloud.metadata}}
    assert run(request(DEMO + "/a"), environment, config=config, tmp_path=tmp_path).auth


@pytest.mark.parametrize("place", ["file", "variable", "credentials URI"])
@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.1"])
def test_abbreviated_address_is_refused(cloud, tmp_path, place, host):
    """libcurl would send 127.0.0.1 as the Host, but what is signed is the host of the URL."""
    config, more = {
        "file": ({"endpoints": {"acr": f"https://{host}:8443"}}, {}),
        "variable": ({}, {"ALIBABA_CLOUD_STS_ENDPOINT": host}),
        "credentials URI": ({"identity": {"source": "uri"}},
                            {"ALIBABA_CLOUD_CREDENTIALS_URI": f"https://{host}/credentials"}),
    }[place]
    words = {"file": "endpoints.acr must be", "variable": "ALIBABA_CLOUD_STS_ENDPOINT must be",
             "credentials URI": "must be https"}
    assert_failed(pull(cloud, DEMO + "/a", more, config=config, tmp_path=tmp_path), 78, words[place])
    assert cloud.log("acr") == cloud.log("proxy") == []


@pytest.mark.parametrize("path, entry", [
    ("/other/app", "first"), ("/team", "team"), ("/team/app", "team-app"), ("/team/app:v1", "team-app"),
    ("/teams/app", "team"),
    ("/x/app", "team-app"), ("/x/y/app", "x-y"),
])
def test_longest_path_wins_then_the_first_entry(cloud, tmp_path, path, entry):
    entries = [([DEMO], "first"), ([DEMO + "/team"], "team"), (["*-registry.*.cr.aliyuncs.com"], "second"),
               ([DEMO + "/team/app", DEMO + "/x"], "team-app"), ([DEMO + "/team"], "second"),
               ([DEMO + "/x/y", DEMO], "x-y"),
               ([DEMO + "/team/app"], "second"), ([DEMO + "/x"], "second")]
    config = {"registries": [{"match": match, "instanceId": "cri-" + name.replace("-", "")} for match, name in entries]}
    pull(cloud, DEMO + path, config=config, tmp_path=tmp_path)
    assert cloud.log("acr")[-1]["path"].endswith("InstanceId=cri-" + entry.replace("-", ""))
