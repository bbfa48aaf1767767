"""`doctor` and real processes, in a PID namespace of their own: which of them it asks, and whose word it takes."""

import json
import os
import pathlib
import shlex
import shutil
import subprocess
import tempfile

import pytest
from doctor_run import Report
from identity_fixtures import KEY, SECRET
from made_up_node import BIN_FLAG, CONFIG_FLAG, PROVIDER, configuration
from program_run import DEADLINE_S, DEMO, PROGRAM, WRAPPER, Result, assert_quiet, skip_where_permitted

IMAGE = DEMO + "/team/app"
# With --version it leaves a mark behind, so that a test can see that it was run.
KUBELET = r"""
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        if (open(MARK, O_CREAT | O_WRONLY, 0666) < 0)
            return 1;
        if (access(HANG, F_OK) == 0)
            pause();
        puts("Kubernetes v1.34.4");
        return 0;
    }
    puts("ready");
    fflush(stdout);
    for (;;)
        pause();
}
"""


class Place:
    """A folder that all users may enter: the program, its configuration for the kubelet, and a kubelet."""

    def __init__(self, folder, cloud):
        self.folder, self.cloud = folder, cloud
        self.mark, self.hang = folder / "marks" / "mark", folder / "hang"
        self.config = folder / "etc" / "config.json"
        for name in ("marks", "bin", "etc"):
            (folder / name).mkdir()
        (folder / "marks").chmod(0o777)
        shutil.copy(PROGRAM, folder / "bin" / PROVIDER)
        shutil.copy(cloud.ca, folder / "ca.pem")
        os.mkfifo(folder / "ready")
        self.write(configuration())
        (folder / "kubelet.c").write_text(KUBELET)
        subprocess.run(["cc", f'-DMARK="{self.mark}"', f'-DHANG="{self.hang}"', "-static", "-o", folder / "kubelet",
                        folder / "kubelet.c"], check=True)

    def write(self, document):
        self.config.write_text(json.dumps(document))
        self.config.chmod(0o644)

    def kubelet(self, before="", environment=None):
        """Shell commands that start a kubelet, and wait for it."""
        variables = {**self.cloud.environment(), "SSL_CERT_FILE": str(self.folder / "ca.pem"), **(environment or {})}
        ready = shlex.quote(str(self.folder / "ready"))
        words = ["env", "-i", *(f"{name}={value}" for name, value in variables.items()), str(self.folder / "kubelet"),
                 f"{CONFIG_FLAG}={self.config}", f"{BIN_FLAG}={self.folder}/bin"]
        return f"{before} {shlex.join(words)} >{ready} & read line <{ready}\n"

    def doctor(self, script, *arguments, before=()):
        words = [*before, *WRAPPER, str(self.folder / "bin" / PROVIDER), "doctor", "--output", "json", "--cache-dir",
                 str(self.folder / "cache"), "--deadline", str(DEADLINE_S)]
        done = subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", "sh", "-c",
                               script + shlex.join(words) + " " + " ".join(arguments)],
                              capture_output=True, text=True, check=False,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/nonexistent"})
        if "unshare" in done.stderr:
            skip_where_permitted("namespaces are not allowed here: " + done.stderr)
        return Report(Result(done))


@pytest.fixture
def place(cloud):
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        skip_where_permitted("processes of other users and namespaces need root and setpriv")
    with tempfile.TemporaryDirectory(prefix="acr-doctor-") as folder:
        os.chmod(folder, 0o755)
        yield Place(pathlib.Path(folder), cloud)


def test_kubelet_of_this_node(place):
    """Its version is asked for, and its environment is that of this program: here alone are proxy and certificates."""
    keys = place.folder / "keys"
    report = place.doctor(place.kubelet(environment={"SSLKEYLOGFILE": str(keys)}), IMAGE)
    report.has("kubelet.process", "ok", "kubelet v1.34.4 runs as process ", " since 2")
    report.has("program.environment", "ok", "uses the kubelet's environment")
    report.has("network.proxy", "ok", "HTTPS_PROXY names a proxy at " + place.cloud.proxy)
    report.has("login.pull", "ok", "may pull team/app")
    assert report.healthy and not report.of_status("warning")
    assert place.mark.exists() and not keys.exists()


