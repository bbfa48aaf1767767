"""What users copy works: the README's configuration and demonstration, the kubelet example, help and version."""

import json
import os
import re
import subprocess

from provider import DEMO, PROGRAM, ROOT, Emulator, pull, run


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def test_configuration_of_the_readme(tmp_path):
    blocks = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", read("README.md"), re.S)]
    configuration = next(block for block in blocks if "registries" in block)
    with Emulator() as cloud:
        answer = pull(cloud, "hub.example.com/a", config=configuration, tmp_path=tmp_path).auth
        assert list(answer) == ["hub.example.com"]
        assert cloud.log("registry") == []


def test_answer_shown_in_the_readme():
    """The request of the README gets the answer of the README, but for password and jitter."""
    shown = re.search(r"\$ echo '(.*?)' \|\n    aliyun-acr-credential-provider\n(.*?)\n", read("README.md"))
    with Emulator() as cloud:
        real = run(shown[1], cloud.environment()).out

    def plain(answer):
        return re.sub(r'"cacheDuration":"4\dm\d+s"', "", re.sub(r'"reg-[0-9a-f]{80}"', "", answer.strip()))

    assert plain(real) == plain(shown[2]) != real.strip()
    assert shown[1] in read("tests", "demo.sh")


def test_kubelet_example_matches_what_it_should():
    text = read("deploy", "credential-provider.yaml")
    patterns = [re.compile(p.replace(".", r"\.").replace("*", "[^.]*")) for p in re.findall(r'- "(.*)"', text)]
    assert f"name: {os.path.basename(PROGRAM)}\n" in text and len(patterns) == 8
    for host in (DEMO, "demo-registry-vpc.cn-hangzhou.cr.aliyuncs.com", "registry-vpc.cn-beijing.aliyuncs.com",
                 "crpi-abcdefgh12345678.cn-shanghai.personal.cr.aliyuncs.com"):
        assert any(p.fullmatch(host) for p in patterns), host
    for host in ("registry-cn-hangzhou-vpc.ack.aliyuncs.com", "docker.io"):
        assert not any(p.fullmatch(host) for p in patterns), host


def test_help_and_version():
    shown = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True, env={}).stdout
    for flag in re.findall(r"--[a-z-]+", read("README.md").split("## Install")[1].split("```")[0]):
        assert flag.startswith("--image-credential")
    assert "--config" in shown and "78 bad configuration" in shown
    for argument in ("version", "--version"):
        version = subprocess.run([PROGRAM, argument], capture_output=True, text=True, check=True, env={}).stdout
        assert re.match(r"aliyun-acr-credential-provider \d+\.\d+\.\d+\nlibcurl/.*\nOpenSSL .*\njson-c ", version)


def test_terminal_without_input_shows_help():
    import pty
    controller, terminal = pty.openpty()
    try:
        shown = subprocess.run([PROGRAM], stdin=terminal, capture_output=True, text=True, timeout=20, check=True)
    finally:
        os.close(controller)
        os.close(terminal)
    assert shown.stdout.startswith("usage: ")
