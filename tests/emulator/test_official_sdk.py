"""The emulator proved by the official Node SDK: the same calls pass, and fail with the same codes, as in the cloud."""

import json
import os
import shutil
import subprocess

import pytest
from emulator import Emulator
from identity_fixtures import KEY, PULLER, SECRET

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sdk")

OWN = {"id": KEY, "secret": SECRET}
RPC = {"style": "RPC", "method": "POST", "pathname": "/", "version": "2018-12-01"}
TOKEN = {**RPC, "action": "GetAuthorizationToken", "query": {"InstanceId": "cri-demo567890abcdef"}}
ASSUME = {**RPC, "version": "2015-04-01", "action": "AssumeRole", "query": {
    "RoleArn": PULLER, "RoleSessionName": "node-1", "DurationSeconds": "900"}}
ROA = {"style": "ROA", "method": "GET", "pathname": "/tokens", "version": "2016-06-07",
       "action": "GetAuthorizationToken"}


pytestmark = pytest.mark.xdist_group("sdk")  # they share what is installed


@pytest.fixture(scope="module")
def modules():
    """Installs the SDK into the build folder, once."""
    target = os.environ.get("EMULATOR_SDK_NODE_MODULES")
    required = os.environ.get("REQUIRE_ALL") == "1"
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


def results_of(modules, cloud, calls):
    endpoint = cloud.api[len("https://"):]
    done = subprocess.run(["node", "calls.js",
                           json.dumps([{"key": OWN, "endpoint": endpoint, **call} for call in calls])],
                          cwd=modules, capture_output=True, text=True, timeout=120, check=True,
                          env={**os.environ, "NODE_EXTRA_CA_CERTS": cloud.ca, "NO_PROXY": "127.0.0.1"})
    return json.loads(done.stdout)


def assert_codes(modules, cloud, table):
    for (call, code), result in zip(table, results_of(modules, cloud, [call for call, _ in table]), strict=True):
        assert result.get("code") == code, (call, result)


@pytest.mark.parametrize("token", [TOKEN, ROA], ids=["RPC", "ROA"])
def test_signatures_pass_and_fail_as_in_the_cloud(modules, cloud, token):
    node = key_of(cloud.cloud.issue_credentials())
    assert_codes(modules, cloud, [
        (token, None),
        ({**token, "key": node}, None),
        ({**token, "key": {**OWN, "secret": "wrong"}}, "SignatureDoesNotMatch"),
        ({**token, "key": {**node, "secret": "wrong"}}, "SignatureDoesNotMatch"),
        ({**token, "key": {**OWN, "id": "LTAIunknown"}}, "InvalidAccessKeyId.NotFound"),
        ({**token, "key": {**OWN, "token": "CAISother"}}, "InvalidSecurityToken.MismatchWithAccessKey"),
        ({**token, "key": {**node, "token": None}}, "MissingSecurityToken"),
        ({**token, "key": {**node, "token": "CAISother"}}, "InvalidSecurityToken.MismatchWithAccessKey"),
        ({**token, "key": key_of(cloud.cloud.issue_credentials(-60))}, "InvalidSecurityToken.Expired"),
        ({**token, "version": "2017-01-01"}, "InvalidVersion"),
    ])


@pytest.mark.parametrize("change, code", [
    ({"permissions": set()}, "NoPermission"), ({"clock_offset_s": 1200}, "InvalidTimeStamp.Expired"),
    ({"clock_offset_s": -1200}, "InvalidTimeStamp.Expired"), ({"personal_user": False, "instances": []}, None),
])
def test_state_of_the_cloud_decides_for_both_styles(modules, cloud, monkeypatch, change, code):
    for name, value in change.items():
        monkeypatch.setattr(cloud.cloud, name, value)
    assert_codes(modules, cloud, [(TOKEN, code or "INSTANCE_NOT_EXIST"), (ROA, code or "USER_NOT_EXIST")])


def test_calls_pass_and_fail_as_in_the_cloud(modules, cloud):
    of_closed, of_none = ({**ASSUME, "query": {**ASSUME["query"], "RoleArn": "acs:ram::1234567890123456:role/" + name}}
                          for name in ("closed", "none"))
    assert_codes(modules, cloud, [
        ({**RPC, "action": "ListInstance",
          "query": {"InstanceName": "a b*c~d/e'(f)!+g", "PageNo": "1", "PageSize": "50"}}, None),
        ({**RPC, "action": "ListInstanceEndpoint", "query": TOKEN["query"]}, None),
        (ASSUME, None),
        ({**TOKEN, "query": {"InstanceId": "cri-none"}}, "INSTANCE_NOT_EXIST"),
        ({**RPC, "action": "DeleteInstance"}, "NoPermission"),
        ({**ROA, "action": "GetRepoList", "pathname": "/repos"}, "NoPermission"),
        (of_closed, "NoPermission"),
        (of_none, "EntityNotExist.Role"),
    ])


def test_answers(modules, cloud):
    enterprise, personal = (result["body"] for result in results_of(modules, cloud, [TOKEN, ROA]))
    assert enterprise["TempUsername"] == "cr_temp_user" and enterprise["IsSuccess"] is True
    assert personal["data"]["authorizationToken"] in cloud.cloud.issued
