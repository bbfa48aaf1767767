"""The kubelet's files in deploy: which entry they must have, and whether the kubelet would start with them."""

import os
import pathlib

import kubelets
import yaml
from program_run import PROGRAM, ROOT

DEPLOY = pathlib.Path(ROOT, "deploy")


def bin_dir(folder):
    """A directory of executables with the program."""
    made = folder / "bin"
    made.mkdir(exist_ok=True)
    if not os.path.lexists(made / os.path.basename(PROGRAM)):
        (made / os.path.basename(PROGRAM)).symlink_to(PROGRAM)
    return made


def environment(config, folder, versions=kubelets.VERSIONS):
    """The variables of the only entry of a file or directory, with which all these kubelets start. Without variables
    it is that of the example."""
    for version in versions:
        assert kubelets.check(version, config, bin_dir(folder)) is None
    file = next(config.iterdir()) if config.is_dir() else config
    provider, = yaml.safe_load(file.read_text())["providers"]
    expected, = yaml.safe_load((DEPLOY / "credential-provider.yaml").read_text())["providers"]
    variables = {variable["name"]: variable["value"] for variable in provider.pop("env", [])}
    assert provider == expected
    return variables
