"""The Ansible role by ansible-core, against this machine with other folders, and the Packer file that uses it."""

import hashlib
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import threading

import go_program
import pytest
import yaml
from made_up_node import BIN, CONFIG, PROVIDER
from program_run import PROGRAM, ROOT, skip_where_permitted

DEPLOY = pathlib.Path(ROOT, "deploy")
PLAYBOOK = DEPLOY / "ansible" / "node.yml"
DEFAULTS = yaml.safe_load(next((DEPLOY / "ansible").glob("roles/*/defaults/main.yml")).read_text())
SHA256 = hashlib.sha256(pathlib.Path(PROGRAM).read_bytes()).hexdigest()


class Play:
    def __init__(self, folder):
        self.folder, self.called, self.inventory = folder, folder / "systemctl.called", "localhost,"
        self.bin, self.config = folder / "bin", folder / "etc" / "config.yaml"
        (folder / "stand-ins").mkdir()
        (folder / "stand-ins" / "systemctl").write_text(
            f'#!/bin/sh\necho "$*" >>{self.called}\n'
            '[ "$1" != show ] || printf "LoadState=loaded\\nActiveState=active\\n"\n')
        (folder / "stand-ins" / "systemctl").chmod(0o755)

    def run(self, *arguments, **variables):
        """The result, and how many tasks have changed something."""
        variables = {"ansible_become": False, "acr_provider_url": f"file://{PROGRAM}", "acr_provider_sha256": SHA256,
                     "acr_provider_bin_dir": str(self.bin), "acr_provider_config": str(self.config),
                     "acr_provider_healthz": "", **variables}
        done = subprocess.run(
            ["ansible-playbook", "-c", "local", "-i", self.inventory, PLAYBOOK, "-e", json.dumps(variables),
             *arguments],
            capture_output=True, text=True, check=False, env={
                "PATH": f"{self.folder}/stand-ins:{os.environ['PATH']}", "HOME": str(self.folder), "LC_ALL": "C.UTF-8",
                "ANSIBLE_GATHERING": "explicit"})
        return done, [int(count) for count in re.findall(r" changed=(\d+) ", done.stdout)]

    def restarts(self):
        lines = self.called.read_text().splitlines() if self.called.exists() else []
        return [line for line in lines if line.startswith("restart ")]


@pytest.fixture
def play(tmp_path):
    return Play(tmp_path) if shutil.which("ansible-playbook") else skip_where_permitted("ansible-core is not there")


def test_syntax(play):
    done, _ = play.run("--syntax-check")
    assert done.returncode == 0 and done.stderr == ""


def test_defaults_are_those_of_the_other_ways():
    assert (DEFAULTS["acr_provider_bin_dir"], DEFAULTS["acr_provider_config"]) == (BIN, CONFIG)
    assert DEFAULTS["acr_provider_restart"] == "" and DEFAULTS["acr_provider_matches"] == []


@pytest.mark.slow
def test_role(play):
    """Nothing is restarted but what is named, and only after a change."""
    done, changes = play.run(acr_provider_sha256="0" * 64)
    assert done.returncode != 0 and not (play.bin / PROVIDER).exists() and not play.config.exists()
    done, changes = play.run(acr_provider_matches=["hub.example.com", "*.example.org"])
    assert done.returncode == 0 and changes > [0], done.stdout
    assert (play.bin / PROVIDER).read_bytes() == pathlib.Path(PROGRAM).read_bytes() and os.access(
        play.bin / PROVIDER, os.X_OK)
    assert os.readlink(play.bin / "docker-credential-aliyun-acr") == PROVIDER
    provider, = yaml.safe_load(play.config.read_text())["providers"]
    assert (provider["name"], provider["matchImages"]) == (PROVIDER, ["hub.example.com", "*.example.org"])
    again = {"acr_provider_matches": provider["matchImages"], "acr_provider_restart": "kubelet"}
    done, changes = play.run(**again)
    assert (done.returncode, changes, play.restarts()) == (0, [0], [])
    play.config.unlink()
    done, changes = play.run(**again)
    assert done.returncode == 0 and play.restarts() == ["restart kubelet"], done.stdout


class Healthz(http.server.BaseHTTPRequestHandler):
    """Of a kubelet that is ready when it is asked a second time."""

    asked = 0

    def do_GET(self):
        type(self).asked += 1
        self.send_response(500 if self.asked == 1 else 200)
        self.end_headers()


@pytest.mark.slow
def test_kubelet_is_healthy_after_its_restart(play):
    assert DEFAULTS["acr_provider_healthz"] == "http://127.0.0.1:10248/healthz"
    with http.server.HTTPServer(("127.0.0.1", 0), Healthz) as server:
        variables = {"acr_provider_restart": "kubelet", "acr_provider_healthz_retries": 1,
                     "acr_provider_healthz": f"http://127.0.0.1:{server.server_port}/healthz"}
        threading.Thread(target=server.serve_forever).start()
        try:
            done, _ = play.run(**variables)
            assert done.returncode == 0 and Healthz.asked == 2, done.stdout
        finally:
            server.shutdown()
    play.config.unlink()
    done, _ = play.run(**variables)
    assert done.returncode != 0 and play.restarts() == ["restart kubelet"] * 2, done.stdout


@pytest.mark.slow
def test_a_failure_leaves_other_nodes_alone(play):
    """Of twenty nodes, all of which are this machine, the first fails, beside the second."""
    play.inventory = "".join(f"node{number}," for number in range(20))
    done, _ = play.run(acr_provider_sha256=f"{{{{ '{'0' * 64}' if inventory_hostname == 'node0' else '{SHA256}' }}}}")
    assert done.returncode != 0
    assert re.findall(r"^(\S+) +: ok=", done.stdout, re.M) == ["node0", "node1"], done.stdout


@pytest.mark.slow
def test_a_node_that_has_changed_is_restarted_where_another_fails(play):
    play.inventory = "node0,node1," + "".join(f"other{number}," for number in range(18))
    wrong = play.folder / "wrong.yaml"
    wrong.write_text("providers: 1\n")
    done, _ = play.run(acr_provider_restart="kubelet", acr_provider_config=(
        f"{{{{ '{wrong}' if inventory_hostname == 'node0' else '{play.config}' }}}}"))
    assert done.returncode != 0 and play.config.exists(), done.stdout
    assert play.restarts() == ["restart kubelet"] and "other0" not in done.stdout, done.stdout


@pytest.mark.slow
def test_packer_file():
    """By HashiCorp's library; each variable has its name as its value."""
    program = go_program.built(os.path.join(ROOT, "tests", "deploy", "terraform"), "./packer")
    done = subprocess.run([program, DEPLOY / "packer" / "node.pkr.hcl"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["source"].items() >= {name: name for name in ("region", "source_image", "instance_type")}.items()
    # What the plugins know, so far as it is used.
    assert said["source"].keys() <= {"region", "source_image", "instance_type", "image_name", "ssh_username",
                                     "associate_public_ip_address"}
    assert said["provisioner"].keys() == {"playbook_file", "use_proxy", "extra_arguments"}
    assert os.path.samefile(said["provisioner"]["playbook_file"], PLAYBOOK)
    flag, variables = said["provisioner"]["extra_arguments"]
    assert flag == "--extra-vars"
    assert json.loads(variables) == {f"acr_{name}": name for name in said["variables"] if name.startswith("provider_")}
    assert json.loads(variables).keys() - DEFAULTS.keys() == {"acr_provider_url", "acr_provider_sha256"}
