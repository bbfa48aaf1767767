"""The credentials URI: when it is asked, by which way, and its failures."""

import os

import pytest
from identity_fixtures import NO_METADATA, credentials_server
from program_run import DEMO, SHORT_S, assert_failed, caller, pull, skip_where_permitted


def test_credentials_uri_comes_after_the_metadata_service(cloud):
    uri = {"ALIBABA_CLOUD_CREDENTIALS_URI": cloud.metadata + "/credentials"}
    pull(cloud, DEMO + "/a", uri).answer
    assert caller(cloud) == "KubernetesWorkerRole" and cloud.log("uri") == []
    for more in (NO_METADATA, {"ALIBABA_CLOUD_IMDS_ENDPOINT": "http://127.0.0.1:1"}):
        pull(cloud, DEMO + "/a", {**uri, **more}).answer
        assert caller(cloud) == "uri"
    cloud.cloud.role = ""
    pull(cloud, DEMO + "/a", uri).answer
    assert caller(cloud) == "uri"


@pytest.mark.parametrize("uri", ["https://host:99999/c", "https://[zz]/c", "http://127.0.0.1:0x/c",
                                 "https://user@host/c", "https:///c",
                                 "https://host:/c", "ftp://host/c", "https://a b/c"])
def test_credentials_uri_that_is_none_is_asked_of_nobody(cloud, uri):
    assert_failed(pull(cloud, DEMO + "/a", {**NO_METADATA, "ALIBABA_CLOUD_CREDENTIALS_URI": uri}), 78,
                  "credentials URI: it must be https")
    assert "connect" not in cloud.operations("proxy") or all(entry["host"].endswith("aliyuncs.com:443")
                                                             for entry in cloud.log("proxy"))


def test_credentials_uri_by_https_and_by_configuration(cloud, tmp_path):
    more = {"ALIBABA_CLOUD_CREDENTIALS_URI": "https://credentials.example/of/this/node?x=1"}
    pull(cloud, DEMO + "/a", more, config={"identity": {"source": "uri"}}, tmp_path=tmp_path).answer
    assert caller(cloud) == "uri" and cloud.log("metadata") == []
    assert "credentials.example:443" in [entry["host"] for entry in cloud.log("proxy")]


def test_credentials_uri_without_tls_is_asked_by_no_proxy(cloud):
    """Neither is the metadata service: what they say is for this machine alone."""
    proxies = dict.fromkeys(("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"), cloud.proxy)
    uri = {**NO_METADATA, "ALIBABA_CLOUD_CREDENTIALS_URI": cloud.metadata + "/credentials"}
    for more, who in ((uri, "uri"), ({}, "KubernetesWorkerRole")):
        pull(cloud, DEMO + "/a", {**more, **proxies}).answer
        assert caller(cloud) == who
    assert set(cloud.operations("proxy")) == {"connect"} and "proxied" not in cloud.operations("metadata")
    assert not any(entry["host"].startswith("127.") for entry in cloud.log("proxy"))


@pytest.mark.parametrize("host, address", [("127.0.0.2", "127.0.0.2"), ("localhost", "127.0.0.1"), ("[::1]", "::1")])
def test_credentials_uri_of_this_machine(cloud, host, address):
    if address == "::1" and not os.path.exists("/proc/net/if_inet6"):
        skip_where_permitted("this machine has no IPv6")
    with credentials_server(cloud, address) as port:
        uri = {"ALIBABA_CLOUD_CREDENTIALS_URI": f"http://{host}:{port}/credentials"}
        pull(cloud, DEMO + "/a", {**NO_METADATA, **uri}).answer
        assert caller(cloud) == "uri"


@pytest.mark.parametrize("uri", [
    "http://192.0.2.1/credentials", "http://credentials.example/", "http://127.0.0.1.attacker.example/",
    "ftp://127.0.0.1/",
    "http://user@127.0.0.1/", "http://[2001:db8::1]/", "https:///", "http://127.0.0.1/#a", "credentials", "http://[::1",
    "http://10.0.0.1/", "http://[::1].attacker.example/", "http://[2001:db8::1%25lo]/", "http://[fe80::7%25lo",
    "http://127.1/",
    "http://[::1%25@[2001:db8::1]/x", "https://[::1%25@[2001:db8::1]/x", "http://[::1%25lo\\@evil.example]/x",
    "http://169.253.0.1/", "http://2130706433/", "http://localhost.attacker.example/",
])
def test_credentials_uri_in_the_open_is_refused(cloud, uri):
    assert_failed(pull(cloud, DEMO + "/a", {**NO_METADATA, "ALIBABA_CLOUD_CREDENTIALS_URI": uri}), 78,
                  "credentials URI")
    assert cloud.log("proxy") == []


@pytest.mark.parametrize("fault, status", [
    ({"status": 404}, 69), ({"status": 500}, 75), ({"body": "<html>"}, 69), ({"body": "{}"}, 69),
    ({"endless": True}, 69),
    ({"redirect": "http://127.0.0.1:1/"}, 69), pytest.param({"stall": True}, 75, marks=pytest.mark.slow),
    ({"reset": "request"}, 75),
])
def test_credentials_uri_that_fails(cloud, fault, status):
    cloud.fault("uri", **fault)
    uri = {**NO_METADATA, "ALIBABA_CLOUD_CREDENTIALS_URI": cloud.metadata + "/credentials"}
    assert_failed(pull(cloud, DEMO + "/a", uri, deadline_s=SHORT_S), status, "credentials URI")


def test_expired_credentials_of_a_uri(cloud):
    """By the cloud's clock, not by the node's."""
    uri = {**NO_METADATA, "ALIBABA_CLOUD_CREDENTIALS_URI": cloud.metadata + "/credentials"}
    cloud.cloud.clock_offset_s = -7200
    pull(cloud, DEMO + "/a", uri).answer
    cloud.cloud.credentials_life_s = -60
    assert_failed(pull(cloud, DEMO + "/a", uri), 77, "expired")
