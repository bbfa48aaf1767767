"""`get` and the docker credential helper: the kubelet's work for scripts and container clients."""

import base64
import json
import os
import re
import shlex
import subprocess

import pytest
from identity_fixtures import write
from program_run import (API, DEADLINE_S, DEMO, PROGRAM, SHORT_S, WRAPPER, Result, assert_failed, call, request,
                         without_cache)

ANONYMOUS = "registry-cn-hangzhou.ack.aliyuncs.com"
NOT_FOUND = "credentials not found in native keychain\n"


def get(cloud, *arguments, more=None):
    return call("get", "--no-cache", "--deadline", str(DEADLINE_S), *arguments,
                environment={**cloud.environment(), **(more or {})})


@pytest.fixture
def helper(tmp_path):
    """Runs the program by the name under which container clients call it."""
    link = tmp_path / "docker-credential-aliyun-acr"
    link.symlink_to(PROGRAM)

    def ask(*arguments, stdin="", environment=None):
        return call(*arguments, program=str(link), stdin=stdin, environment={**without_cache(), **(environment or {})})
    return ask


@pytest.mark.parametrize("image", [DEMO, DEMO + "/team/app:v1"])
def test_get_kubelet(cloud, image):
    for arguments in ([image], ["--output", "kubelet", image], [image, "--output=kubelet"]):
        answer = get(cloud, *arguments).answer
        assert answer["apiVersion"] == API + "v1"
        assert answer["auth"] == {DEMO: {"username": "cr_temp_user", "password": cloud.cloud.issued[-1]}}


def test_get_docker(cloud):
    answer = get(cloud, "--output", "docker", DEMO).answer
    login = base64.b64decode(answer["auths"][DEMO]["auth"]).decode()
    assert login == "cr_temp_user:" + cloud.cloud.issued[-1] and list(answer) == ["auths"]
    assert get(cloud, "--output", "docker", ANONYMOUS).answer == {"auths": {}}


def test_get_password(cloud):
    assert get(cloud, "--output", "password", DEMO).out == cloud.cloud.issued[-1] + "\n"


def test_get_env_is_what_a_shell_reads(cloud):
    cloud.fault("acr", body=json.dumps({"IsSuccess": True, "TempUsername": "it's $me", "ExpireTime": 32503680000000,
                                        "AuthorizationToken": "a'b\"c`d$(e)\\f !"}))
    out = get(cloud, "--output", "env", DEMO).out
    shown = subprocess.run(["sh", "-c", 'eval "$0"; printf "%s\\n" "$ACR_REGISTRY" "$ACR_USERNAME" "$ACR_PASSWORD"',
                            out],
                           capture_output=True, text=True, check=True).stdout
    assert shown == DEMO + "\nit's $me\na'b\"c`d$(e)\\f !\n"


def test_get_env_names_the_registry_without_a_path(cloud, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"registries": [{"match": [DEMO + "/team-a"]}]}))
    path.chmod(0o600)
    assert f"ACR_REGISTRY='{DEMO}'\n" in get(cloud, "--output", "env", "--config", str(path), DEMO + "/team-a/app").out


@pytest.mark.parametrize("arguments",
                         [["--version", "get", DEMO], ["get", DEMO, "--version"], ["--no-cache", "--version"]])
def test_version_is_all_that_is_asked_for(arguments):
    done = subprocess.run([PROGRAM, *arguments], input="", capture_output=True, text=True, env={}, check=True)
    assert done.stdout.startswith("aliyun-acr-credential-provider ") and "libcurl" in done.stdout


@pytest.mark.parametrize("streams, words",
                         [("<&-", "cannot read"), ("</", "cannot read"),
                          (">/dev/full", "cannot write standard output: No space left on device")])
def test_input_or_output_that_fails(cloud, streams, words):
    command = shlex.join([*WRAPPER, PROGRAM, *(["get", DEMO] if ">" in streams else []), "--no-cache"]) + " " + streams
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, env=cloud.environment(), check=False)
    assert_failed(Result(done), 74, words)


@pytest.mark.parametrize("output", ["password", "env"])
def test_get_without_a_password_to_get(cloud, output):
    assert_failed(get(cloud, "--output", output, ANONYMOUS), 65, "are public", "No login")


def test_get_that_fails(cloud):
    cloud.cloud.permissions = set()
    for output in ("kubelet", "docker", "env", "password"):
        assert_failed(get(cloud, "--output", output, DEMO), 77, "NoPermission")
    assert_failed(get(cloud, "x" * 2000), 65, "too long")


@pytest.mark.parametrize("server",
                         [DEMO, "https://" + DEMO, f"https://{DEMO}/", f"https://{DEMO}/v1/", f"https://{DEMO}/v2/",
                          DEMO + "/v2\n", f" {DEMO} \r\n"])
def test_helper_get(cloud, helper, server):
    answer = helper("get", stdin=server, environment=cloud.environment())
    assert json.loads(answer.out) == {"ServerURL": server.strip(), "Username": "cr_temp_user",
                                      "Secret": cloud.cloud.issued[-1]}
    assert (answer.status, answer.err) == (0, "")


@pytest.mark.parametrize("server",
                         ["https://index.docker.io/v1/", "docker.io", "localhost:5000", "hub.example.com", ANONYMOUS,
                          DEMO + " junk", DEMO + "\njunk", DEMO + "\0evil", "http://" + DEMO, "evil@" + DEMO,
                          "x" * 3000, "ftp://a", "\u00e4.cr.aliyuncs.com"])
def test_helper_lets_clients_go_on_without_us_and_without_the_network(cloud, helper, server):
    answer = helper("get", stdin=server, environment=cloud.environment())
    assert (answer.status, answer.out, answer.err) == (1, NOT_FOUND, "")
    assert cloud.log() == []


