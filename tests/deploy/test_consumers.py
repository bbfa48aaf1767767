"""OpenKruise and nydus-snapshotter, which run the kubelet's providers too: their files, and nydus' own code."""

import json
import os
import pathlib
import re
import subprocess

import go_program
import pytest
import yaml
from program_run import DEMO, PROGRAM, ROOT, without_cache

DEPLOY = pathlib.Path(ROOT, "deploy")


def test_configuration_of_openkruise():
    """The document is the one that the kubelet's own code reads in test_kubelet; the daemon finds it by its names."""
    config = yaml.safe_load((DEPLOY / "openkruise" / "configmap.yaml").read_text())
    values = yaml.safe_load((DEPLOY / "openkruise" / "values.yaml").read_text())["daemon"]["credentialProvider"]
    assert (config["apiVersion"], config["kind"]) == ("v1", "ConfigMap")
    assert config["metadata"] == {"name": values["configmap"], "namespace": "kruise-system"}
    (name, text), = config["data"].items()
    assert name == "CredentialProviderPlugin.yaml"
    assert yaml.safe_load(text) == yaml.safe_load((DEPLOY / "credential-provider.yaml").read_text())
    assert values.keys() == {"enable", "configmap", "hostPath"} and values["enable"] is True


@pytest.mark.slow
@pytest.mark.parametrize("example", ["credential-provider.yaml", "credential-provider-pods.yaml"])
def test_nydus_gets_a_login(cloud, tmp_path, example):
    """With the paths of this machine in place of the node's."""
    nydus = go_program.built(os.path.join(ROOT, "tests", "deploy", "nydus"))
    text = (DEPLOY / "nydus-snapshotter" / "config.toml").read_text()
    for key, value in (("config", DEPLOY / example), ("bin_dir", os.path.dirname(PROGRAM))):
        text, count = re.subn(rf'^(credential_provider_{key} = )".*"', rf'\1"{value}"', text, flags=re.M)
        assert count == 1
    (tmp_path / "config.toml").write_text(text)
    done = subprocess.run([nydus, str(tmp_path / "config.toml"), DEMO + "/team/app:v1"], capture_output=True, text=True,
                          env={**cloud.environment(), **without_cache()}, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"Username": "cr_temp_user", "Password": cloud.cloud.issued[-1]}
