"""Help, manual page, schema and README name the commands, flags, keys and words that the program takes."""

import json
import os
import re

import pytest
from program_run import ROOT, assert_failed, call

with open(os.path.join(ROOT, "deploy", "man", "aliyun-acr-credential-provider.1"), encoding="utf-8") as file:
    MANUAL = file.read().replace("\\-", "-")
with open(os.path.join(ROOT, "plugin", "config", "config.schema.json"), encoding="utf-8") as file:
    SCHEMA = json.load(file)
with open(os.path.join(ROOT, "plugin", "config", "README.md"), encoding="utf-8") as file:
    README = file.read()


def section(name):
    return re.search(rf"^\.SH {name}\n(.*?)(?=^\.SH |\Z)", MANUAL, re.MULTILINE | re.DOTALL)[1]


def help_of(*command):
    result = call(*command)
    assert (result.status, result.err) == (0, "")
    assert max(map(len, result.out.splitlines())) <= 100
    return result.out


def flags_of(text):
    """[(name, argument or "")] of the help."""
    return re.findall(r"^  (--[a-z-]+)(?: ([A-Z][A-Z_=]+))? ", text, re.MULTILINE)


OVERVIEW = help_of("help")
# Each form, as "config --install FILE_OR_DIR".
FORMS = re.findall(r"^  ([a-z].*?)  ", OVERVIEW, re.MULTILINE)
HELP = {name: help_of("help", name) for name in dict.fromkeys(form.split()[0] for form in FORMS)}
ALL_FLAGS = dict.fromkeys(flag for text in HELP.values() for flag in flags_of(text))
COMMON = {"--config", "--cache-dir", "--no-cache", "--deadline", "--log-level", "--log-to"}


def test_help_in_other_words():
    for arguments in (["-h"], ["--help"], ["--no-cache", "--help"], ["help", "--help"]):
        assert help_of(*arguments) == OVERVIEW
    for command in HELP.keys() - {"help"}:
        assert help_of(command, "--help") == help_of("-h", command) == HELP[command]


def test_commands():
    assert list(HELP) == ["get-credentials", "get", "config", "doctor", "completion", "version", "help"]
    of_usage = [line for text in HELP.values()
                for line in re.findall(r"^(?:usage:| {6}) aliyun-acr-credential-provider (.*)", text, re.MULTILINE)]
    of_manual = re.sub(r'^\.([A-Z]+ |br$)|[" \n]', "", section("SYNOPSIS"), flags=re.MULTILINE)
    of_manual = of_manual.partition("docker-")[0].replace("[FLAGS]", "").split("aliyun-acr-credential-provider")[1:]
    assert [form.replace(" [FLAGS]", "") for form in of_usage] == FORMS
    assert of_manual == ["[get-credentials]"] + [form.replace(" ", "") for form in FORMS[1:]]


def test_flags():
    """In the manual page each once, in the order of each help."""
    of_manual = [(name, argument.strip()) for name, argument in
                 re.findall(r'^\.BI? (--[a-z-]+)(?: "([ A-Z_=]+)")?$', section("OPTIONS"), re.MULTILINE)]
    assert set(of_manual) == set(ALL_FLAGS) and len(of_manual) == len(ALL_FLAGS) == 21
    for text in HELP.values():
        assert flags_of(text) == [flag for flag in of_manual if flag in flags_of(text)]
    assert flags_of(OVERVIEW) == flags_of(HELP["get-credentials"])


def test_the_rest_of_the_manual_page():
    named = set(re.findall(r"--[a-z][a-z-]+", MANUAL)) - {
        "--password-stdin", "--image-credential-provider-config", "--image-credential-provider-bin-dir"}
    assert named == {flag for flag, _ in ALL_FLAGS}
    assert re.findall(r"^\.B (\d+)$", MANUAL, re.MULTILINE) == re.findall(
        r"\b(\d+) [a-z]", OVERVIEW.partition("Exit status")[2])
    for default in re.findall(r"\(default ([^$)]+)\)", "".join(HELP.values())):
        assert default in MANUAL
    assert "/etc/aliyun-acr-credential-provider/config.json" in MANUAL


def words_of(flag, command):
    """What the flag takes, as its help says it."""
    found = re.search(rf"^  {flag} .*: (\S+\|\S+) \(default (\w+)\)$", HELP[command], re.MULTILINE)
    words = found[1].split("|") if found else []
    assert not words or words[0] == found[2]
    return words


@pytest.mark.parametrize("command", HELP)
def test_flags_are_those_that_the_program_takes(command):
    """--version prevents that more is done than to read the command line."""
    taken = set(flags_of(HELP[command]))
    for flag, argument in ALL_FLAGS:
        values = [[word] for word in words_of(flag, command) or ["a"]] if argument else [[]]
        results = [call(command, flag, *value, "--version") for value in values]
        if (flag, argument) in taken:
            assert all(result.status == 0 and not result.err for result in results)
            if argument:
                assert_failed(call(command, flag), 64, f"{flag} requires a value")
        else:
            takers = [name for name in HELP if (flag, argument) in flags_of(HELP[name])]
            assert_failed(results[0], 64, f"{flag} is not valid with {command}" if flag in COMMON else
                          f"{flag} is valid only with {', '.join(takers)}")


@pytest.mark.parametrize("command", HELP)
def test_flags_with_words_take_no_others(command):
    for flag, _ in flags_of(HELP[command]):
        words = words_of(flag, command)
        if words:
            assert_failed(call(command, flag, "a", "--version"), 64, f"{flag} must be one of: {', '.join(words)}")


def test_common_flags_are_those_of_keys_and_in_the_readme():
    assert {flag for flag, _ in flags_of(OVERVIEW)} - {"--version", "--help"} == COMMON
    assert COMMON == set(re.findall(r"--[a-z]+[a-z-]*", README))


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
def test_words_and_defaults_of_the_log(flag, key):
    schema = SCHEMA["$defs"]["log"]["properties"][key]
    assert words_of(flag, "get-credentials") == schema["enum"] and schema["enum"][0] == schema["default"]


def test_other_defaults():
    properties, cache = SCHEMA["properties"], SCHEMA["$defs"]["cache"]["properties"]
    assert f"(default {properties['deadlineSeconds']['default']})" in OVERVIEW
    assert f"1 to {properties['deadlineSeconds']['maximum']} " in OVERVIEW
    assert f"(default {cache['directory']['default']})" in OVERVIEW
