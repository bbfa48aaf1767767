"""What bash, zsh and fish offer with the scripts of `completion`: the commands, flags and words of the help."""

import os
import pty
import re
import select
import shlex
import shutil
import subprocess

import pytest
from program_run import DEADLINE_S, call, skip_where_permitted

NAME = "aliyun-acr-credential-provider"
# The shells' own functions, as far as a script calls them: they print what would be offered.
BASH = """
compopt() { echo "<$2>"; }
. "$0"
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_aliyun_acr_credential_provider
printf '%s\\n' "${COMPREPLY[@]}"
"""
ZSH = """
compdef() {}
compset() { PREFIX=${PREFIX#*=} }
compadd() { print -rl -- "${(M)@[2,-1]:#$PREFIX*}" }
_files() { if [[ $1 == -/ ]]; then print '<dirnames>'; else print '<default>'; fi }
. $0
words=("$@") CURRENT=$# PREFIX=$@[-1]
_aliyun-acr-credential-provider
"""
FISH = """
source $argv[1]
complete -C $argv[2]
"""


@pytest.fixture(params=["bash", "zsh", "fish"])
def script(request, tmp_path):
    """(shell, the path of its script)"""
    if not shutil.which(request.param):
        skip_where_permitted(f"{request.param} is not there")
    path = tmp_path / ("_" + NAME)
    path.write_text(call("completion", request.param).out)
    return request.param, str(path)


def offers(script, *words):
    """What the shell offers for the last of these words. Paths are <default> or <dirnames>, where they can be told."""
    shell, path = script
    words = [NAME, *words]
    command = {"bash": ["bash", "--norc", "-c", BASH, path, *words], "zsh": ["zsh", "-f", "-c", ZSH, path, *words],
               "fish": ["fish", "--no-config", "-c", FISH, path, shlex.join(words[:-1]) + " " + words[-1]]}[shell]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=os.path.dirname(path),
                          env={"PATH": os.environ["PATH"], "HOME": os.path.dirname(path), "TERM": "dumb"})
    assert done.stderr == ""
    return sorted(filter(None, (line.split("\t")[0] for line in done.stdout.splitlines())))


def help_of(*command):
    return call("help", *command).out


COMMANDS = list(dict.fromkeys(re.findall(r"^  ([a-z][a-z-]*)", help_of(), re.MULTILINE)))


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)], ids=str)
def test_flags_and_their_words(script, command):
    text = help_of(*command)
    assert set(offers(script, *command, "--")) - {"<default>"} == set(re.findall(r"^  (--[a-z-]+)", text, re.MULTILINE))
    for flag, words in re.findall(r"^  (--[a-z-]+) .*: (\S+\|\S+) \(default", text, re.MULTILINE):
        assert offers(script, *command, flag, "") == sorted(words.split("|"))


def test_words_without_a_flag(script):
    commands = sorted(COMMANDS)
    assert offers(script, "") in (commands, sorted([*commands, *re.findall(r"^  (--[a-z-]+)", help_of(), re.M)]))
    assert offers(script, "--no-cache", "co") == ["completion", "config"]
    assert offers(script, "help", "do") == ["doctor"]
    assert offers(script, "completion", "b") == ["bash"]
    assert offers(script, "get", "co") == offers(script, "--deadline", "") == []


def test_paths(script):
    """fish offers the paths themselves."""
    folder = os.path.dirname(script[1])
    os.mkdir(os.path.join(folder, "folder"))
    files, folders = (["_" + NAME, "folder/"], ["folder/"]) if script[0] == "fish" else (["<default>"], ["<dirnames>"])
    for words in (["--config"], ["doctor", "--service-account-token"], ["config", "--install"], ["config", "--remove"]):
        assert offers(script, *words, "") == files
    for flag in ("--cache-dir", "--host-root"):
        assert offers(script, "doctor", flag, "") == folders
    assert set(files) <= set(offers(script, "config", "--docker", ""))
    assert offers(script, "get", "--output", "f") == []


# For bash, zsh, and zsh with the script where it looks for such.
SETUPS = {"bash": ". _{name}", "zsh": "autoload -U compinit; compinit -u -D; . ./_{name}",
          "zsh-fpath": "fpath=($PWD $fpath); autoload -U compinit; compinit -u -D"}


# What is typed on a terminal, and the arguments that the program then gets.
TYPED = {
    "get --outp\tp\t": ["get", "--output", "password"],
    "get --output=p\t": ["get", "--output=password"],
    "comp\tf\t": ["completion", "fish"],
    "--config a\tfi\t": ["--config", "a folder/file of it"],
    "--config=a\tfi\t": ["--config=a folder/file of it"],
    "doctor --host-root=a\tfo\t": ["doctor", "--host-root=a folder/folder of it"],
    "config --docker a\tfi\th": ["config", "--docker", "a folder/file of it", "h"],
}


@pytest.mark.parametrize("setup", SETUPS)
def test_on_a_terminal(tmp_path, setup):
    shell = setup.partition("-")[0]
    if not shutil.which(shell):
        skip_where_permitted(f"{shell} is not there")
    (tmp_path / f".{shell}rc").write_text(
        SETUPS[setup].format(name=NAME) + f"\n{NAME}() {{ printf '{{%s}}' \"$@\" end; }}\n")
    (tmp_path / ("_" + NAME)).write_text(call("completion", shell).out)
    (tmp_path / "a folder" / "folder of it").mkdir(parents=True)
    (tmp_path / "a folder" / "file of it").touch()
    master, slave = pty.openpty()
    with subprocess.Popen([shell, "-i"], stdin=slave, stdout=slave, stderr=slave, cwd=tmp_path, start_new_session=True,
                          env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TERM": "dumb"}) as process:
        os.close(slave)
        os.write(master, ("".join(f"{NAME} {line}\n" for line in TYPED) + "exit\n").encode())
        shown = b""
        while select.select([master], [], [], DEADLINE_S)[0]:
            try:
                shown += os.read(master, 4096)
            except OSError:  # nobody has it open any more
                break
        process.kill()
    os.close(master)
    printed = re.findall(r"((?:\{[^{}]*\})+)\{end\}", shown.decode())
    assert [re.findall(r"\{(.*?)/?\}", line) for line in printed] == list(TYPED.values()), shown