def test_helper_serves_hosts_of_alibaba_whose_name_says_no_more_than_that(cloud, helper):
    cloud.fault("registry", status=401,
                headers={"WWW-Authenticate": 'Bearer service="registry.aliyuncs.com:cn-hangzhou:china"'})
    answer = helper("get", stdin="registry.cn-hangzhou.cr.aliyuncs.com", environment=cloud.environment())
    assert json.loads(answer.out)["Secret"] == cloud.cloud.issued[-1]


def test_helper_never_turns_an_outage_into_an_anonymous_pull(cloud, helper):
    cloud.cloud.permissions = set()
    answer = helper("get", stdin=DEMO, environment=cloud.environment())
    assert answer.status == 1 and "NoPermission" in answer.out and NOT_FOUND not in answer.out
    assert answer.out.count("\n") == 1 and answer.err == ""
    answer = helper("get", stdin=DEMO, environment={"ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"})
    assert answer.status == 1 and "no identity found" in answer.out


@pytest.mark.parametrize("service, fault, words", [
    pytest.param("acr", {"status": 503}, "HTTP status 503", marks=pytest.mark.slow),
    pytest.param("acr", {"code": "ServiceUnavailable"}, "ServiceUnavailable", marks=pytest.mark.slow),
    ("acr", {"stall": True}, "no answer in time"), ("acr", {"garbage": True}, "not an HTTP answer"),
    ("metadata", {"status": 503}, "ECS metadata service"),
    pytest.param("metadata", {"stall": True}, "ECS metadata service", marks=pytest.mark.slow),
    pytest.param("proxy", {"stall": True}, " time", marks=pytest.mark.slow),
    ("tls", {"reset": True}, "connection failed"),
])
def test_helper_says_in_time_what_is_out_of_order(cloud, helper, tmp_path, service, fault, words):
    deadline_s = SHORT_S if "stall" in fault else DEADLINE_S
    path = write(tmp_path / "config.json", {"cache": {"enabled": False}, "deadlineSeconds": deadline_s})
    cloud.fault(service, **fault)
    answer = helper("get", stdin=DEMO, environment={**cloud.environment(), "ACR_CREDENTIAL_PROVIDER_CONFIG": path})
    assert answer.status == 1 and words in answer.out and NOT_FOUND not in answer.out
    assert (answer.out.count("\n"), answer.err) == (1, "") and re.search(r"\. [A-Z][^.]{10}", answer.out)
    assert answer.seconds < deadline_s + (20 if WRAPPER else 5)


@pytest.mark.parametrize("stdin, out", [("", "no credentials server URL\n"), (" \n", "no credentials server URL\n"),
                                        ("x" * 70000,
                                         "more than 65536 bytes. Write the URL of a registry on standard input, "
                                         "and close it\n")])
def test_helper_without_a_server(helper, stdin, out):
    answer = helper("get", stdin=stdin)
    assert (answer.status, answer.out) == (1, out)


@pytest.mark.parametrize("action, stdin, out", [
    ("store", "x" * 100000, ""), ("store", json.dumps({"ServerURL": DEMO, "Username": "u", "Secret": "s"}), ""),
    ("erase", DEMO, ""), ("list", "unused", "{}\n"),
])
def test_helper_keeps_nothing(cloud, helper, action, stdin, out):
    """Nor does it ask anybody, or read its configuration: a client shall be able to log out of a broken node."""
    answer = helper(action, stdin=stdin,
                    environment={**cloud.environment(), "ACR_CREDENTIAL_PROVIDER_CONFIG": "/nonexistent"})
    assert (answer.status, answer.out, answer.err) == (0, out, "") and cloud.log() == []


def test_helper_version_and_usage(cloud, helper):
    for word in ("version", "--version", "-v"):
        answer = helper(word, environment={**cloud.environment(), "ACR_CREDENTIAL_PROVIDER_CONFIG": "/nonexistent"})
        assert re.fullmatch(r"docker-credential-aliyun-acr \(aliyun-acr-credential-provider\) \d+\.\d+\.\d+\n",
                            answer.out)
        assert (answer.status, answer.err, cloud.log()) == (0, "", [])
    assert helper("--help").status == 0 and "credHelpers" in helper("-h").out
    for arguments in ((), ("get", "list"), ("frobnicate",), ("--config", "x")):
        answer = helper(*arguments)
        assert answer.status == 1 and answer.out.startswith("usage: docker-credential-aliyun-acr ") and answer.err == ""


@pytest.mark.parametrize("arguments", [["get"], [], ["get-credentials"]])
def test_helper_says_to_a_kubelet_that_it_is_none(cloud, helper, arguments):
    """The kubelet shows stderr alone."""
    answer = helper(*arguments, stdin="\n " + request(DEMO), environment=cloud.environment())
    assert answer.status == 1 and answer.err == "aliyun-acr-credential-provider: " + answer.out
    assert re.fullmatch("the kubelet's CredentialProviderRequest .*, name aliyun-acr-credential-provider instead, .*\n",
                        answer.out)
    assert cloud.log() == []


def test_helper_takes_other_json_for_a_server(helper):
    for stdin in ('{"kind": "Other"}', "CredentialProviderRequest"):
        answer = helper("get", stdin=stdin)
        assert (answer.status, answer.out, answer.err) == (1, NOT_FOUND, "")


def test_another_name_stays_the_provider(tmp_path):
    link = tmp_path / "aliyun-acr-for-pods"
    os.symlink(PROGRAM, link)
    done = subprocess.run([link, "version"], capture_output=True, text=True, check=True, env={})
    assert done.stdout.startswith("aliyun-acr-credential-provider ")
