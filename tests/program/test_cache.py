"""What processes of a node share: one token, one who asks for it, and nothing that is not safely ours."""

import json
import os
import shutil
import stat
import time

import cache_records as records
import pytest
from cache_records import SHORT_LIFE_S
from emulated_node import IMAGE, finish, release
from identity_fixtures import ACCESS_KEY, CLAIMS, POD_ROLE, PROVIDER, PULLER
from program_run import (DEADLINE_S, DEMO, SHORT_S, WRAPPER, Emulator, assert_failed, request, run, seconds,
                         skip_where_permitted, wait_until)

ROLE = {"roleArn": PULLER}


def test_second_run_asks_nobody(node):
    first = node.password()
    asked = len(node.cloud.log())
    answer = node.pull().answer
    assert answer["auth"][DEMO]["password"] == first and len(node.cloud.log()) == asked
    assert 2420 <= seconds(answer["cacheDuration"]) <= 2700


def test_directory_and_files_are_closed_to_others(node):
    node.password()
    assert stat.S_IMODE(node.directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in node.directory.iterdir()} == {0o600}
    # Nothing but the token is secret in it: neither AccessKey secret nor security token.
    text = "".join(path.read_text() for path in node.directory.iterdir())
    assert node.cloud.cloud.issued[-1] in text
    assert not any(part in text for key in node.cloud.cloud.keys.values() for part in (key["secret"], key["token"])
                   if part)


def test_hosts_of_one_instance_share_a_token(node):
    first = node.password()
    assert node.password("demo-registry-vpc.cn-hangzhou.cr.aliyuncs.com/b") == first
    assert list(node.pull(DEMO + ":443/b").auth) == [DEMO + ":443"]
    assert node.calls() == 1


@pytest.mark.parametrize("change", [
    {"image": "my-registry-registry.cn-hangzhou.cr.aliyuncs.com/a"}, {"image": "registry.cn-hangzhou.aliyuncs.com/a"},
    {"image": "hub.example.com/a"}, {"more": ACCESS_KEY},
    {"more": {"ALIBABA_CLOUD_ECS_METADATA": "KubernetesWorkerRole"}},
    {"config": {"identity": {"assumeRole": [ROLE]}}}, {"config": {"identity": {"roleName": "KubernetesWorkerRole"}}},
    {"config": {"endpoints": {"network": "public"}}}, {"config": {"endpoints": {"sts": "https://sts.example.com"}}},
    {"config": {"endpoints": {"acr": "https://cr.cn-hangzhou.aliyuncs.com"}}},
    {"config": {"registries": [{"match": [DEMO], "instanceId": "cri-demo567890abcdef"}]}},
])
def test_any_change_asks_anew(node, change):
    first = node.password()
    calls = node.calls()
    assert node.password(**change) != first and node.calls() > calls
    assert node.password() == first  # which still serves whom it was made for


def test_secret_of_the_same_key_is_part_of_the_identity(node):
    node.password(more=ACCESS_KEY)
    result = node.pull(more={**ACCESS_KEY, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "wrong"})
    assert_failed(result, 77, "SignatureDoesNotMatch")


def test_pods_share_nothing(node):
    config = {"podIdentity": {"oidcProviderArn": PROVIDER}}
    stdin = request(IMAGE, serviceAccountToken=node.cloud.cloud.mint(CLAIMS),
                    serviceAccountAnnotations={"acr.aliyun.com/role-arn": POD_ROLE})
    for _ in range(2):
        run(stdin, node.cloud.environment(), ["--cache-dir", str(node.directory)], config, node.tmp_path, True).answer
    assert node.calls() == 2 and not node.directory.exists()


def test_directory_in_one_that_does_not_exist_is_warned_of(cloud, tmp_path):
    result = run(request(IMAGE), cloud.environment(),
                 ["--log-level", "warning", "--cache-dir", str(tmp_path / "gone" / "cache")], with_cache=True)
    assert result.auth and "no cache: cannot make " in result.err


