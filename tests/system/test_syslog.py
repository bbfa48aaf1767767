"""log.destination: what reaches syslog, in a mount namespace with a /dev/log of the test's own."""

import contextlib
import os
import re
import socket
import subprocess
import tempfile

import pytest
from identity_fixtures import write
from program_run import DEMO, PROGRAM, WRAPPER, assert_failed, call, pull, request, run, skip_where_permitted

pytestmark = pytest.mark.skipif(bool(WRAPPER), reason="the wrapper needs more of /dev")

ERROR, INFO = 3 << 3 | 3, 3 << 3 | 6  # the facility daemon, and the severity (RFC 5424, section 6.2.1)
LINE = re.compile(
    r"<(\d+)>(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d )?aliyun-acr-credential-provider\[\d+\]: (.*?)\n?\0?",
    re.DOTALL)
TO_SYSLOG = ["--log-to", "syslog", "--log-level", "info"]


class Syslog:
    """A socket in place of /dev/log for whoever is started with `prefix`."""

    def __init__(self, directory):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.path = os.path.join(directory, "log")
        self.socket.bind(self.path)
        self.prefix = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /dev && exec "$@"', directory]

    def lines(self):
        """(priority, message) of each line since the last call."""
        found = []
        with contextlib.suppress(BlockingIOError):
            while True:
                priority, message = LINE.fullmatch(self.socket.recv(65536).decode()).groups()
                found.append((int(priority), message))
        return found

    def fill(self):
        """Until who writes to it would wait for a reader that never comes."""
        written = None
        while written != 0:  # one writer may be stopped by its own buffer before
            written = 0
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as writer, \
                    contextlib.suppress(BlockingIOError):
                while True:
                    written += writer.sendto(b"x", self.path)


@pytest.fixture
def syslog():
    with tempfile.TemporaryDirectory(prefix="acr-dev-") as directory:
        made = Syslog(directory)
        if os.geteuid() != 0 or subprocess.run([*made.prefix, "true"], capture_output=True, check=False).returncode:
            skip_where_permitted("mounting needs root")
        yield made
        made.socket.close()


def test_nothing_is_sent_unless_chosen(cloud, syslog):
    pull(cloud, DEMO + "/a", prefix=syslog.prefix, arguments=["--log-level", "debug"]).answer
    assert_failed(run("{}", prefix=syslog.prefix), 65)
    assert syslog.lines() == []


def test_error_goes_to_both(cloud, syslog):
    cloud.cloud.permissions = set()
    result = pull(cloud, DEMO + "/a", prefix=syslog.prefix, arguments=["--log-to", "syslog"])
    assert_failed(result, 77, "NoPermission")
    assert syslog.lines() == [(ERROR, result.err[len("aliyun-acr-credential-provider: "):-1])]


RUN = re.compile(
    r'host=(\S+) identity="([^"]+)" source=(\w+) duration_ms=\d+(?: request_id=([0-9A-F-]+))? status=(\d+)')


def test_one_line_for_each_run(node, syslog):
    for source in ("api", "cache"):
        assert node.pull(prefix=syslog.prefix, arguments=TO_SYSLOG).auth
        ((priority, message),) = syslog.lines()
        host, identity, *rest = RUN.fullmatch(message).groups()
        assert (priority, host, rest[0], rest[2]) == (INFO, DEMO, source, "0") and rest[1]
        assert "RAM role" in identity
    node.cloud.cloud.permissions = set()
    result = node.pull(prefix=syslog.prefix, arguments=[*TO_SYSLOG, "--no-cache"])
    (first, error), (second, message) = syslog.lines()
    assert (first, second) == (ERROR, INFO) and error in result.err
    host, _, source, request_id, status = RUN.fullmatch(message).groups()
    assert (host, source, status) == (DEMO, "none", "77") and "RequestId " + request_id in result.err


def test_runs_of_the_docker_credential_helper(cloud, syslog, tmp_path):
    """Of which a host that is not ours is no error."""
    link = tmp_path / "docker-credential-aliyun-acr"
    link.symlink_to(PROGRAM)
    config = write(tmp_path / "config.json",
                   {"cache": {"enabled": False}, "log": {"level": "info", "destination": "syslog"}})
    environment = {**cloud.environment(), "ACR_CREDENTIAL_PROVIDER_CONFIG": config}
    for stdin, priorities, line in ((DEMO, [INFO], f"host={DEMO} .* status=0"),
                                    ("docker.io", [INFO], "source=none .* status=1")):
        result = call("get", program=str(link), stdin=stdin, environment=environment, prefix=syslog.prefix)
        lines = syslog.lines()
        assert result.err == "" and [priority for priority, _ in lines] == priorities
        assert re.fullmatch(line, lines[-1][1])
    cloud.cloud.permissions = set()
    result = call("get", program=str(link), stdin=DEMO, environment=environment, prefix=syslog.prefix)
    lines = syslog.lines()
    assert [priority for priority, _ in lines] == [ERROR, INFO] and result.out == lines[0][1] + "\n"


def test_full_syslog_costs_seconds_but_no_answer(cloud, syslog):
    """Its socket is never read: the answer comes first, and who logs is not waited for until the deadline."""
    syslog.fill()
    result = pull(cloud, DEMO + "/a", prefix=syslog.prefix, arguments=TO_SYSLOG)
    assert result.auth and result.err == "" and 4 < result.seconds < 15


def test_full_syslog_hides_no_error(cloud, syslog):
    cloud.cloud.permissions = set()
    syslog.fill()
    assert_failed(pull(cloud, DEMO + "/a", prefix=syslog.prefix, arguments=["--log-to", "syslog"]), 77, "NoPermission")


def test_error_of_a_configuration_that_cannot_be_read_goes_where_the_flags_say(syslog):
    result = run(request(DEMO), arguments=["--log-to=syslog", "--config", "/none"], prefix=syslog.prefix)
    assert_failed(result, 78, "/none: there is no such file")
    assert [priority for priority, _ in syslog.lines()] == [ERROR]


def test_run_without_a_syslog_succeeds(cloud):
    """In a namespace whose /dev is empty; elsewhere there may be one."""
    with tempfile.TemporaryDirectory(prefix="acr-dev-") as directory:
        prefix = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /dev && exec "$@"', directory]
        if os.geteuid() != 0 or subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
            skip_where_permitted("mounting needs root")
        result = pull(cloud, DEMO + "/a", prefix=prefix, arguments=["--log-to", "syslog", "--log-level", "debug"])
    assert result.auth and result.err == ""
