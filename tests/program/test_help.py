"""--help, the manual page, the schema of the configuration and its README name the same flags, commands, keys, words.
--help, the manual page, the schema of the configuration and its README name the same flags, commands, keys, words.
"""

import json
import os
import re

import pytest
from program_run import ROOT, call

with open(os.path.join(ROOT, "deploy", "man", "aliyun-acr-credential-provider.1"), encoding="utf-8") as file:
    MANUAL = file.read().replace("\\-", "-")
with open(os.path.join(ROOT, "plugin", "config", "config.schema.json"), encoding="utf-8") as file:
    SCHEMA = json.load(file)
with open(os.path.join(ROOT, "plugin", "config", "README.md"), encoding="utf-8") as file:
    README = file.read()


def section(name):
    return re.search(rf"^\.SH {name}\n(.*?)(?=^\.SH |\Z)", MANUAL, re.MULTILINE | re.DOTALL)[1]


@pytest.fixture(scope="module")
def text():
    result = call("--help")
    assert (result.status, result.err) == (0, "")
    return result.out


def test_help_fits_a_terminal(text):
    assert max(map(len, text.splitlines())) <= 100
    assert call("help").out == call("-h").out == text


def test_flags(text):
    of_help = re.findall(r"^  (--[a-z-]+)(?: ([A-Z]+))? ", text, re.MULTILINE)
    of_manual = re.findall(r"^\.BI? (--[a-z-]+)(?: \" ([A-Z]+)\")?$", section("OPTIONS"), re.MULTILINE)
    assert of_help == of_manual and len(of_help) == 9


def test_flags_are_those_that_the_program_takes(text):
    for flag, argument in re.findall(r"^  (--[a-z-]+)(?: ([A-Z]+))? ", text, re.MULTILINE):
        result = call(flag)
        assert f"{flag} requires a value" in result.err if argument else "unknown flag" not in result.err


def test_flags_of_keys_are_in_the_readme(text):
    flags = set(re.findall(r"^  (--[a-z-]+)", text, re.MULTILINE)) - {"--output", "--version", "--help"}
    assert flags == set(re.findall(r"--[a-z]+[a-z-]*", README))


def test_commands(text):
    names = re.findall(r"aliyun-acr-credential-provider ([a-z]+)", text)
    assert names == ["get", "version", "help"]
    assert names == re.findall(r"^\.B aliyun-acr-credential-provider ([a-z]+)", section("SYNOPSIS"), re.MULTILINE)


def definitions(schema):
    """All objects of the schema, however deep."""
    yield schema
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        if isinstance(inner, (dict, list)):
            yield from definitions(inner)


@pytest.mark.parametrize("document", [section("CONFIGURATION") + section("OPTIONS"), README], ids=["manual", "README"])
def test_keys_and_their_words_are_documented(document):
    words = set(re.findall(r"\w+", document))
    for schema in definitions(SCHEMA):
        if isinstance(schema, dict):
            properties = schema.get("properties", {})
            assert set(properties) <= words
            assert all(set(inner.get("enum", ())) <= words for inner in properties.values() if isinstance(inner, dict))


@pytest.mark.parametrize("flag, key", [("--log-level", "level"), ("--log-to", "destination")])
def test_words_and_defaults_of_the_log(text, flag, key):
    words, default = re.search(rf"{flag} [A-Z]+ +(.*) \(default (\w+)\)", text).groups()
    assert re.split(", | or ", words) == SCHEMA["$defs"]["log"]["properties"][key]["enum"]
    assert default == SCHEMA["$defs"]["log"]["properties"][key]["default"]


def test_other_defaults(text):
    properties, cache = SCHEMA["properties"], SCHEMA["$defs"]["cache"]["properties"]
    assert f"(default {properties['deadlineSeconds']['default']})" in text
    assert f"1 to {properties['deadlineSeconds']['maximum']} " in text
    assert f"(default {cache['directory']['default']})" in text
