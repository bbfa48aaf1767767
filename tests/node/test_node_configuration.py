"""The kubelet's configuration, where there was one before."""

import os
import time

import yaml
from node import CONFIG, DEMO, PROVIDER, PUBLIC, write

OTHER = "/usr/local/bin/other-credential-provider"
# Another provider: it leaves a mark where it has run, and offers a log-in that its registry does not ask for.
OTHER_PROGRAM = """#!/bin/sh
touch /run/other-was-run
echo '{"kind":"CredentialProviderResponse","apiVersion":"credentialprovider.kubelet.k8s.io/v1",
"cacheKeyType":"Registry","cacheDuration":"10m","auth":{"%s":{"username":"a","password":"b"}}}'
""" % PUBLIC
OTHER_FILE = f"""\
apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
- name: other-credential-provider  # stays as it is
  apiVersion: credentialprovider.kubelet.k8s.io/v1
  defaultCacheDuration: 1m
  matchImages: ["{PUBLIC}"]
"""


def other_provider():
    write(OTHER, OTHER_PROGRAM, 0o755)


def both_run(node, name):
    node.pod(name + "-ours", f"{DEMO}/{name}/ours:v1")
    node.pod(name + "-other", f"{PUBLIC}/{name}/other:v1")
    node.wait_running(name + "-ours", name + "-other")
    assert os.path.exists("/run/other-was-run") and node.calls() == ["GetAuthorizationToken"]
    status, said = node.doctor(f"{DEMO}/{name}/ours:v1")
    assert status == 0, said


def test_directory(node):
    """A directory of configurations, beside another provider"""
    other_provider()
    folder = "/etc/kubernetes/credential-providers.d"
    write(folder + "/10-other.yaml", OTHER_FILE)
    done = node.run(PROVIDER, "config", "--install", folder, "--bin-dir", "/usr/local/bin")
    assert done.returncode == 0, done.stderr
    node.start_kubelet(config=folder)
    both_run(node, "directory")


def test_install_beside_another(node):
    """config --install on a node that has another provider already"""
    other_provider()
    write(CONFIG, OTHER_FILE)
    node.start_kubelet()
    node.pod("other-first", f"{PUBLIC}/install/first:v1")
    node.pod("ours-first", f"{DEMO}/install/ours:v1")
    node.wait_running("other-first")
    node.wait_refused("ours-first")
    status, said = node.doctor(f"{DEMO}/install/ours:v1")
    assert status == 1 and "none of the providers is this program" in said, said
    time.sleep(3)  # doctor knows to two seconds when the kubelet was started
    done = node.run(PROVIDER, "config", "--install", CONFIG, "--bin-dir", "/usr/local/bin")
    assert done.returncode == 0, done.stderr
    with open(CONFIG, encoding="utf-8") as file:
        text = file.read()
    assert text.startswith(OTHER_FILE) and len(yaml.safe_load(text)["providers"]) == 2
    status, said = node.doctor(f"{DEMO}/install/ours:v1")
    assert status == 1 and "was changed after the kubelet started" in said, said
    node.forget_calls()
    node.restart_kubelet()
    node.wait_running("ours-first")
    both_run(node, "install")


def test_removed(node):
    """config --remove: the kubelet starts without the program, and pulls nothing by it"""
    other_provider()
    write(CONFIG, OTHER_FILE)
    for action in "--install", "--remove":
        done = node.run(PROVIDER, "config", action, CONFIG)
        assert done.returncode == 0, done.stderr
    with open(CONFIG, encoding="utf-8") as file:
        assert file.read() == OTHER_FILE
    node.start_kubelet()
    node.pod("removed", f"{DEMO}/removed/app:v1")
    node.wait_refused("removed")
    assert node.calls() == []
