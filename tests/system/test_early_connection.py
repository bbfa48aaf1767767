"""The connection that is opened before its request is known."""

import shutil
import subprocess

import pytest
from program_run import DEMO, WRAPPER, pull, skip_where_permitted

API = "cr-vpc.cn-hangzhou.aliyuncs.com:443"


@pytest.mark.parametrize("delay_ms", [0, 50])
def test_fast_server_needs_one_connection(cloud, tmp_path, delay_ms):
    """Its part of TLS comes before the program can look: delayed after each message, it could read it at once."""
    if WRAPPER:
        pytest.skip("the calls would be those of the wrapper")
    if not shutil.which("strace") or subprocess.run(["strace", "-f", "true"], capture_output=True,
                                                    check=False).returncode:
        skip_where_permitted("strace is not there, or not allowed to trace")
    prefix = ["strace", "-f", "-qq", "-o", str(tmp_path / "trace"), "-e", "trace=sendto,write", "-e",
              f"inject=sendto,write:delay_exit={delay_ms * 1000}"]
    config = {"registries": [{"match": [DEMO], "instanceId": "cri-demo567890abcdef"}]}
    assert pull(cloud, DEMO + "/a", {"ASAN_OPTIONS": "detect_leaks=0"}, config=config, tmp_path=tmp_path,
                prefix=prefix).auth
    assert [entry["host"] for entry in cloud.log("proxy")] == [API]


def test_connection_that_the_server_closes_meanwhile_is_opened_again(cloud, tmp_path):
    cloud.fault("tls", times=1, reset=True)
    cloud.fault("metadata", "credentials", delay_ms=300)
    config = {"registries": [{"match": [DEMO], "instanceId": "cri-demo567890abcdef"}]}
    assert pull(cloud, DEMO + "/a", config=config, tmp_path=tmp_path).auth
    assert [entry["host"] for entry in cloud.log("proxy")] == [API, API]
