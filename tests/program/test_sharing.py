"""Who may be given a token that is kept, and what those who wait are given when there is none."""

import json
import os
import re
import time

import cache_records as records
import pytest
from emulated_node import finish, release
from identity_fixtures import CLAIMS, KEY, PULLER, SECRET, oidc
from program_run import DEMO, WRAPPER, assert_failed, wait_until

HUB = "hub.example.com"


# -- a change that nobody may get past -------------------------------------------------------------------------


def test_host_that_nobody_vouches_for_any_more(node):
    vouched = {"registries": [{"match": [HUB]}]}
    node.pull(HUB + "/a", config=vouched).answer
    node.cloud.cloud.permissions.remove("cr:ListInstanceEndpoint")
    assert_failed(node.pull(HUB + "/a"), 77, "cannot confirm that hub.example.com is a domain")


def test_other_port_is_another_host(node):
    """Something else may listen there, which must prove itself."""
    node.pull(HUB + "/a").answer
    node.cloud.fault("registry", "challenge", status=200)
    assert_failed(node.pull(HUB + ":5000/a"), 78, "is not an ACR host")


def test_ports_of_two_instances(node):
    config = {"registries": [{"match": [HUB]}, {"match": [HUB + ":5000"]}]}
    first = node.password(HUB + "/a", config=config)
    node.cloud.fault("registry", "challenge", status=401, headers={
        "WWW-Authenticate": 'Bearer service="registry.aliyuncs.com:cn-hangzhou:china:cri-demotwo567890abc"'})
    assert node.password(HUB + ":5000/a", config=config) != first
    assert "cri-demotwo567890abc" in node.cloud.log("acr")[-1]["path"]


def test_stand_in_for_the_metadata_service_is_not_met_again(node):
    uri = {"ALIBABA_CLOUD_CREDENTIALS_URI": node.cloud.metadata + "/credentials"}
    node.cloud.cloud.role = ""
    node.password(more=uri)
    node.cloud.cloud.role = "KubernetesWorkerRole"
    node.password(more=uri)
    signers = [node.cloud.cloud.keys[re.search("Credential=([^,]+)", entry["headers"]["authorization"])[1]]["role"]
               for entry in node.cloud.log("acr")]
    assert signers == ["uri", "KubernetesWorkerRole"]


def test_token_file_of_another_subject(node):
    variables = oidc(node.cloud, node.tmp_path)
    node.password(more=variables)
    path = node.tmp_path / "token"
    path.write_text(node.cloud.cloud.mint({**CLAIMS, "sub": "system:serviceaccount:default:other"}))
    assert_failed(node.pull(more=variables), 77, "AuthenticationFail.NoPermission")
    path.unlink()
    assert_failed(node.pull(more=variables), 78, "there is no token file")


@pytest.mark.parametrize("more", [{"ALIBABA_CLOUD_STS_REGION": "cn-beijing"},
                                  {"ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED": "true"}])
def test_other_endpoint_of_sts(node, more):
    config = {"identity": {"source": "env", "assumeRole": [{"roleArn": PULLER}]}}
    key = {"ALIBABA_CLOUD_ACCESS_KEY_ID": KEY, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET}
    assert node.password(more=key, config=config) != node.password(more={**key, **more}, config=config)


# -- what those who wait are given -----------------------------------------------------------------------------


CROWD = 5 if WRAPPER else 25


def test_runs_behind_an_absent_metadata_service_share_one_call(node):
    """They learn together that it is absent, and one of them asks as the credentials URI."""
    more = {"ALIBABA_CLOUD_IMDS_ENDPOINT": "http://127.0.0.1:1",
            "ALIBABA_CLOUD_CREDENTIALS_URI": node.cloud.metadata + "/credentials"}
    processes = [node.start(more=more, held=True) for _ in range(CROWD)]
    for process in processes:
        release(process)
    answers = {out for status, out, err in finish(processes) if status == 0 or pytest.fail(err)}
    assert len({json.loads(answer)["auth"][DEMO]["password"] for answer in answers}) == 1
    assert node.tokens_asked() == 1 and node.cloud.operations("uri") == ["credentials"]


@pytest.mark.parametrize("broken", [{"SSL_CERT_FILE": "/nonexistent"}, {"HTTPS_PROXY": "S3crt://h"}, {}])
@pytest.mark.slow
def test_failure_that_is_not_theirs_is_not_shared(node, broken):
    """Of an environment of its own, or of a time that is over: the others can do better."""
    node.cloud.fault("metadata", "credentials", times=1, delay_ms=2500)
    if not broken:
        node.cloud.fault("acr", times=1, stall=True)
    leader = node.start(deadline_s=4 if not broken else 40, more=broken)
    wait_until(lambda: "credentials" in node.cloud.operations("metadata"))
    crowd = [node.start() for _ in range(3)]
    ((status, out, _),) = finish([leader])
    assert (status in (75, 78), out) == (True, "")
    for status, out, err in finish(crowd):
        assert status == 0 and json.loads(out)["auth"], err


