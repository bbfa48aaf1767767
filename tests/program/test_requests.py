"""Requests and images that are refused before anything is asked."""

import json

import pytest
from program_run import DEMO, assert_failed, request, run

GOOD = json.loads(request(DEMO + "/a"))


@pytest.mark.parametrize("stdin, words", [
    (request(DEMO)[:-5], "stdin"), (json.dumps({**GOOD, "image": "x" * 2000}), "image"), (b'{"kind":"\x00"}', "stdin"),
    (b"x" * (1024 * 1024 + 1), "1048576"),
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
