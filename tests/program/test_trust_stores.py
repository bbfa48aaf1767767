"""The trust stores of the distributions, each in a mount namespace in which nothing else is to be found."""

import os
import shlex
import subprocess

import pytest
from provider import DEMO, PROGRAM, Emulator, request

NAMESPACE = ["unshare", "--map-root-user", "--mount"]


def can_unshare():
    return subprocess.run([*NAMESPACE, "mount", "-t", "tmpfs", "none", "/etc"], capture_output=True,
                          check=False).returncode == 0


pytestmark = pytest.mark.skipif(not can_unshare(), reason="this machine allows no mount namespace")


def pull_with(cloud, place, command):
    """Runs with /etc and /var/lib empty but for what `command` puts at `place`."""
    script = (f"mount -t tmpfs none /etc && mount -t tmpfs none /var/lib && mkdir -p {os.path.dirname(place)} && "
              f"{command.format(ca=shlex.quote(cloud.ca), place=place)} && exec {shlex.quote(PROGRAM)} --no-cache")
    environment = {name: value for name, value in cloud.environment().items() if name != "SSL_CERT_FILE"}
    return subprocess.run([*NAMESPACE, "/bin/sh", "-c", script], input=request(DEMO + "/a"), text=True,
                          capture_output=True, timeout=60, check=False,
                          env={**environment, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})


@pytest.mark.parametrize("place", [
    "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/ca-bundle.pem",
    "/var/lib/ca-certificates/ca-bundle.pem", "/etc/ssl/cert.pem",
])
def test_bundles(place):
    with Emulator() as cloud:
        result = pull_with(cloud, place, "cp {ca} {place}")
        assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("directory", ["/etc/ssl/certs", "/etc/pki/ca-trust/extracted/pem/directory-hash"])
def test_hashed_directories(directory):
    with Emulator() as cloud:
        result = pull_with(cloud, directory + "/emulator.pem",
                           "cp {ca} {place} && openssl rehash " + directory)
        assert result.returncode == 0, result.stderr


def test_no_trust_store():
    with Emulator() as cloud:
        result = pull_with(cloud, "/etc/elsewhere/ca.pem", "cp {ca} {place}")
        assert result.returncode == 69 and "certificate" in result.stderr and result.stdout == ""