@pytest.mark.parametrize("fault, status, word", [
    ({"code": "ServiceUnavailable"}, 75, "ServiceUnavailable"), ({"code": "NoPermission"}, 77, "Grant cr:"),
    ({"body": "<html>"}, 69, "endpoints and proxy variables"),
])
@pytest.mark.slow
def test_those_who_wait_share_a_failure(node, fault, status, word):
    """The words of who has asked, and not a call for each of them."""
    node.cloud.fault("acr", times=1, delay_ms=8000 if WRAPPER else 2500, **fault)
    node.cloud.fault("acr", **fault)
    crowd = [node.start() for _ in range(CROWD)]
    for got, out, err in finish(crowd):
        assert (got, out, err.count("\n")) == (status, "", 1) and word in err
    assert node.calls() <= 2 * 5  # one who asks, and whoever came too late to wait for that one
    node.cloud.heal()
    assert node.password() in node.cloud.cloud.issued  # nobody remembers it


def test_failure_is_for_those_who_wait_alone(node):
    node.cloud.fault("acr", times=1, code="NoPermission")
    assert_failed(node.pull(), 77, "NoPermission")
    assert node.password() in node.cloud.cloud.issued


def old_token(node):
    """A token that is good for some time yet, and should be renewed."""
    node.cloud.cloud.token_life_s = records.SHORT_LIFE_S
    password = node.password()
    records.age(node.directory, 110)
    return password


@pytest.mark.slow
def test_outage_holds_nobody_up_who_has_an_old_token(node):
    """The API swallows everything: an old token is served long before the deadline."""
    password = old_token(node)
    node.cloud.fault("acr", stall=True)
    started = time.monotonic()
    result = node.pull(arguments=["--deadline", "60"])
    assert result.auth[DEMO]["password"] == password
    assert time.monotonic() - started < 40  # and not 60


@pytest.mark.slow
def test_crowd_with_an_old_token_asks_once_in_an_outage(node):
    password = old_token(node)
    node.cloud.fault("acr", times=1, delay_ms=8000 if WRAPPER else 2500, code="ServiceUnavailable")
    node.cloud.fault("acr", code="ServiceUnavailable")
    calls = node.calls()
    for status, out, err in finish([node.start(deadline_s=60) for _ in range(CROWD)]):
        assert status == 0 and password in out and err == ""
    assert node.calls() - calls <= 2 * 5


def test_refused_renewal_does_not_serve_the_old_token(node):
    old_token(node)
    node.cloud.cloud.permissions = set()
    assert_failed(node.pull(), 77, "NoPermission")


# -- what stands in the way ------------------------------------------------------------------------------------


def test_directory_in_the_place_of_a_record_is_replaced(node):
    node.password()
    (path,) = node.files()
    path.unlink()
    path.mkdir()
    second = node.password()
    assert path.is_file() and node.password() == second


@pytest.mark.parametrize("put", [
    lambda path: path.symlink_to("/nonexistent/lock"), lambda path: path.mkdir(), os.mkfifo,
    lambda path: path.write_text("x" * 1000),
])
@pytest.mark.slow
def test_whatever_is_in_the_place_of_a_lock_costs_no_second_call(node, put):
    node.password()
    for path in [*node.files(), *node.files("lock")]:
        if path.name.startswith("lock-"):
            path.unlink()
            put(path)
        else:
            path.unlink()
    node.cloud.fault("acr", "GetAuthorizationToken", delay_ms=500)
    asked = node.tokens_asked()
    assert all(status == 0 for status, _, _ in finish([node.start() for _ in range(CROWD)]))
    assert node.tokens_asked() == asked + 1


def test_lock_in_use_is_not_swept_away(node):
    """However old it looks: the clock may have been set."""
    node.cloud.fault("acr", "GetAuthorizationToken", times=1, stall=True)
    leader = node.start(deadline_s=60)
    wait_until(lambda: node.calls() > 0)
    (lock,) = node.files("lock")
    os.utime(lock, (1, 1))
    node.password("my-registry-registry.cn-hangzhou.cr.aliyuncs.com/a")  # which sweeps
    assert lock.exists()
    leader.kill()
    leader.communicate()
    os.utime(lock, (1, 1))
    node.password("harbour-registry.cn-shanghai.cr.aliyuncs.com/a")
    assert not lock.exists()


def test_record_of_a_life_that_could_overflow(node):
    node.password()
    records.rewrite(node.directory, lambda record: record.update(lifeSeconds=2**61))
    assert node.password() in node.cloud.cloud.issued