def test_anonymous_answers_touch_no_disk(node):
    assert node.pull("registry-cn-hangzhou.ack.aliyuncs.com/acs/pause").auth == {}
    assert not node.directory.exists()


@pytest.mark.parametrize("arguments, config", [(["--no-cache"], {}), ([], {"cache": {"enabled": False}})])
def test_cache_can_be_switched_off(node, arguments, config):
    node.pull(arguments=arguments, config=config).answer
    assert not node.directory.exists()


def test_directory_of_the_configuration(node):
    config = {"cache": {"directory": str(node.directory)}}
    node.pull(config=config, flags=()).answer
    assert len(node.files()) == 1


# -- freshness -------------------------------------------------------------------------------------------------


def test_token_is_renewed_while_it_is_still_good(node):
    node.cloud.cloud.token_life_s = SHORT_LIFE_S
    first = node.password(config={"refreshMarginSeconds": 0})
    # A margin above what is left means: less than half its life.
    assert node.password(config={"refreshMarginSeconds": 43200}) == first
    age(node, 110)
    assert node.password(config={"refreshMarginSeconds": 20}) == first
    assert node.password(config={"refreshMarginSeconds": 43200}) != first


def test_kubelet_that_comes_back_finds_the_token_renewed(node):
    """It was told 90 to 100 seconds, and comes back when 110 or less are left."""
    node.cloud.cloud.token_life_s = SHORT_LIFE_S
    first = node.password()
    age(node, 80)
    assert node.password() == first
    age(node, 10)
    assert node.password() != first


def test_durations_differ(node):
    assert len({node.pull().answer["cacheDuration"] for _ in range(12)}) > 1


def age(node, by_s):
    records.age(node.directory, by_s)


def rewrite(node, change):
    records.rewrite(node.directory, change)


LORIS = {"drip": {"bytes": 1, "interval_ms": 200}}
HANG_S = 60  # far beyond any deadline here, however slow the machine


@pytest.mark.slow
def test_slow_loris_metadata_service(node):
    """It answers everybody, a byte at a time: nobody waits beyond the deadline, and all is well once it is gone."""
    node.cloud.fault("metadata", **LORIS)
    started = time.monotonic()
    crowd = [node.start(deadline_s=DEADLINE_S) for _ in range(30 if not WRAPPER else 5)]
    for status, out, err in finish(crowd):
        assert (status, out, err.count("\n")) == (75, "", 1)
        # On a machine that is too slow for its own deadlines the watchdog has the last word.
        assert "metadata" in err or "timed out" in err
    assert time.monotonic() - started < HANG_S
    node.cloud.heal()
    assert node.password() in node.cloud.cloud.issued


@pytest.mark.slow
def test_slow_loris_metadata_service_is_bridged_by_a_token_that_is_still_good(node):
    node.cloud.cloud.token_life_s = SHORT_LIFE_S
    first = node.password()
    age(node, 110)
    node.cloud.fault("metadata", **LORIS)
    assert node.password() == first


def test_refusal_is_not_bridged(node):
    node.cloud.cloud.token_life_s = SHORT_LIFE_S
    node.password()
    node.cloud.cloud.permissions = set()
    node.pull().answer  # fresh enough: nobody is asked
    age(node, 110)
    assert_failed(node.pull(), 77, "NoPermission")


@pytest.mark.parametrize("change", [
    {"madeAtMs": 2**50}, {"bootId": "another"}, {"lifeSeconds": 0}, {"version": 2}, {"key": "0" * 64}, {"values": []},
    {"values": ["u", "p", "", "x"]}, {"values": ["u", ""]}, {"values": ["u" * 300, "p"]}, {"lifeSeconds": "3600"},
])
def test_records_that_cannot_be_are_replaced(node, change):
    first = node.password()
    rewrite(node, lambda record: record.update(change))
    second = node.password()
    assert second != first and node.password() == second


# -- files that are not safely ours ----------------------------------------------------------------------------


