"""Every service of a pull, at every moment of it, with every way to fail: what comes out.

An outcome is the exit status. 0: the fault is survived. A status beside it has one line on stderr, an empty stdout, no
secret in either, and comes before the deadline.
"""

import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "program"))
from provider import DEMO, Emulator, assert_failed, pull, secrets_of  # noqa: E402

FAULTS = {
    "html": {"body": "<html>hello</html>"}, "empty": {"body": ""}, "not-found": {"status": 404}, "forbidden": {"status": 403},
    "server-error": {"status": 500}, "bad-gateway": {"status": 502, "body": "<html>"}, "too-many": {"status": 429},
    "redirect": {"redirect": "https://attacker.example/"}, "garbage": {"garbage": True}, "endless": {"endless": True},
    "huge": {"body_bytes": 1 << 30}, "stall": {"stall": True}, "drip": {"drip": {"bytes": 1, "interval_ms": 300}},
    "close": {"close": True}, "reset": {"reset": "request"}, "reset-headers": {"reset": "headers"},
    "reset-body": {"reset": "body"}, "truncated": {"truncate": True},
}

# What each way to fail comes to where the answer is needed.
NEEDED = {
    "html": 69, "empty": 69, "not-found": 69, "forbidden": 69, "server-error": 75, "bad-gateway": 75, "too-many": 75,
    "redirect": 69, "garbage": 69, "endless": 69, "huge": 69, "stall": 75, "drip": 75, "close": 75, "reset": 75,
    "reset-headers": 75, "reset-body": 75, "truncated": 75,
}
SURVIVED = dict.fromkeys(FAULTS, 0)
ROLE = {"identity": {"assumeRole": [{"roleArn": "acs:ram::1234567890123456:role/puller"}]}}
URI = {"identity": {"source": "uri"}}

# (service, moment): (what comes out, differing from the usual; the image; configuration)
MOMENTS = {
    # 403 and 404 mean that there is no token service, an empty 200 that its token is none.
    ("metadata", "token"): ({**NEEDED, "not-found": 0, "forbidden": 0}, DEMO, {}),
    # No role: the credentials URI comes next.
    ("metadata", "role"): ({**NEEDED, "not-found": 0, "empty": 0, "forbidden": 77}, DEMO, {}),
    ("metadata", "credentials"): ({**NEEDED, "not-found": 78, "forbidden": 77}, DEMO, {}),
    ("metadata", "region"): (SURVIVED, DEMO, {}),
    # The name of an Enterprise host is enough to ask ListInstance instead.
    ("registry", "challenge"): (SURVIVED, DEMO, {}),
    ("acr", "GetAuthorizationToken"): (NEEDED, DEMO, {}),
    ("acr", "ListInstanceEndpoint"): (NEEDED, "hub.example.com", {}),
    ("sts", "AssumeRole"): (NEEDED, DEMO, ROLE),
    ("uri", "credentials"): (NEEDED, DEMO, URI),
}


@pytest.fixture
def cloud():
    with Emulator() as emulator:
        yield emulator


LASTING = [(*key, fault) for key, (outcomes, _, _) in MOMENTS.items() for fault in outcomes]
PASSING = [(*key, fault) for key in MOMENTS if key[0] != "registry"
           for fault in ("server-error", "too-many", "close", "reset", "reset-headers", "reset-body", "truncated")]


@pytest.mark.parametrize("service, moment, fault", LASTING)
def test_lasting_fault(cloud, tmp_path, service, moment, fault):
    outcomes, host, config = MOMENTS[service, moment]
    cloud.fault(service, moment, **FAULTS[fault])
    # A challenge is waited for six seconds, an item of the metadata service for three.
    patience = ["--deadline", "12"] if outcomes[fault] == 0 else []
    result = pull(cloud, host + "/a", {"ALIBABA_CLOUD_CREDENTIALS_URI": cloud.metadata + "/credentials"},
                  config=config, tmp_path=tmp_path, arguments=patience)
    if outcomes[fault] == 0:
        assert list(result.auth) == [host] and result.err == ""
    else:
        assert_failed(result, outcomes[fault], secrets=secrets_of(cloud))
        assert cloud.cloud.issued == [] or moment == "GetAuthorizationToken"


@pytest.mark.parametrize("service, moment, fault", PASSING)
def test_fault_that_passes(cloud, tmp_path, service, moment, fault):
    """Once, then all is well: nobody need notice."""
    _, host, config = MOMENTS[service, moment]
    cloud.fault(service, moment, times=1, **FAULTS[fault])
    result = pull(cloud, host + "/a", {"ALIBABA_CLOUD_CREDENTIALS_URI": cloud.metadata + "/credentials"},
                  config=config, tmp_path=tmp_path, arguments=["--deadline", "12"])
    assert list(result.auth) == [host] and result.err == ""
