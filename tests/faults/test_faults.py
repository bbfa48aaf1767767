"""Every service of a pull, at every moment of it, with every way to fail: what comes out.

An outcome is the exit status. 0: the fault is survived. A status beside it has one line on stderr, an empty stdout, no
secret in either, and comes before the deadline. Whatever comes out, the fault must have come to pass.

A warm node has a token that is due for renewal but still good: that one is served while a service is in trouble,
which is what the statuses 69 and 75 stand for, and never after a refusal. For a pod nothing is kept, and what the
node has kept for itself is not the pod's.
"""

import pathlib
import tempfile
from typing import NamedTuple

import cache_records as records
import pytest
from identity_fixtures import CLAIMS, POD_ROLE, PROVIDER, PULLER, oidc
from program_run import DEADLINE_S, DEMO, SHORT_S, Emulator, assert_failed, request, run

FAULTS = {
    "html": {"body": "<html>hello</html>"}, "empty": {"body": ""}, "not-found": {"status": 404},
    "forbidden": {"status": 403},
    "server-error": {"status": 500}, "bad-gateway": {"status": 502, "body": "<html>"}, "too-many": {"status": 429},
    "redirect": {"redirect": "https://attacker.example/"}, "garbage": {"garbage": True}, "endless": {"endless": True},
    "huge": {"body_bytes": 1 << 30}, "stall": {"stall": True}, "drip": {"drip": {"bytes": 1, "interval_ms": 300}},
    "close": {"close": True}, "reset": {"reset": "request"}, "reset-headers": {"reset": "headers"},
    "reset-body": {"reset": "body"}, "truncated": {"truncate": True}, "refused": {"code": "NoPermission"},
    "unknown-ca": {"tls": "unknown-ca"}, "wrong-name": {"tls": "wrong-name"}, "expired": {"tls": "expired"},
}

# What each way to fail comes to where the answer is needed.
NEEDED = {
    "html": 69, "empty": 69, "not-found": 69, "forbidden": 69, "server-error": 75, "bad-gateway": 75, "too-many": 75,
    "redirect": 69, "garbage": 69, "endless": 69, "huge": 69, "stall": 75, "drip": 75, "close": 75, "reset": 75,
    "reset-headers": 75, "reset-body": 75, "truncated": 75,
}
API = {**NEEDED, "refused": 77}
SURVIVED = dict.fromkeys(NEEDED, 0)
# A host that answers otherwise than ACR does is none.
UNKNOWN_HOST = dict.fromkeys(("html", "empty", "not-found", "forbidden", "redirect"), 78)
TLS = {"reset": 75, "stall": 75, "unknown-ca": 69, "wrong-name": 69, "expired": 69}
CONNECT = {"bad-gateway": 75, "forbidden": 75, "close": 75, "stall": 75, "reset": 75}
PASSING = ("server-error", "too-many", "close", "reset", "reset-headers", "reset-body", "truncated")

ROLE = {"identity": {"assumeRole": [{"roleArn": PULLER}]}}
URI = {"identity": {"source": "uri"}}
OIDC = {"identity": {"source": "oidc"}}
POD = {"podIdentity": {"oidcProviderArn": PROVIDER}}
# Nothing but the API is asked over TLS.
KNOWN = {"registries": [{"match": [DEMO], "instanceId": "cri-demo567890abcdef"}]}


def without_challenge(scene):
    scene.cloud.cloud.challenge_enabled = False


def with_token_file(scene):
    scene.variables.update(oidc(scene.cloud, scene.folder))


def as_pod(scene):
    scene.fields = {"serviceAccountToken": scene.cloud.cloud.mint(CLAIMS),
                    "serviceAccountAnnotations": {"acr.aliyun.com/role-arn": POD_ROLE}}


class Moment(NamedTuple):
    service: str
    operation: str
    outcomes: dict
    image_host: str = DEMO
    config: dict = {}
    prepare: object = None  # changes the scene
    host: str = "*"  # that fails


MOMENTS = {
    # 403 and 404 mean that there is no token service, an empty 200 that its token is none.
    "metadata-token": Moment("metadata", "token", {**NEEDED, "not-found": 0, "forbidden": 0}),
    # No role: the credentials URI comes next.
    "metadata-role": Moment("metadata", "role", {**NEEDED, "not-found": 0, "empty": 0, "forbidden": 77}),
    "metadata-credentials": Moment("metadata", "credentials", {**NEEDED, "not-found": 78, "forbidden": 77}),
    "metadata-region": Moment("metadata", "region", SURVIVED),
    # The name of an Enterprise host is enough to ask ListInstance instead.
    "challenge": Moment("registry", "challenge", SURVIVED),
    "challenge-of-custom-domain": Moment("registry", "challenge", {**NEEDED, **UNKNOWN_HOST}, "hub.example.com"),
    "acr-GetAuthorizationToken": Moment("acr", "GetAuthorizationToken", API),
    "acr-tokens": Moment("acr", "GetAuthorizationToken", API, "registry.cn-hangzhou.aliyuncs.com"),
    "acr-ListInstance": Moment("acr", "ListInstance", API, prepare=without_challenge),
    "acr-ListInstanceEndpoint": Moment("acr", "ListInstanceEndpoint", API, "hub.example.com"),
    "sts-AssumeRole": Moment("sts", "AssumeRole", API, config=ROLE),
    "sts-AssumeRoleWithOIDC": Moment("sts", "AssumeRoleWithOIDC", API, config=OIDC, prepare=with_token_file),
    "pod-AssumeRoleWithOIDC": Moment("sts", "AssumeRoleWithOIDC", API, config=POD, prepare=as_pod),
    "uri": Moment("uri", "credentials", NEEDED, config=URI),
    "tls": Moment("tls", "*", TLS, config=KNOWN),
    "proxy": Moment("proxy", "connect", CONNECT, config=KNOWN, host="cr*.aliyuncs.com"),
}


