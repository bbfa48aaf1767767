"""What the pages name exists: links, files, flags, variables, keys, functions, modules; what exists is named."""

import glob
import json
import os
import re
import subprocess
import textwrap

import jsonschema
import pytest
import yaml
from program_run import PROGRAM, ROOT


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


PAGES = ["README.md", "CHANGELOG.md"] + [path for folder in (".github", "deploy", "plugin", "tests")
                                         for path in glob.glob(folder + "/**/*.md", root_dir=ROOT, recursive=True)]
CONFIGURATION, ARCHITECTURE, DEPLOYING = "plugin/config/README.md", "plugin/README.md", "deploy/README.md"
SOURCES = {path: read(path) for folder in ("plugin", "proto-json")
           for path in glob.glob(folder + "/**/*.[ch]", root_dir=ROOT, recursive=True)}
SOURCE = "\n".join(SOURCES.values())
SCHEMA = json.loads(read("plugin", "config", "config.schema.json"))


def help_of(*command):
    return subprocess.run([PROGRAM, "help", *command], capture_output=True, text=True, check=True, env={}).stdout


HELP = help_of()
FLAGS = {flag for command in set(re.findall(r"^  ([a-z][a-z-]+)", HELP, re.M))
         for flag in re.findall(r"--[a-z][a-z-]+", help_of(command))}
# Of what some pages of deploy call: Butane, journalctl, talosctl, the script for kind.
TOOL_FLAGS = {"--strict", "--grep", "--nodes", "--output", "--patch", "--emulated", "--delete"}
# Of other programs: the kubelet and kubectl, cmake, ctest and pytest, container clients, helm, git, those that check a
# download.
OTHER_FLAGS = {"--image-credential-provider-bin-dir", "--image-credential-provider-config", "--preset", "--build",
               "--install", "--prefix", "--parallel", "--test-dir", "--password-stdin", "--authfile", "--as",
               "--as-group", "--signoff", "--all", "--check", "--ignore-missing", "--repo", "--strip-components",
               "--no-overwrite-dir",
               "--system-extension-image"} | set(re.findall(r"^  (--[a-z][a-z-]*)", read("deploy", "install.sh"), re.M))


def prose(page):
    """Without blocks of code."""
    return re.sub(r"^ *```.*?^ *```$", "", read(page), flags=re.M | re.S)


def blocks(page, language):
    return [textwrap.dedent(text) for text in re.findall(rf"^ *```{language}\n(.*?)^ *```$", read(page), re.M | re.S)]


def code(page):
    """What is set in `code` outside of blocks."""
    return re.findall(r"`([^`\n]+)`", prose(page))


def rows(page):
    """The cells of all rows of all tables, headings left out."""
    lines = prose(page).splitlines()
    return [re.split(r" *\| *", line.strip("| ")) for line, after in zip(lines, lines[1:] + [""])
            if line.startswith("| ") and not after.startswith("|---")]


def anchors(page):
    """As GitHub makes them out of headings."""
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
            for heading in re.findall(r"^#+ (.*)$", prose(page), re.M)}


def test_the_pages_are_there():
    assert {CONFIGURATION, ARCHITECTURE, DEPLOYING, "tests/emulator/README.md"} <= set(PAGES)


def test_pages_are_short():
    assert len(read("README.md").splitlines()) <= 165
    assert len(read("deploy", "recipes.md").splitlines()) <= 120
    for page in glob.glob("deploy/*/README.md", root_dir=ROOT):
        assert len(read(page).splitlines()) <= (65 if "/release/" in page else 40), page


def test_every_environment_is_listed_and_says_what_was_checked():
    folders = {path.split("/")[1] for path in glob.glob("deploy/*/README.md", root_dir=ROOT)}
    assert folders == set(re.findall(r"^\| \[([\w-]+)\]\(\1/README\.md\)", prose(DEPLOYING), re.M))
    for folder in folders:
        assert re.search(r"^Checked: ", read("deploy", folder, "README.md"), re.M), folder


@pytest.mark.parametrize("page", ["README.md", "CHANGELOG.md", CONFIGURATION, ARCHITECTURE] + [
    page for page in PAGES if page.startswith((".github/", "deploy/"))])
def test_lines_are_short(page):
    """A row of a table cannot be broken; the README has none that would have to be."""
    assert [line for line in read(page).splitlines()
            if len(line) > 120 and (page == "README.md" or not line.startswith("|"))] == []


