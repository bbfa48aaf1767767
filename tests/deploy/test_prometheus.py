"""The alerts, by Prometheus' own tool, and the name of the program in them."""

import os
import re
import shutil
import subprocess

import pytest
import yaml
from program_run import ROOT, skip_where_permitted

FOLDER = os.path.join(ROOT, "deploy", "prometheus")


@pytest.mark.parametrize("arguments", [["check", "rules", "rules.yaml"], ["test", "rules", "rules-test.yaml"]])
def test_rules(arguments):
    if not shutil.which("promtool"):
        skip_where_permitted("promtool is not there")
    done = subprocess.run(["promtool", *arguments], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_about_this_program_and_tested():
    with open(os.path.join(FOLDER, "rules.yaml"), encoding="utf-8") as file:
        group, = yaml.safe_load(file)["groups"]
    with open(os.path.join(FOLDER, "rules-test.yaml"), encoding="utf-8") as file:
        raised = {case["alertname"] for test in yaml.safe_load(file)["tests"] for case in test["alert_rule_test"]
                  if case["exp_alerts"]}
    with open(os.path.join(ROOT, "deploy", "credential-provider.yaml"), encoding="utf-8") as file:
        provider, = yaml.safe_load(file)["providers"]
    assert {rule["alert"] for rule in group["rules"]} == raised
    for rule in group["rules"]:
        assert re.findall(r'plugin_name="([^"]*)"', rule["expr"]) == [provider["name"]]
