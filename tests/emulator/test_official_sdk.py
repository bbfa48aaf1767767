"""The emulator proved by the official Node SDK: the same calls pass, and fail with the same codes, as in the cloud."""

import json
import os
import shutil
import subprocess

import pytest
from emulator import Emulator

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sdk")


@pytest.fixture(scope="module")
def modules():
    """Installs the SDK into the build folder, once."""
    target = os.environ.get("EMULATOR_SDK_NODE_MODULES")
    required = os.environ.get("REQUIRE_OFFICIAL_SDK") == "1"
    if not target or not shutil.which("npm"):
        assert not required, "npm is not there"
        pytest.skip("npm is not there")
    os.makedirs(target, exist_ok=True)
    for name in ("package.json", "package-lock.json", "calls.js"):
        shutil.copy(os.path.join(HERE, name), target)
    if not os.path.isdir(os.path.join(target, "node_modules", "@alicloud")):
        done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=target,
                              capture_output=True, text=True, timeout=500, check=False)
        if done.returncode != 0:
            assert not required, done.stderr
            pytest.skip("the SDK could not be installed")
    return target


@pytest.fixture(scope="module")
def cloud():
    with Emulator() as emulator:
        yield emulator


def key_of(issued):
    return {"id": issued["AccessKeyId"], "secret": issued["AccessKeySecret"], "token": issued["SecurityToken"]}


def test_calls_pass_and_fail_as_in_the_cloud(modules, cloud):
    own = {"id": "LTAIemulatorkey00001", "secret": "emulator-secret-0000000001"}
    node = key_of(cloud.cloud.issue_credentials())
    ended = key_of(cloud.cloud.issue_credentials(-60))
    rpc = {"style": "RPC", "method": "POST", "pathname": "/", "version": "2018-12-01"}
    tokens = {"style": "ROA", "method": "GET", "pathname": "/tokens", "version": "2016-06-07",
              "action": "GetAuthorizationToken"}
    token = {**rpc, "action": "GetAuthorizationToken", "query": {"InstanceId": "cri-demo567890abcdef"}}
    assume = {**rpc, "version": "2015-04-01", "action": "AssumeRole", "query": {
        "RoleArn": "acs:ram::1234567890123456:role/puller", "RoleSessionName": "node-1", "DurationSeconds": "900"}}
    table = [
        ({**token, "key": own}, None),
        ({**token, "key": node}, None),
        ({**tokens, "key": node}, None),
        ({**rpc, "action": "ListInstance", "key": own,
          "query": {"InstanceName": "a b*c~d/e'(f)!+g", "PageNo": "1", "PageSize": "50"}}, None),
        ({**rpc, "action": "ListInstanceEndpoint", "key": own, "query": {"InstanceId": "cri-demo567890abcdef"}}, None),
        ({**assume, "key": own}, None),
        ({**token, "key": {**own, "secret": "wrong"}}, "SignatureDoesNotMatch"),
        ({**token, "key": {**own, "id": "LTAIunknown"}}, "InvalidAccessKeyId.NotFound"),
        ({**token, "key": {**node, "token": None}}, "MissingSecurityToken"),
        ({**token, "key": {**node, "token": "CAISother"}}, "InvalidSecurityToken.MismatchWithAccessKey"),
        ({**token, "key": ended}, "InvalidSecurityToken.Expired"),
        ({**token, "key": own, "query": {"InstanceId": "cri-none"}}, "INSTANCE_NOT_EXIST"),
        ({**rpc, "action": "DeleteInstance", "key": own}, "NoPermission"),
        ({**assume, "key": own, "query": {**assume["query"], "RoleArn": "acs:ram::1234567890123456:role/closed"}},
         "NoPermission"),
        ({**assume, "key": own, "query": {**assume["query"], "RoleArn": "acs:ram::1234567890123456:role/none"}},
         "EntityNotExist.Role"),
    ]
    endpoint = cloud.api[len("https://"):]
    done = subprocess.run(["node", "calls.js", json.dumps([{**call, "endpoint": endpoint} for call, _ in table])],
                          cwd=modules, capture_output=True, text=True, timeout=120, check=True,
                          env={**os.environ, "NODE_EXTRA_CA_CERTS": cloud.ca, "NO_PROXY": "127.0.0.1"})
    for (call, code), result in zip(table, json.loads(done.stdout), strict=True):
        assert result.get("code") == code, (call, result)
    first, _, personal = json.loads(done.stdout)[:3]
    assert first["body"]["TempUsername"] == "cr_temp_user" and first["body"]["IsSuccess"] is True
    assert personal["body"]["data"]["authorizationToken"] in cloud.cloud.issued
