"""Requests and images that are refused before anything is asked."""

import json

import pytest
from program_run import DEMO, assert_failed, call, request, run

GOOD = json.loads(request(DEMO + "/a"))


@pytest.mark.parametrize("stdin, words", [
    ("", "stdin"), ("{", "stdin"), (request(DEMO)[:-5], "stdin"), ("[]", "stdin"), ("{} {}", "stdin"),
    ('{"kind":"A",\n}', "line 2, column 1"), (request(DEMO) + "x", "stdin"),
    (json.dumps({**GOOD, "kind": "Pod"}), "kind"), (json.dumps({**GOOD, "apiVersion": "v1"}), "apiVersion"),
    (request(DEMO, "v2"), "apiVersion"), (json.dumps({**GOOD, "image": 1}), "image"),
    (json.dumps({**GOOD, "image": ""}), "image"), (json.dumps({**GOOD, "image": "x" * 2000}), "image"),
    (json.dumps({**GOOD, "image": "a b"}), "image"), (json.dumps({**GOOD, "image": "a\0b"}), "NUL"),
    (b'{"kind":"\xff"}', "stdin"), (b'{"kind":"\x00"}', "stdin"), (b"x" * (1024 * 1024 + 1), "1048576"),
    (request(DEMO, serviceAccountToken=7), "serviceAccountToken"),
])
def test_bad_requests(stdin, words):
    result = run(stdin if isinstance(stdin, bytes) else stdin.encode())
    result.out, result.err = result.out.decode(), result.err.decode()
    assert_failed(result, 65, words)


@pytest.mark.parametrize("image", [
    "@evil/a", "user@" + DEMO + "/a", "user:pass@" + DEMO + "/a", "d\u00e9mo.cr.aliyuncs.com/a", "a..b/c", "/a",
    "-a.b/c",
    "a-.b/c", DEMO + ":0/a", DEMO + ":65536/a", DEMO + ":x/a", "https://" + DEMO + "/a", "x" * 64 + ".com/a",
    "a." * 130 + "com/a", "[::1]/a", DEMO + "../a", "a%2eb.com/c",
])
def test_images_without_a_host(image):
    assert_failed(run(request(image)), 65, "image")


@pytest.mark.parametrize("image, cause", [
    ("user@" + DEMO + "/a", "contains an @"), ("nginx@sha256:" + "0" * 64, "contains an @"),
    ("[::1]:5000/a", "IPv6 address as registry host"),
    (DEMO + ":0/a", "invalid port in registry host"), (DEMO + ":x/a", "invalid port in registry host"),
    (DEMO + ":65536/a", "invalid port in registry host"),
    (DEMO + ":x:5000/a", "invalid port in registry host"),
    pytest.param("x" * 300 + "/a", "registry host too long", id="long-host"),
    pytest.param(DEMO + "/" + "x" * 2000, "the image is too long", id="long-path"),
])
def test_image_of_another_form_is_told_the_right_one(image, cause):
    result = call("get", "--no-cache", image)
    assert_failed(result, 65, cause, "An image is HOST[:PORT]/PATH, ")
    assert "use: aliyun-acr-credential-provider get" not in result.err


@pytest.mark.parametrize("image, words", [
    ("nginx", "An image without a registry host is pulled from Docker Hub, for which this program has no credentials"),
    ("localhost/a", "for ACR only"), ("hub:5000/a", "for ACR only"), ("127.0.0.1:5000/a", "for ACR only"),
    ("169.254.169.254/a", "for ACR only"),
])
def test_hosts_that_nobody_needs_to_ask(image, words):
    result = run(request(image))
    assert_failed(result, 78, "is not an ACR host", words)
    assert "registries" not in result.err