def overwrite(path, content):
    path.write_bytes(content)


SPOIL = {
    "empty": lambda path, _: overwrite(path, b""),
    "half": lambda path, _: overwrite(path, path.read_bytes()[:-40]),
    "changed": lambda path, _: overwrite(path, path.read_bytes().replace(b"reg-", b"geg-")),
    "garbage": lambda path, _: overwrite(path, os.urandom(500)),
    "huge": lambda path, _: overwrite(path, b"x" * 100000),
    "readable": lambda path, _: path.chmod(0o640),
    "writable": lambda path, _: path.chmod(0o602),
    "symlink": lambda path, tmp: (shutil.move(path, tmp / "real"), path.symlink_to(tmp / "real")),
    "dangling": lambda path, tmp: (path.unlink(), path.symlink_to(tmp / "nowhere")),
    "hard-link": lambda path, tmp: os.link(path, tmp / "other"),
    "fifo": lambda path, _: (path.unlink(), os.mkfifo(path, 0o600)),
    "foreign": lambda path, _: os.chown(path, 12345, 12345),
}


@pytest.mark.parametrize("how", SPOIL)
def test_file_that_is_not_safely_ours_is_replaced(node, how):
    first = node.password()
    (path,) = node.files()
    if how == "foreign" and os.geteuid() != 0:
        skip_where_permitted("giving a file away needs root")
    SPOIL[how](path, node.tmp_path)
    second = node.password()
    assert second != first
    (path,) = node.files()
    assert not path.is_symlink() and path.stat().st_nlink == 1 and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert node.password() == second
    assert not (node.tmp_path / "nowhere").exists()


DIRECTORIES = {
    "open to others": lambda node: node.directory.mkdir(0o755),
    "a file": lambda node: node.directory.write_text("x"),
    "a symbolic link": lambda node: ((node.tmp_path / "real").mkdir(0o700),
                                     node.directory.symlink_to(node.tmp_path / "real")),
    "of somebody else": lambda node: (node.directory.mkdir(0o700), os.chown(node.directory, 12345, 12345)),
    "a symbolic link with slashes": lambda node: ((node.tmp_path / "real").mkdir(0o700),
                                                  node.directory.symlink_to(node.tmp_path / "real"),
                                                  setattr(node, "directory", f"{node.directory}//")),
    "nowhere": lambda node: setattr(node, "directory", node.directory / "a" / "b"),
}


@pytest.mark.parametrize("how", DIRECTORIES)
def test_directory_that_cannot_be_used_only_costs_speed(node, how):
    if how == "of somebody else" and os.geteuid() != 0:
        skip_where_permitted("giving a directory away needs root")
    DIRECTORIES[how](node)
    started = time.monotonic()
    assert node.password() != node.password()
    assert time.monotonic() - started < 2 * DEADLINE_S


def test_only_leftovers_of_our_own_are_swept_away(node):
    """Somebody may name a directory with files of others."""
    old, young, long, short = 90000, 600, "0123456789abcdef" * 4, "0123456789abcdef"
    swept = {"new-" + long: young, "token-" + long: old, "lock-" + long: old}
    kept = {"backup-" + long: old, "new-" + long[::-1]: 0, "new-" + short: old, "token-" + long[::-1]: young,
            "precious": old, "new-ideas": old, "id-" + long[1:]: old,
            "token-" + long.upper(): old, "x" + short: old, "new-" + long + ".txt": old}
    node.directory.mkdir(0o700)
    for name, age_s in {**swept, **kept}.items():
        (node.directory / name).write_text("")
        os.utime(node.directory / name, (time.time() - age_s,) * 2)
    node.password()
    names = {path.name for path in node.directory.iterdir()}
    assert names >= set(kept) and not names & set(swept)


