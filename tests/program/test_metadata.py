"""The ECS metadata service: its modes, its role, its failures."""

import socket
import threading

import pytest
from program_run import DEMO, SHORT_S, Emulator, assert_failed, caller, pull


def test_hardened_only_without_token_service(cloud):
    cloud.cloud.metadata_mode = "hardened"
    cloud.fault("metadata", "token", status=404)
    assert_failed(pull(cloud, DEMO + "/a"), 77, "metadata", "/latest/api/token")


@pytest.mark.parametrize("operation, fault, status, words", [
    ("token", {"status": 500}, 75,
     ["PUT /latest/api/token: gave up after 3 tries: HTTP status 500",
      "Retry; if the error persists, check what answers at http"]),
    ("role", {"status": 429}, 75,
     ["GET /latest/meta-data/ram/security-credentials/: gave up after 3 tries: HTTP status 429",
      "Retry; if the error persists"]),
    ("role", {"status": 401}, 69, ["HTTP status 401", "Retry; if the error persists, check what answers at http"]),
    ("token", {"garbage": True}, 69, ["PUT /latest/api/token: ", "Check what answers at http", "in its place"]),
    ("credentials", {"endless": True}, 69,
     ["/KubernetesWorkerRole: ", "larger", "Check what answers at http", "in its place"]),
])
def test_metadata_service_that_is_there_is_not_advised_to_be_reached(cloud, operation, fault, status, words):
    """Nor to be forbidden."""
    cloud.fault("metadata", operation, **fault)
    result = pull(cloud, DEMO + "/a")
    assert_failed(result, status, *words)
    assert "reach" not in result.err and "ALIBABA_CLOUD_ECS_METADATA_DISABLED" not in result.err


def test_expired_metadata_credentials(cloud):
    """By the cloud's clock, not by the node's; fetched anew once before it is given up."""
    cloud.cloud.credentials_life_s = -60
    assert_failed(pull(cloud, DEMO + "/a"), 77, "expired")
    assert cloud.operations("metadata").count("credentials") == 2


def test_metadata_service_that_was_there_is_not_absent(cloud, node):
    """Another identity must not stand in for a service that is only down."""
    with Emulator() as host:
        host.cloud = cloud.cloud
        more = {"ALIBABA_CLOUD_CREDENTIALS_URI": cloud.metadata + "/credentials",
                "ALIBABA_CLOUD_IMDS_ENDPOINT": host.metadata}
        node.pull(more=more).answer
    for path in node.files():
        path.unlink()
    assert_failed(node.pull(more=more), 75, "ECS metadata service")
    assert caller(cloud) == "KubernetesWorkerRole" and cloud.log("uri") == []


@pytest.mark.parametrize("fault", [{"status": 500}, pytest.param({"stall": True}, marks=pytest.mark.slow),
                                   {"reset": "request"}, {"close": True}])
def test_metadata_service_in_trouble_is_not_passed_over(cloud, fault):
    """It is there: the credentials URI behind it would be another identity."""
    cloud.fault("metadata", **fault)
    uri = {"ALIBABA_CLOUD_CREDENTIALS_URI": cloud.metadata + "/credentials"}
    result = pull(cloud, DEMO + "/a", uri, deadline_s=SHORT_S)
    assert_failed(result, 75, "etadata")
    assert cloud.log("uri") == []


@pytest.mark.parametrize("body, words", [
    ("<html>", ["Check what answers at http", "in its place"]), ("{}", ["Check what answers at http", "in its place"]),
    ('{"Code": "Failed"}',
     ["(Failed)", "Check that RAM role KubernetesWorkerRole still exists and trusts ecs.aliyuncs.com"]),
])
def test_credentials_of_the_instance_that_are_none(cloud, body, words):
    cloud.fault("metadata", "credentials", body=body)
    assert_failed(pull(cloud, DEMO + "/a"), 69, "RAM role KubernetesWorkerRole", *words)


def test_metadata_service_that_goes_away_is_not_absent(cloud):
    """It took a connection once: the credentials URI behind it would be another identity."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        def take_one():
            connection, _ = server.accept()
            server.close()
            connection.close()

        taker = threading.Thread(target=take_one)
        taker.start()
        result = pull(cloud, DEMO + "/a",
                      {"ALIBABA_CLOUD_IMDS_ENDPOINT": "http://127.0.0.1:%d" % server.getsockname()[1],
                       "ALIBABA_CLOUD_CREDENTIALS_URI": cloud.metadata + "/credentials"})
        taker.join()
    assert_failed(result, 75, "ECS metadata service")
    assert cloud.log("uri") == []


@pytest.mark.parametrize("word", ["1", "t", "true"])
def test_normal_mode_of_the_metadata_service_alone(cloud, word):
    pull(cloud, DEMO + "/a", {"ALIBABA_CLOUD_IMDSV2_DISABLED": word}).answer
    assert "token" not in cloud.operations("metadata")


def test_absent_metadata_service_of_a_named_role_in_normal_mode(cloud):
    pull(cloud, DEMO + "/a", {"ALIBABA_CLOUD_IMDSV2_DISABLED": "true", "ALIBABA_CLOUD_ECS_METADATA": "Role",
                              "ALIBABA_CLOUD_IMDS_ENDPOINT": "http://127.0.0.1:1",
                              "ALIBABA_CLOUD_CREDENTIALS_URI": cloud.metadata + "/credentials"}).answer
    assert caller(cloud) == "uri"
