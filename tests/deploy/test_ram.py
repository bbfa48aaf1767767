"""RAM policies: their form, the actions that the program needs, and what Terraform makes of them."""

import ast
import json
import os
import pathlib
import re
import subprocess
import sys
import zipfile

import go_program
import pytest
from program_run import ROOT, skip_where_permitted

FOLDER = pathlib.Path(ROOT, "deploy", "ram")
POLICIES = sorted(path.name for path in FOLDER.glob("*.json"))
TERRAFORM = ["node.tf", "pod.tf", "account.tf"]
# Of the provider, under the names of the Python classes made from its schema.
CLASSES = {"alicloud_ram_role": ("role.py", "RoleArgs"), "alicloud_ram_policy": ("policy.py", "PolicyArgs"),
           "alicloud_ram_role_policy_attachment": ("role_policy_attachment.py", "RolePolicyAttachmentArgs")}


def read(name):
    return (FOLDER / name).read_text()


def listed(value):
    return value if isinstance(value, list) else [value]


def check_policy(text):
    document = json.loads(text)
    assert document.keys() == {"Version", "Statement"} and document["Version"] == "1" and document["Statement"]
    for statement in document["Statement"]:
        assert statement["Effect"] == "Allow" and set(statement) - {"Condition"} in (
            {"Effect", "Action", "Resource"}, {"Effect", "Action", "Principal"})
        assert statement["Action"] == "sts:AssumeRole" if "Principal" in statement else listed(statement["Action"])
    return document


@pytest.mark.parametrize("name", POLICIES)
def test_form(name):
    document = check_policy(read(name))
    assert ("Principal" in document["Statement"][0]) == name.startswith("trust-")


def test_actions_are_those_of_the_program():
    source = "\n".join(path.read_text() for path in pathlib.Path(ROOT, "plugin").rglob("*.c"))
    named = {action for name in POLICIES for statement in json.loads(read(name))["Statement"]
             for action in listed(statement["Action"])}
    assert {"cr:GetAuthorizationToken", "cr:PullRepository", "cr:ListInstanceEndpoint", "sts:AssumeRole"} == named
    for action in named:
        assert re.search(rf'"[^"\n]*\b{action.partition(":")[2]}\b', source), action


def test_page_lists_all():
    page = read("README.md")
    assert all(f"({name})" in page for name in POLICIES + TERRAFORM)
    shown = re.search(r"```json\n(\{\"Version\".*?)```", pathlib.Path(ROOT, "README.md").read_text(), re.S)
    assert shown is None or json.loads(shown[1]) == json.loads(read("pull.json"))


@pytest.fixture(scope="module")
def resources():
    """{"TYPE.NAME": {attribute: value}}, by HashiCorp's own library, which has also checked the format."""
    program = go_program.built(os.path.join(ROOT, "tests", "deploy", "terraform"))
    done = subprocess.run([program, FOLDER, *TERRAFORM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_documents_of_terraform_are_complete(resources):
    documents = [value for attributes in resources.values() for name, value in attributes.items()
                 if name.endswith("_document")]
    assert len(documents) == 7
    for text in documents:
        check_policy(text)
        assert not re.search("[A-Z_]{3,}", re.sub('"[A-Za-z]*":', "", text)), text
    pod = resources["alicloud_ram_role.pod"]["assume_role_policy_document"]
    assert "system:serviceaccount:namespace:service_account" in pod and "ack-rrsa-cluster_id" in pod
    assert "instance_id/acr_namespace/*" in resources["alicloud_ram_policy.pod"]["policy_document"]


@pytest.mark.slow
def test_role_that_is_assumed_is_the_one_that_trusts(resources):
    policy = json.loads(resources["alicloud_ram_policy.assume_partner"]["policy_document"])["Statement"][0]
    assert policy["Resource"].endswith(":role/" + resources["alicloud_ram_role.partner"]["role_name"])
    trust = json.loads(resources["alicloud_ram_role.partner"]["assume_role_policy_document"])["Statement"][0]
    assert trust["Principal"]["RAM"][0].endswith(":role/" + resources["alicloud_ram_role.node"]["role_name"])


@pytest.mark.slow
def test_attributes_are_those_of_the_provider(resources, tmp_path):
    done = subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(tmp_path),
                           "pulumi_alicloud==4.0.0"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        skip_where_permitted("the package with the provider's schema cannot be had: " + done.stderr)
    wheel, = tmp_path.glob("*.whl")
    known = {}
    with zipfile.ZipFile(wheel) as package:
        for kind, (file, name) in CLASSES.items():
            tree = ast.parse(package.read("pulumi_alicloud/ram/" + file))
            arguments, = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name]
            known[kind] = {argument.arg for method in arguments.body
                           if isinstance(method, ast.FunctionDef) and method.name == "__init__"
                           for argument in method.args.args + method.args.kwonlyargs}
    for resource, attributes in resources.items():
        assert attributes.keys() <= known[resource.partition(".")[0]], resource