class Scene:
    """A cloud, a node of it, and the moment that fails."""

    def __init__(self, moment):
        self.moment = MOMENTS[moment]

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="acr-faults-")
        self.folder = pathlib.Path(self._folder.name)
        self.cloud = Emulator().__enter__()
        self.variables = {**self.cloud.environment(),
                          "ALIBABA_CLOUD_CREDENTIALS_URI": self.cloud.metadata + "/credentials"}
        self.fields = {}  # of the request
        if self.moment.prepare:
            self.moment.prepare(self)
        return self

    def __exit__(self, *_):
        self.cloud.__exit__()
        self._folder.cleanup()

    def fail(self, fault, times=None):
        return self.cloud.fault(self.moment.service, self.moment.operation, times, self.moment.host, **FAULTS[fault])

    def pull(self, *arguments, deadline_s=SHORT_S, **keywords):
        return run(request(self.moment.image_host + "/a", **self.fields), self.variables, config=self.moment.config,
                   tmp_path=self.folder, arguments=arguments, deadline_s=deadline_s, **keywords)

    def pull_warm(self, *arguments, **keywords):
        return self.pull("--cache-dir", str(self.folder / "cache"), *arguments, with_cache=True, **keywords)

    def warm_up(self):
        """A token that is due for renewal, and nothing else that the node remembers; its password."""
        self.cloud.cloud.token_life_s = records.SHORT_LIFE_S
        password = self.password(self.pull_warm())
        records.age(self.folder / "cache", 110)
        for path in records.of_kind(self.folder / "cache", "node", "instance"):
            path.unlink()
        return password

    def password(self, result):
        (login,) = result.auth.items()
        assert login[0] == self.moment.image_host
        return login[1]["password"]


# Enough for what is survived by waiting: for a challenge six seconds, for an item of the metadata service three.
PATIENCE = {"deadline_s": DEADLINE_S}
BRIDGE = "serving a stale token that could not be renewed"


def lasting(moment, fault):
    with Scene(moment) as scene:
        met = scene.fail(fault)
        outcome = scene.moment.outcomes[fault]
        result = scene.pull(**(PATIENCE if outcome == 0 else {}))
        assert met["taken"] > 0
        if outcome == 0:
            assert scene.password(result) == scene.cloud.cloud.issued[-1] and result.err == ""
        else:
            assert_failed(result, outcome)
            assert scene.cloud.cloud.issued == [] or scene.moment.operation == "GetAuthorizationToken"


def passing(moment, fault):
    """Once, then all is well: nobody need notice."""
    with Scene(moment) as scene:
        met = scene.fail(fault, times=1)
        result = scene.pull(**PATIENCE)
        assert met["taken"] == 1
        assert scene.password(result) == scene.cloud.cloud.issued[-1] and result.err == ""


def warm(moment, fault):
    with Scene(moment) as scene:
        old = scene.warm_up()
        met = scene.fail(fault)
        outcome = scene.moment.outcomes[fault]
        result = scene.pull_warm("--log-level", "warning", **(PATIENCE if outcome == 0 else {}))
        assert met["taken"] > 0
        if outcome in (69, 75):
            assert scene.password(result) == old
            assert BRIDGE in result.err and result.err.count("\n") == 1
        elif outcome == 0:
            assert scene.password(result) == scene.cloud.cloud.issued[-1] != old and result.err == ""
        else:
            assert_failed(result, outcome)


def beside(moment, fault):
    """The node has a token that is still good for the same registry."""
    with Scene(moment) as scene:
        pods, scene.fields = scene.fields, {}
        scene.warm_up()
        scene.fields = pods
        met = scene.fail(fault)
        assert_failed(scene.pull_warm(), scene.moment.outcomes[fault])
        assert met["taken"] > 0 and len(scene.cloud.cloud.issued) == 1


def silent(moment, fault):
    """Nobody has asked for warnings; and once the trouble is over, the token is renewed."""
    with Scene(moment) as scene:
        old = scene.warm_up()
        met = scene.fail(fault)
        result = scene.pull_warm()
        assert met["taken"] > 0 and (scene.password(result), result.err) == (old, "")
        scene.cloud.heal()
        assert scene.password(scene.pull_warm()) == scene.cloud.cloud.issued[-1] != old


ROWS = [(play, name, fault) for name, moment in MOMENTS.items() for fault in moment.outcomes
        for play in ([beside] if moment.prepare is as_pod else [lasting, warm])]
ROWS += [(passing, name, fault) for name, moment in MOMENTS.items() for fault in moment.outcomes if fault in PASSING]
ROWS += [(silent, "metadata-credentials", "close"), (silent, "acr-GetAuthorizationToken", "server-error"),
         (silent, "acr-tokens", "html"), (silent, "sts-AssumeRole", "reset"), (silent, "tls", "unknown-ca")]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join([row[0].__name__, *row[1:]]))
def test_fault(row):
    play, moment, fault = row
    play(moment, fault)