@pytest.mark.parametrize("page", PAGES)
def test_links_resolve(page):
    text = re.sub(r"`[^`\n]+`", "", prose(page))
    definitions = dict(re.findall(r"^\[([^\]]+)\]: (\S+)$", text, re.M))
    references = set(re.findall(r"\]\[([^\]]+)\]", text))
    assert references == definitions.keys()
    for target in re.findall(r"\]\(([^)]+)\)", text) + list(definitions.values()):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        path = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
        assert os.path.exists(os.path.join(ROOT, path)), target
        assert not anchor or anchor in anchors(path), target


@pytest.mark.parametrize("page", [page for page in PAGES if page != "CHANGELOG.md" and not page.startswith("tests/")])
def test_flags_exist(page):
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", read(page)))
    assert named - FLAGS - OTHER_FLAGS - TOOL_FLAGS == set()


def test_exit_statuses_are_those_of_the_help():
    assert [row[0] for row in rows("README.md") if row[0].isdigit()] == re.findall(
        r"\b(\d+) [a-z]", HELP.partition("Exit status")[2])


VARIABLE = r"(?:ALIBABA_CLOUD|ALIBABACLOUD|ALICLOUD|ACR_CREDENTIAL|SSL|HTTPS|ALL|NO)_[A-Z0-9_]+|HOME"


def test_variables_are_those_of_the_program():
    read_by_program = set(re.findall(rf'"({VARIABLE})"', SOURCE))
    assert len(read_by_program) > 30
    assert read_by_program == {word for word in code(CONFIGURATION) if re.fullmatch(VARIABLE, word)}
    for page in ("README.md", DEPLOYING):
        assert {word for word in code(page) if re.fullmatch(VARIABLE, word)} <= read_by_program


def schema_of(node):
    return SCHEMA["$defs"][node["$ref"].rpartition("/")[2]] if "$ref" in node else node


def keys_of(node, path=""):
    """{path: (schema, whether it is required)} of all keys, each object once."""
    found = {}
    for name, value in schema_of(node).get("properties", {}).items():
        inner = schema_of(value)
        found[path + name] = (value | inner, name in schema_of(node).get("required", []))
        if path == "registries." and name == "identity":
            continue
        found |= keys_of(schema_of(inner.get("items", inner)), path + name + ".")
    return found


def test_keys_and_their_defaults_are_those_of_the_schema():
    """A table has keys of one object, or full paths."""
    keys = keys_of(SCHEMA)
    listed = [(re.fullmatch(r"`([A-Za-z.]+)`", row[0])[1], row) for row in rows(CONFIGURATION)
              if len(row) == 3 and row[0].startswith("`")]
    assert len(listed) == len(keys) > 30
    for name, row in listed:
        (schema, required), *others = [keys[path] for path in keys if path == name or path.endswith("." + name)]
        assert all(other[0].get("default") == schema.get("default") for other in others)
        if "default" in schema:
            assert row[1].strip("`") == json.dumps(schema["default"]).strip('"'), name
        assert (row[1] == "required") == required, name
        for word in schema.get("enum", []):
            assert json.dumps(word).strip('"') in re.findall(r"`([^`]+)`", row[1] + row[2]), (name, word)


@pytest.mark.parametrize("page, text", [(page, text) for page in PAGES for text in blocks(page, "json")])
def test_json_is_a_configuration_or_a_policy(page, text):
    document = json.loads(text)
    if document.keys() <= SCHEMA["properties"].keys():
        jsonschema.validate(document, SCHEMA)
    elif "credHelpers" in document:
        assert set(document["credHelpers"].values()) == {"aliyun-acr"}
    else:
        assert document.keys() == {"Version", "Statement"} and document["Version"] == "1"
        for statement in document["Statement"]:
            assert statement["Effect"] == "Allow" and statement.keys() - {"Condition"} in (
                {"Effect", "Action", "Resource"}, {"Effect", "Action", "Principal"})


@pytest.mark.parametrize("page", PAGES)
def test_actions_are_those_of_the_program(page):
    for action in re.findall(r"\b(?:cr|sts):([A-Z]\w+)", read(page)):
        assert re.search(rf'"[^"\n]*\b{action}\b', SOURCE), action


