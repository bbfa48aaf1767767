"""The trust stores of the distributions, each in a mount namespace in which nothing else is to be found."""

import base64
import os
import shlex
import ssl
import subprocess

import pytest
from program_run import DEMO, PROGRAM, Result, assert_failed, request, skip_where_permitted

NAMESPACE = ["unshare", "--map-root-user", "--mount"]


@pytest.fixture(autouse=True)
def _namespace():
    if subprocess.run([*NAMESPACE, "mount", "-t", "tmpfs", "none", "/etc"], capture_output=True,
                      check=False).returncode != 0:
        skip_where_permitted("this machine allows no mount namespace")


def pull_with(cloud, place, command, **more):
    """Runs with /etc and /var/lib empty but for what `command` puts at `place`."""
    script = (f"mount -t tmpfs none /etc && mount -t tmpfs none /var/lib && mkdir -p {os.path.dirname(place)} && "
              f"{command.format(ca=shlex.quote(cloud.ca), place=place)} && exec {shlex.quote(PROGRAM)} --no-cache")
    environment = {name: value for name, value in cloud.environment().items() if name != "SSL_CERT_FILE"}
    return Result(subprocess.run([*NAMESPACE, "/bin/sh", "-c", script], input=request(DEMO + "/a"), text=True,
                                 capture_output=True, timeout=60, check=False,
                                 env={**environment, "HOME": "/nonexistent", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                                      **more}))


BUNDLES = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
           "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/ca-bundle.pem",
           "/var/lib/ca-certificates/ca-bundle.pem", "/etc/ssl/cert.pem"]


@pytest.mark.parametrize("place", BUNDLES)
def test_bundles(cloud, place):
    assert pull_with(cloud, place, "cp {ca} {place}").auth


def frame(der, label="CERTIFICATE"):
    return f"-----BEGIN {label}-----\n{base64.encodebytes(der).decode()}-----END {label}-----\n"


@pytest.mark.parametrize("place", [BUNDLES[0], BUNDLES[-1]])
def test_bundle_is_searched_and_not_loaded(cloud, tmp_path, place):
    """What else is in it costs no time and does no harm: none of these could be loaded."""
    with open(cloud.ca, encoding="ascii") as file:
        der = ssl.PEM_cert_to_DER_cert(file.read())
    spoiled = [b"\x00", b"garbage", b"\x30\x82\xff\xff\x30", b"\x30\x80\x30\x80\x00\x00\x00\x00", der[:40], der[:-20],
               der[:len(der) // 2] + bytes(len(der) - len(der) // 2)]
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("# of a distribution\n" + "".join(map(frame, spoiled)) + frame(der, "TRUSTED CERTIFICATE") +
                      frame(der) +
                      frame(b"garbage"))
    assert pull_with(cloud, place, f"cp {shlex.quote(str(bundle))} {{place}}").auth
    bundle.write_text("".join(map(frame, spoiled)))
    assert_failed(pull_with(cloud, place, f"cp {shlex.quote(str(bundle))} {{place}}"), 69, "certificate",
                  "Update the node's CA certificates")


@pytest.mark.parametrize("directory", ["/etc/ssl/certs", "/etc/pki/ca-trust/extracted/pem/directory-hash"])
def test_hashed_directories(cloud, directory):
    assert pull_with(cloud, directory + "/emulator.pem", "cp {ca} {place} && openssl rehash " + directory).auth


def test_no_trust_store(cloud):
    assert_failed(pull_with(cloud, "/etc/elsewhere/ca.pem", "cp {ca} {place}"), 69, "certificate")


def test_variables_replace_the_store_of_the_system(cloud):
    for places in ("/nonexistent", "/nonexistent:" * 400):
        assert_failed(pull_with(cloud, BUNDLES[0], "cp {ca} {place}", SSL_CERT_DIR=places), 69, "certificate")