def test_variables_of_the_kubelet_are_secrets(place):
    report = place.doctor(place.kubelet(environment={"ALIBABA_CLOUD_ACCESS_KEY_ID": KEY,
                                                     "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET}), IMAGE)
    report.has("identity.credentials", "ok", "the AccessKey in ALIBABA_CLOUD_ACCESS_KEY_ID")
    assert_quiet(report.result.out, [SECRET])


def test_variables_of_an_entry_count_more(place):
    place.write({**configuration(), "providers": [{**configuration()["providers"][0], "env": [
        {"name": "HTTPS_PROXY", "value": "http://127.0.0.1:1"}]}]})
    report = place.doctor(place.kubelet())
    report.has("program.environment", "ok", "uses the kubelet's environment, with the env of its entry: ")
    report = place.doctor(place.kubelet(), "--deadline", "1", DEMO)
    report.has("network.proxy", "ok", "a proxy at http://127.0.0.1:1")


@pytest.mark.parametrize("ids", ["--reuid=65534 --regid=65534 --clear-groups", "--ruid=65534"])
def test_kubelet_of_another_user(place, ids):
    """Whoever calls a program so must not make root run it; nor one that runs as root for a user who has started it."""
    as_nobody = f"chmod 777 {place.folder}/ready; setpriv {ids}"
    report = place.doctor(place.kubelet(as_nobody))
    report.has("kubelet.process", "skipped", "no kubelet runs here")
    report.has("program.environment", "ok", "uses this command's environment")
    assert not place.mark.exists()


def test_kubelet_that_hides(place):
    """A process that may not be dumped has files of root in /proc, whoever runs it."""
    as_nobody = f"chmod 777 {place.folder}/ready; setpriv --reuid=65534 --regid=65534 --clear-groups"
    hidden = place.folder / "kubelet"
    hidden.chmod(0o711)  # what cannot be read cannot be dumped
    report = place.doctor(place.kubelet(as_nobody))
    report.has("kubelet.process", "skipped", "no kubelet runs here")
    assert not place.mark.exists()


def in_a_container(place):
    """A kubelet in a mount namespace of its own, in which alone its configuration is to be seen."""
    inner = f'mount -t tmpfs none {place.folder}/etc && cp {place.folder}/copy {place.config} && exec "$@"'
    shutil.move(place.config, place.folder / "copy")
    return place.kubelet(f"unshare --mount sh -c {shlex.quote(inner)} inner")


def test_kubelet_in_a_container(place):
    """It belongs to root there too, but neither its program nor its environment may be what root here uses."""
    report = place.doctor(in_a_container(place))
    report.has("kubelet.process", "ok", "kubelet runs as process ")
    report.has("kubelet.version", "skipped", "--kubelet VERSION")
    report.has("kubelet.container", "warning", "another mount namespace")
    report.has("program.environment", "skipped", "since the kubelet's cannot be seen")
    assert report.of("kubelet.configuration") == [] and not place.mark.exists()


def test_files_of_a_container(place):
    report = place.doctor(in_a_container(place), "--host-root", "/proc/$(pgrep -x kubelet)/root")
    report.has("kubelet.configuration", "ok", f"{place.config}: 1 provider")
    assert report.of("kubelet.container") == [] and not place.mark.exists()
    report.has("program.environment", "skipped", "uses this command's environment")


def test_kubelet_of_this_node_rather_than_one_in_a_container(place):
    report = place.doctor(place.kubelet() + "first=$(pgrep -x kubelet)\n" + place.kubelet("unshare --mount"))
    assert report.of("kubelet.container") == []
    report.has("program.environment", "ok", "uses the kubelet's environment")


def test_user_who_is_not_root(place):
    report = place.doctor(place.kubelet(), before=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
    report.has("kubelet.process", "ok", "kubelet runs as process ")
    report.has("kubelet.version", "skipped", "Run doctor as root")
    report.has("program.environment", "skipped", "the kubelet's cannot be seen", "Run doctor as root")
    assert not place.mark.exists()


def test_version_that_never_comes(place):
    place.hang.touch()
    report = place.doctor(place.kubelet())
    report.has("kubelet.version", "skipped")
    assert place.mark.exists()