def test_service_account_of_a_pod():
    account, = map(yaml.safe_load, blocks(DEPLOYING, "yaml"))
    provider, = yaml.safe_load(read("deploy", "credential-provider-pods.yaml"))["providers"]
    keys = provider["tokenAttributes"]["optionalServiceAccountAnnotationKeys"]
    assert (account["apiVersion"], account["kind"]) == ("v1", "ServiceAccount")
    assert account["metadata"]["annotations"].keys() <= set(keys)
    assert set(keys) == set(re.findall(r"[\w.-]+\.(?:aliyun|alibabacloud)\.com/role-\w+", read(DEPLOYING)))


def test_packages_are_those_that_the_tests_install():
    install, = [line for text in blocks("README.md", "sh") for line in text.splitlines()
                if line.startswith("apt-get install ")]
    assert set(install.split()[2:]) <= set(read("tests", "setup.sh").split('packages="')[1].split('"')[0].split())


@pytest.mark.parametrize("page", PAGES)
def test_commands_are_there(page):
    presets = {preset["name"] for preset in json.loads(read("CMakePresets.json"))["configurePresets"]}
    for line in "".join(blocks(page, "sh")).replace("\\\n", "").splitlines():
        words = line.split("#")[0].split()
        if words[0] in ("sh", "bash", "python3"):
            named = [word for word in words if "/" in word] if words[1] == "-m" else words[1:2]
            assert named and all(name == "install.sh" or os.path.exists(os.path.join(ROOT, name))  # a release has it
                                 for name in named), line
        elif words[0] == "cmake":
            assert "--install" in words or words[words.index("--preset") + 1] in presets, line


@pytest.mark.parametrize("page", PAGES)
def test_files_are_there(page):
    """Names with a folder are from the root, or from the page; others may be anywhere."""
    own = {os.path.relpath(path, ROOT) for folder in ("deploy", "plugin", "proto-json", "tests")
           for path in glob.glob(os.path.join(ROOT, folder, "**", "*"), recursive=True)}
    for name in code(page):
        if not re.fullmatch(r"[A-Za-z][\w./*-]*\.(c|h|py|sh|yaml|lock|schema\.json|1)"
                            r"|(deploy|plugin|proto-json|tests)/[\w./-]*", name):
            continue
        if "/" not in name:
            assert any(path.endswith("/" + name) for path in own), name
        else:
            folders = ("", os.path.dirname(page), "plugin")
            assert any(glob.glob(os.path.join(ROOT, folder, name)) for folder in folders), name


def test_functions_and_types_are_there():
    for name in code(ARCHITECTURE):
        found = re.fullmatch(r"(?:struct|enum) \w+", name) or re.fullmatch(r"([a-z]\w+)\(\)", name)
        if found:
            pattern = re.escape(name) + r" \{" if found.lastindex is None else rf"^\w[^\n=]*\b{found[1]}\("
            assert re.search(pattern, SOURCE, re.M), name
        macro = re.fullmatch(r"([A-Z]+)\([\w()]*\)", name)
        assert not macro or f"#define {macro[1]}(" in SOURCE, name


def test_tables_are_there():
    tables = re.findall(r"a row of `(\w+)` in `([\w/.]+)`", prose(ARCHITECTURE))
    assert len(tables) == 6
    for name, path in tables:
        assert f" {name}[] = {{" in SOURCES["plugin/" + path], name


def test_layers_are_those_of_the_build():
    """Each module of the build is in the picture, above all that it may include."""
    picture, = blocks(ARCHITECTURE, "text")
    layer = {}
    for number, line in enumerate(reversed(picture.splitlines())):
        layer |= {name.rstrip("/"): number for name in re.findall(r"[a-z-]+/|\b(?:main|provide)\.c", line)}
    build = read("CMakeLists.txt")
    modules = re.findall(r"^add_module\(([a-z-]+) \S+ ?([^)]*)\)", build, re.M)
    modules += [("provide.c", re.search(r"target_link_libraries\(provide PUBLIC (.*)\)", build)[1]), ("main.c", "cmd")]
    assert {name for name, _ in modules} == layer.keys()
    for name, below in modules:
        for other in below.replace("provide", "provide.c").split():
            assert other == "options" or other.startswith("PkgConfig::") or layer[other] < layer[name], (name, other)