# -- many at once ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_storm_of_a_hundred_asks_once(node):
    node.cloud.fault("acr", "GetAuthorizationToken", delay_ms=300)
    crowd = [node.start(deadline_s=120, held=True) for _ in range(100 if not WRAPPER else 10)]
    for process in crowd:
        release(process)
    answers = [json.loads(out)["auth"][DEMO]["password"] for status, out, err in finish(crowd)
               if status == 0 or pytest.fail(err)]
    assert len(set(answers)) == 1 and node.tokens_asked() == 1
    assert node.cloud.operations("metadata").count("credentials") == 1


def test_leader_that_is_killed_costs_one_more_call(node):
    """Its call is never answered, so that it is under way when the others come, however late that is."""
    node.cloud.fault("acr", "GetAuthorizationToken", stall=True)
    leader = node.start(deadline_s=120)
    others = [node.start(deadline_s=120, held=True) for _ in range(20 if not WRAPPER else 5)]
    wait_until(lambda: node.tokens_asked() > 0)
    for process in others:
        release(process)
    time.sleep(0.3)  # lets them come to the lock; who comes later finds the same
    asked = node.tokens_asked()
    node.cloud.heal()
    leader.kill()
    leader.communicate()
    answers = {json.loads(out)["auth"][DEMO]["password"] for status, out, err in finish(others) if status == 0
               or pytest.fail(err)}
    assert len(answers) == 1 and node.tokens_asked() == asked + 1


def test_waiters_give_up_in_time_to_ask_by_themselves(node):
    node.cloud.fault("acr", "GetAuthorizationToken", times=1, stall=True)
    leader = node.start(deadline_s=60)
    wait_until(lambda: node.calls() > 0)
    waiter = node.pull(deadline_s=SHORT_S)
    leader.kill()
    leader.communicate()
    assert waiter.answer and SHORT_S / 2 - 0.5 < waiter.seconds  # the deadline itself is the upper bound


# -- what a renewal need not ask again -------------------------------------------------------------------------


def renew(node):
    """The token's time is over, the rest is remembered; what the run asked."""
    for path in node.files():
        path.unlink()
    before = len(node.cloud.log())
    node.password()
    return [(entry["service"], entry["operation"]) for entry in node.cloud.log()[before:]
            if entry["service"] != "proxy"]


def test_renewal_asks_for_credentials_and_token_only(node):
    node.password()
    assert renew(node) == [("metadata", "credentials"), ("acr", "GetAuthorizationToken")]


def test_metadata_session_that_has_ended(node):
    node.password()
    node.cloud.cloud._metadata_tokens.clear()
    assert [operation for service, operation in renew(node) if service == "metadata"] == ["credentials", "token",
                                                                                          "credentials"]
    assert renew(node) == [("metadata", "credentials"), ("acr", "GetAuthorizationToken")]


def test_role_that_was_replaced_is_found_again(node):
    node.password()
    node.cloud.cloud.role = "AnotherRole"
    asked = renew(node)
    assert ("metadata", "role") in asked
    assert renew(node) == [("metadata", "credentials"), ("acr", "GetAuthorizationToken")]


def test_instance_that_was_made_anew_is_looked_up_again(node):
    node.password()
    demo = next(i for i in node.cloud.cloud.instances if i["InstanceName"] == "demo")
    demo["InstanceId"] = "cri-anotherone000000"
    assert ("registry", "challenge") in renew(node)
    assert "InstanceId=cri-anotherone000000" in node.cloud.log("acr")[-1]["path"]
    assert ("registry", "challenge") not in renew(node)


def test_instance_that_is_no_more_is_an_error(node):
    node.password()
    node.cloud.fault("acr", "GetAuthorizationToken", code="INSTANCE_NOT_EXIST")
    for path in node.files():
        path.unlink()
    assert_failed(node.pull(), 77, "INSTANCE_NOT_EXIST")


def test_other_metadata_service_is_asked_anew(node):
    node.password()
    with Emulator() as other:
        more = {"ALIBABA_CLOUD_IMDS_ENDPOINT": other.metadata}
        assert node.pull(more=more).status == 77  # its credentials are not of this cloud
        assert "token" in other.operations("metadata") and "role" in other.operations("metadata")
