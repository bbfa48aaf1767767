"""`doctor` on made-up nodes: the kubelet and its configuration, this program, tokens of pods. No network."""

import json
import os
import re
import socket
import stat

import shutil

import pytest
from doctor_run import assert_text, doctor, examine
from identity_fixtures import ACCESS_KEY
from made_up_node import (BIN, BIN_FLAG, CONFIG, CONFIG_FLAG, FLAGS, K3S_BIN, K3S_CONFIG, PROVIDER, TOKENS, MadeUpNode,
                          configuration, entry, example, foreign_program, healthy)
from program_run import DEMO, call

GATE = "KubeletServiceAccountTokenForCredentialProviders"
DIRECTORY = "/etc/kubernetes/credential-providers.d"
ALONE = {**ACCESS_KEY, "HTTPS_PROXY": "http://127.0.0.1:1"}  # nobody is asked for anything


@pytest.fixture
def made(tmp_path):
    return MadeUpNode(tmp_path / "node")


def check(node, *arguments, environment=None, **keywords):
    """What doctor finds, which it says as text too. It leaves the node as it is."""
    before = node.state()
    keywords = {"root": node.root, "environment": {**ALONE, **(environment or {})}, **keywords}
    report = examine(*arguments, **keywords)
    assert_text(report, doctor(*arguments, **keywords))
    assert node.state() == before
    return report


def assert_only(report, *found):
    """These are the checks that failed or warn, but for what is so on every made-up node."""
    left = [check for check in report.checks if check["status"] in ("failed", "warning")]
    for name, status, *words in found:
        left.remove(report.has(name, status, *words))
    assert [check["id"] for check in left] in ([], ["program.environment"]), left


def test_healthy_node(tmp_path):
    node = healthy(tmp_path)
    report = check(node)
    assert_only(report)
    assert report.healthy
    report.has("kubelet.process", "ok", "kubelet runs as process 812 since 20")
    report.has("kubelet.flags", "ok", CONFIG, BIN, "from its flags")
    report.has("kubelet.configuration", "ok", CONFIG, "1 provider")
    report.has("kubelet.program", "ok", f"{BIN}/{PROVIDER} is this program")
    assert report.of("registry.host")[0]["advice"] == "Name an image or a registry host: doctor IMAGE_OR_HOST"


# -- the process ---------------------------------------------------------------------------------------------------


def test_no_kubelet(made):
    report = check(made)
    assert_only(report)
    assert [found["id"] for found in report.checks if found["id"].startswith("kubelet")] == ["kubelet.process"]
    report.has("kubelet.process", "skipped", "no kubelet runs here")
    assert report.healthy


UNITS = {
    "kubeadm": ("/var/lib/kubelet/kubeadm-flags.env", 'KUBELET_KUBEADM_ARGS="--node-ip=10.0.0.1 {}"\n'),
    "default": ("/etc/default/kubelet", "# KUBELET_EXTRA_ARGS=--image-credential-provider-config=/commented/out\n"
                                        "KUBELET_EXTRA_ARGS={}\n"),
    "sysconfig": ("/etc/sysconfig/kubelet", "KUBELET_EXTRA_ARGS='{}'"),
    "ack": ("/etc/kubernetes/kubelet-customized-args.conf", "KUBELET_CUSTOMIZED_ARGS=\"{}\"\n"),
    "unit": ("/etc/systemd/system/kubelet.service", "[Service]\nExecStart=/usr/bin/kubelet \\\n  {}\nRestart=always\n"),
    "vendor": ("/usr/lib/systemd/system/kubelet.service", "[Service]\nExecStart=/usr/bin/kubelet {}\n"),
    "snippet": ("/etc/systemd/system/kubelet.service.d/10-kubeadm.conf",
                "[Service]\n; a comment\nEnvironment=\"KUBELET_EXTRA_ARGS={}\"\n"),
}


@pytest.mark.parametrize("unit", UNITS)
def test_flags_of_a_kubelet_that_does_not_run(made, unit):
    path, text = UNITS[unit]
    made.write(path, text.format(" ".join(FLAGS))).write(CONFIG, "kind: nonsense\n").install()
    report = check(made)
    report.has("kubelet.process", "failed", "kubelet does not run", "journalctl -u 'kubelet*'")
    report.has("kubelet.flags", "ok", CONFIG, BIN, path)
    report.has("kubelet.configuration", "failed", CONFIG, "kind is nonsense")


def test_later_files_overrule_earlier_ones(made):
    made.write("/var/lib/kubelet/kubeadm-flags.env", f"A='{CONFIG_FLAG}=/first.yaml {BIN_FLAG} {BIN}'")
    made.write("/etc/default/kubelet", f"{CONFIG_FLAG}={CONFIG}").write(CONFIG, configuration()).install()
    report = check(made)
    report.has("kubelet.flags", "warning", f"{CONFIG_FLAG} is given twice: {CONFIG} counts, /first.yaml does not")
    assert_only(report, ("kubelet.process", "failed"), ("kubelet.flags", "warning"))


def test_the_kubelet_itself_is_preferred(tmp_path):
    node = healthy(tmp_path).run("/usr/local/bin/rke2 server", pid=5, title=True)
    node.run("/usr/bin/kubelet", pid=4000, namespace="mnt:[7]").run("kubelet-helper", "--kubelet", pid=77)
    assert_only(check(node))


def test_version_is_unknown(tmp_path):
    report = check(healthy(tmp_path), version=None)
    assert_only(report)
    report.has("kubelet.version", "skipped", "the rules of the newest one", "--kubelet VERSION")


def test_kubelet_in_a_container(made):
    made.kubelet(*FLAGS, namespace="mnt:[4026532999]").write(CONFIG, configuration()).install()
    assert_only(check(made))


def test_start_that_is_unknown(tmp_path):
    node = healthy(tmp_path).remove("/proc/stat")
    assert check(node).the("kubelet.process")["message"] == "kubelet runs as process 812"


# -- its flags -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flags", [
    FLAGS, FLAGS[::-1], [CONFIG_FLAG, CONFIG, BIN_FLAG, BIN], ["--v=2", *FLAGS, "--node-ip", "10.0.0.1"],
    [flag.replace("provider", "provider", 1).replace("-credential-", "_credential_") for flag in FLAGS],
    [f"{CONFIG_FLAG}=", *FLAGS], [FLAGS[0], *FLAGS],
])
def test_forms_of_the_flags(made, flags):
    made.kubelet(*flags).write(CONFIG, configuration()).install()
    report = check(made)
    assert_only(report)
    report.has("kubelet.flags", "ok", f"configuration {CONFIG}, programs in {BIN}")


@pytest.mark.parametrize("flags, found", [
    ([], [("kubelet.flags", "failed", "without credential providers", CONFIG_FLAG, BIN_FLAG)]),
    (FLAGS[:1], [("kubelet.flags", "failed", f"{CONFIG_FLAG} is given without {BIN_FLAG}", "both, or neither")]),
    (FLAGS[1:], [("kubelet.flags", "failed", f"{BIN_FLAG} is given without {CONFIG_FLAG}", "both, or neither")]),
    ([*FLAGS, f"{CONFIG_FLAG}="], [("kubelet.flags", "failed", f"{BIN_FLAG} is given without {CONFIG_FLAG}"),
     ("kubelet.flags", "warning", f"{CONFIG_FLAG} is given twice: no value counts, {CONFIG} does not")]),
    ([f"{BIN_FLAG}=/opt", *FLAGS], [
        ("kubelet.flags", "warning", f"{BIN} counts, /opt does not", "the last one counts")]),
])
def test_flags_that_are_wrong(made, flags, found):
    made.kubelet(*flags).write(CONFIG, configuration()).install()
    assert_only(check(made), *found)


# -- k3s, RKE2, MicroShift -----------------------------------------------------------------------------------------


def rancher(node, program="k3s", command="server"):
    return node.run(f"/usr/local/bin/{program} {command}", title=True)


def kubelet_arg(*more):
    return [*(flag.lstrip("-") for flag in FLAGS), *more]


@pytest.mark.parametrize("program, command", [("k3s", "server"), ("k3s", "agent"), ("rke2", "agent")])
def test_defaults_of_rancher(made, program, command):
    rancher(made, program, command).write(K3S_CONFIG, configuration()).install(directory=K3S_BIN)
    report = check(made)
    report.has("kubelet.flags", "ok", K3S_CONFIG, K3S_BIN, "from the defaults of " + program)
    if program == "rke2":
        assert_only(report, ("kubelet.process", "failed", "rke2", "not the kubelet", "kubelet.log"))
    else:
        assert_only(report)


@pytest.mark.parametrize("document", [
    {"kubelet-arg": kubelet_arg()}, {"kubelet-arg": ["--" + flag for flag in kubelet_arg()]},
    {"image-credential-provider-config": CONFIG, "image-credential-provider-bin-dir": BIN},
    {"kubelet-arg": kubelet_arg()[:1], "image-credential-provider-bin-dir": BIN},
    {"kubelet-arg": kubelet_arg(), "image-credential-provider-config": "/overruled"},
])
def test_configuration_of_k3s(made, document):
    rancher(made).write("/etc/rancher/k3s/config.yaml", document).write(CONFIG, configuration()).install()
    report = check(made)
    assert_only(report)
    report.has("kubelet.flags", "ok", CONFIG, BIN, "from /etc/rancher/k3s/config.yaml")


def test_snippets_of_k3s(made):
    """A list replaces that of an earlier file, unless its key ends with a plus."""
    rancher(made).write(CONFIG, configuration()).install()
    made.write("/etc/rancher/k3s/config.yaml", {"kubelet-arg": f"{CONFIG_FLAG[2:]}=/first", "debug": True})
    made.write("/etc/rancher/k3s/config.yaml.d/10.yaml", {"kubelet-arg": kubelet_arg()[1]})
    made.write("/etc/rancher/k3s/config.yaml.d/20.yml", {"kubelet-arg+": kubelet_arg()[0]})
    made.write("/etc/rancher/k3s/config.yaml.d/30.txt", {"kubelet-arg": "nothing"})
    report = check(made)
    assert_only(report)
    report.has("kubelet.flags", "ok", CONFIG, BIN)
    made.write("/etc/rancher/k3s/config.yaml.d/40.yaml", {"kubelet-arg": "max-pods=20"})
    assert_only(check(made), ("kubelet.flags", "failed", "without credential providers", "kubelet-arg+",
                              "kubelet-arg in /etc/rancher/k3s/config.yaml.d/40.yaml replaces"))


def test_unit_of_k3s(made):
    """Which is where its installer writes the flags; k3s hides those of its process."""
    rancher(made).write(CONFIG, configuration()).install()
    made.write("/etc/systemd/system/k3s.service", "[Service]\nExecStart=/usr/local/bin/k3s \\\n    server \\\n"
               f"\t'--kubelet-arg={kubelet_arg()[0]}' \\\n\t'--kubelet-arg' \\\n\t'{kubelet_arg()[1]}' \\\n")
    report = check(made)
    assert_only(report)
    report.has("kubelet.flags", "ok", CONFIG, BIN, "from /etc/systemd/system/k3s.service")


@pytest.mark.parametrize("change, words", [
    (lambda node: node.remove(K3S_CONFIG), f"{K3S_CONFIG}: No such file"),
    (lambda node: node.remove(K3S_CONFIG).write(K3S_CONFIG + "/a.yaml", configuration()),
     f"{K3S_CONFIG}: a directory, which only kubelet-arg can name"),
    (lambda node: node.remove(f"{K3S_BIN}/{PROVIDER}").path(K3S_BIN).rmdir(), f"{K3S_BIN}: No such file"),
    (lambda node: (node.remove(f"{K3S_BIN}/{PROVIDER}").path(K3S_BIN).rmdir(), node.write(K3S_BIN, "")),
     f"{K3S_BIN}: not a directory"),
])
def test_what_k3s_leaves_out(made, change, words):
    rancher(made).write("/etc/rancher/k3s/config.yaml", {"image-credential-provider-config": K3S_CONFIG})
    made.write(K3S_CONFIG, configuration()).install(directory=K3S_BIN)
    assert_only(check(made))
    change(made)
    check(made).has("kubelet.flags", "failed", "without credential providers, and does not say so", words,
                    "restart k3s")


def test_k3s_without_anything(made):
    assert_only(check(rancher(made)), ("kubelet.flags", "failed", K3S_CONFIG, K3S_BIN))


@pytest.mark.parametrize("arguments", [
    ["/usr/local/bin/k3s", "kubectl", "logs"], ["k3s", "ctr"], ["microshift", "version"],
    ["/usr/bin/k3s-uninstall.sh", "server"], ["vi", "kubelet"]])
def test_other_commands_are_no_node(made, arguments):
    check(made.run(*arguments)).has("kubelet.process", "skipped", "no kubelet runs here")


def test_microshift(made):
    made.run("/usr/bin/microshift", "run").install().write(CONFIG, configuration())
    assert_only(check(made), ("kubelet.flags", "failed", "kubelet.imageCredentialProviderConfigPath"))
    made.write("/etc/microshift/config.yaml", "kubelet:\n  imageCredentialProviderConfigPath: /overruled\n"
               f"  imageCredentialProviderBinDir: {BIN}\n")
    made.write("/etc/microshift/config.d/10.yaml", f"kubelet:\n  imageCredentialProviderConfigPath: {CONFIG}\n")
    report = check(made)
    assert_only(report)
    report.has("kubelet.flags", "ok", CONFIG, BIN, "from /etc/microshift/config.yaml")


# -- its configuration ---------------------------------------------------------------------------------------------


BROKEN = {
    "empty": ("", "the file is empty"),
    "not YAML": ("kind: [\n", "line 2"),
    "not JSON": ('{"kind": "CredentialProviderConfig",}', "must be JSON"),
    "a list": ("- a\n", "the document must be an object"),
    "kind": (configuration(kind="KubeletConfiguration"), "kind is KubeletConfiguration"),
    "without kind": (configuration(kind=None), "kind is missing"),
    "apiVersion": (configuration(apiVersion="kubelet.config.k8s.io/v2"), "apiVersion is kubelet.config.k8s.io/v2"),
    "without providers": (configuration(providers=[]), "no provider"),
    "unknown field": (configuration(entry(matchImage=["a"])), "providers[0].matchImage is not a known field"),
    "case of a field": (configuration(entry(MatchImages=["a"])), "Write matchImages"),
    "field twice": ("kind: CredentialProviderConfig\n" + example(), "kind is given twice"),
    "without apiVersion": (configuration(entry(apiVersion=None)), "providers[0].apiVersion is missing"),
    "unknown apiVersion": (configuration(entry(apiVersion="v1")), "providers[0].apiVersion is v1"),
    "without matchImages": (configuration(entry(matchImages=None)), "providers[0].matchImages is missing"),
    "without duration": (configuration(entry(defaultCacheDuration=None)), "defaultCacheDuration is missing"),
    "duration": (configuration(entry(defaultCacheDuration="10")), "no duration: 10"),
    "type": (configuration(entry(args=[1])), "args[0] must be a string"),
    "env": (configuration(entry(env=[{"name": "A", "value": True}])), "env[0].value must be a string"),
    "name": (configuration(entry(), entry(name="a/b")), "providers[1].name is not the name of a file"),
    "name twice": (configuration(entry(), entry()), "providers[1].name is given to two providers"),
    "pattern": (configuration(entry(matchImages=["a b"])), "not the pattern of an image: a b"),
    "audience": (configuration(entry(tokenAttributes={**TOKENS, "serviceAccountTokenAudience": ""})),
                 "serviceAccountTokenAudience is missing"),
    "cacheType": (configuration(entry(tokenAttributes={**TOKENS, "cacheType": "Node"})), "cacheType must be"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_configuration_with_which_the_kubelet_does_not_start(tmp_path, what):
    content, *words = BROKEN[what]
    node = healthy(tmp_path).write(CONFIG, content)
    check(node).has("kubelet.configuration", "failed", CONFIG, *words)


OLD = {
    "1.23": (configuration(), "apiVersion is kubelet.config.k8s.io/v1, which this kubelet does not know"),
    "1.25": (configuration(), "Write kubelet.config.k8s.io/v1beta1"),
    "1.32": (configuration(entry(tokenAttributes=TOKENS)),
             "providers[0].tokenAttributes is not known to Kubernetes 1.32"),
    "v1.33.2+k3s1": (configuration(entry(tokenAttributes=TOKENS)), "tokenAttributes.cacheType is not known"),
}


@pytest.mark.parametrize("version", OLD)
def test_configuration_that_the_version_does_not_know(tmp_path, version):
    content, *words = OLD[version]
    node = healthy(tmp_path, f"--feature-gates={GATE}=true").write(CONFIG, content)
    check(node, version=version).has("kubelet.configuration", "failed", CONFIG, *words)


@pytest.mark.parametrize("patterns, words", [
    (["*.aliyuncs.com"], "* stands for one label"), (["registry.cn-hangzhou.aliyuncs.com/team/*"], "matchImages[0]"),
    (["https://" + DEMO], "matchImages[0]"), ([DEMO.upper()], "matchImages[0]"),
])
def test_patterns_that_match_nothing(tmp_path, patterns, words):
    node = healthy(tmp_path).write(CONFIG, configuration(entry(matchImages=patterns)))
    assert_only(check(node), ("kubelet.configuration", "warning", words))


def test_what_an_older_kubelet_ignores(tmp_path):
    node = healthy(tmp_path).write(CONFIG, configuration(entry(tokenAttributes=TOKENS, other=1)))
    report = check(node, version="1.30")
    report.has("kubelet.configuration", "warning", "tokenAttributes is not known to Kubernetes 1.30")
    report.has("kubelet.configuration", "warning", "providers[0].other is not a known field")
    assert report.healthy


@pytest.mark.parametrize("content, words", [
    (example() + "---\n" + example(), "several documents"), ("a: &b c\n" + example(), "an anchor or a tag"),
])
def test_what_doctor_does_not_read(tmp_path, content, words):
    """It does not say that the kubelet refuses what only doctor does not know."""
    report = check(healthy(tmp_path).write(CONFIG, content))
    assert_only(report, ("kubelet.configuration", "warning", words, "which this program does not read"))


def test_configuration_is_missing(tmp_path):
    node = healthy(tmp_path).remove(CONFIG)
    assert_only(check(node), ("kubelet.configuration", "failed", f"{CONFIG} cannot be read: No such file",
                              f"config --install {CONFIG}"))


def test_configuration_is_no_file(tmp_path):
    node = healthy(tmp_path).remove(CONFIG)
    os.mkfifo(node.path(CONFIG))
    check(node).has("kubelet.configuration", "failed", f"{CONFIG} is not a regular file")


def directory_node(made):
    return made.kubelet(f"{CONFIG_FLAG}={DIRECTORY}", FLAGS[1]).install().install("other")


def test_directory(made):
    """Read in the order of bytes; other files and folders do not count, and hidden ones do."""
    node = directory_node(made).write(DIRECTORY + "/b.json", configuration(entry()))
    node.write(DIRECTORY + "/.a.yaml", configuration(entry(name="other"))).write(DIRECTORY + "/B.yml.bak", "nonsense")
    node.path(DIRECTORY + "/folder.yaml").mkdir()
    report = examine(DEMO, "--deadline", "1", root=node.root, environment=ALONE)
    assert [found["message"].split(":")[0] for found in report.of("kubelet.configuration")] == [
        f"{DIRECTORY}/.a.yaml", f"{DIRECTORY}/b.json"]
    report.has("match.entry", "ok", f"the entries other, {PROVIDER} of the kubelet match", "in this order")


def test_directory_of_a_version_that_does_not_read_it(made):
    node = directory_node(made).write(DIRECTORY + "/a.yaml", configuration())
    assert_only(check(node, version="1.33"), ("kubelet.configuration", "failed", "Kubernetes 1.33 does not read",
                                              "directories need Kubernetes 1.34"))


def test_empty_directory(made):
    node = directory_node(made).write(DIRECTORY + "/a.conf", "")
    assert_only(check(node), ("kubelet.configuration", "failed", "*.json, *.yaml or *.yml", f"--install {DIRECTORY}"))


def test_names_twice_in_a_directory(made):
    node = directory_node(made).write(DIRECTORY + "/a.yaml", configuration())
    node.write(DIRECTORY + "/b.yaml", configuration(entry(name="other"), entry()))
    assert_only(check(node), ("kubelet.configuration", "failed", "a.yaml", "b.yaml", f"a provider named {PROVIDER}",
                              "Remove one"))


def test_link_to_nothing_in_a_directory(made):
    node = directory_node(made).write(DIRECTORY + "/a.yaml", configuration()).link(DIRECTORY + "/b.yaml", "gone")
    assert_only(check(node), ("kubelet.configuration", "failed", f"{DIRECTORY}/b.yaml does not exist", "Mend the link"))


def test_mounted_config_map(made):
    node = directory_node(made).write(DIRECTORY + "/..1/a.yaml", configuration()).link(DIRECTORY + "/..data", "..1")
    assert_only(check(node.link(DIRECTORY + "/a.yaml", "..data/a.yaml")))


@pytest.mark.parametrize("path", [CONFIG, f"{BIN}/{PROVIDER}", BIN])
def test_what_others_can_write(tmp_path, path):
    node = healthy(tmp_path)
    node.path(path).chmod(0o777)
    assert_only(check(node), ("kubelet.owner", "warning", f"{path} can be written by others than root",
                              f"chmod go-w {path}"))


def test_restart_is_due(tmp_path):
    node = healthy(tmp_path).write(CONFIG, configuration(), age_s=60)
    assert_only(check(node), ("kubelet.restart", "failed", f"{CONFIG} was changed after the kubelet started",
                              "Restart it"))


def test_file_written_just_before_the_start(tmp_path):
    """The kernel tells no fractions of a second, so that a start seems up to two seconds earlier than it was."""
    node = healthy(tmp_path)
    for later_s, healthy_ in ((2, True), (3, False)):
        os.utime(node.path(CONFIG), times=(node.started_s + later_s,) * 2)
        assert check(node).healthy is healthy_


@pytest.mark.parametrize("age_s, changed", [(60, f"{DIRECTORY}/a.yaml"), (3600, DIRECTORY)])
def test_restart_is_due_for_a_directory(made, age_s, changed):
    node = directory_node(made).write(DIRECTORY + "/a.yaml", configuration(), age_s=age_s)
    if changed == DIRECTORY:
        os.utime(node.path(DIRECTORY))
    assert_only(check(node), ("kubelet.restart", "failed", f"{changed} was changed"))


# -- the programs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change, words", [
    (lambda node: node.remove(f"{BIN}/{PROVIDER}"), ("No such file", "Put it there")),
    (lambda node: node.install(mode=0o644), ("is not executable", f"chmod 0755 {BIN}/{PROVIDER}")),
    (lambda node: node.remove(f"{BIN}/{PROVIDER}").path(f"{BIN}/{PROVIDER}").mkdir(),
     ("is not a file", "Put the program there")),
    (lambda node: node.write(f"{BIN}/{PROVIDER}", foreign_program(), 0o755), ("another architecture",)),
    (lambda node: node.link(f"{BIN}/{PROVIDER}", "gone"), ("No such file",)),
])
def test_program_that_cannot_be_run(tmp_path, change, words):
    node = healthy(tmp_path)
    change(node)
    assert_only(check(node), ("kubelet.program", "failed", f"{BIN}/{PROVIDER}", *words))


def test_program_of_another_provider_is_missing(tmp_path):
    node = healthy(tmp_path).write(CONFIG, configuration(entry(name="ecr"), entry()))
    assert_only(check(node), ("kubelet.program", "failed", f"{BIN}/ecr", "which does not start without it"))


def test_script_as_another_provider(tmp_path):
    node = healthy(tmp_path).write(CONFIG, configuration(entry(name="ecr"), entry()))
    assert_only(check(node.write(BIN + "/ecr", "#!/bin/sh\n", 0o755)))


@pytest.mark.parametrize("target", [f"../share/{PROVIDER}-x86_64", f"/usr/local/share/{PROVIDER}"])
def test_program_by_a_link(tmp_path, target):
    """Absolute links lead to what they mean on the node."""
    node = healthy(tmp_path).write(CONFIG, configuration(entry(name="acr"))).link(BIN + "/acr", target)
    node.install(os.path.basename(target), "/usr/local/share")
    report = check(node)
    assert_only(report)
    report.has("kubelet.program", "ok", f"{BIN}/acr is this program")


@pytest.mark.parametrize("path", [CONFIG, f"{BIN}/{PROVIDER}"])
def test_links_do_not_leave_the_node(tmp_path, path):
    """There may be such a file here, where doctor runs, that the node does not have."""
    node = healthy(tmp_path / "node")
    here = tmp_path / "here"
    here.write_bytes(node.path(path).read_bytes())
    here.chmod(0o755)
    report = check(node.link(path, here))
    assert [found["id"] for found in report.of_status("failed")] == [
        "kubelet.configuration" if path == CONFIG else "kubelet.program"]


def test_name_of_the_docker_helper(tmp_path):
    name = "docker-credential-aliyun-acr"
    node = healthy(tmp_path).write(CONFIG, configuration(entry(name=name))).link(f"{BIN}/{name}", PROVIDER)
    assert_only(check(node), ("kubelet.program", "failed", "a docker credential helper", f"Name the entry {PROVIDER}"))


def test_none_of_the_providers_is_ours(tmp_path):
    node = healthy(tmp_path).write(CONFIG, configuration(entry(name="ecr"))).install("ecr")
    assert_only(check(node), ("kubelet.provider", "failed", "none of the providers is this program",
                              f"config --install {CONFIG}"))


# -- images --------------------------------------------------------------------------------------------------------


MATCHES = {
    "ours": ([entry()], DEMO + "/team/app:v1", ("ok", f"the entry {PROVIDER} of the kubelet matches")),
    "both": ([entry(name="ecr"), entry()], DEMO,
             ("ok", f"the entries ecr, {PROVIDER} of the kubelet match", "in this order")),
    "the other": ([entry(name="ecr"), entry(matchImages=["hub.example.com"])], DEMO,
                  ("failed", f'Add "{DEMO}" to the matchImages of {PROVIDER}')),
    "none": ([entry()], "hub.example.com/a",
             ("failed", "the kubelet does not run this program", 'Add "hub.example.com"')),
    "stars": ([entry(matchImages=["*.aliyuncs.com"])], DEMO,
              ("failed", 'matchImages[0], "*.aliyuncs.com"', "was probably meant")),
    "path": ([entry(matchImages=["a.b", DEMO + "/team/*"])], DEMO + "/team/app", ("failed", "matchImages[1]")),
    "scheme": ([entry(matchImages=["https://" + DEMO])], DEMO + "/team/app", ("failed", "matchImages[0]")),
    "case": ([entry(matchImages=[DEMO.upper()])], DEMO + "/team/app", ("failed", "letters are in lower case")),
    "port": ([entry(matchImages=[DEMO])], DEMO + ":5000/team/app", ("failed", f'Add "{DEMO}:5000"')),
}


@pytest.mark.parametrize("what", MATCHES)
def test_entries_that_match(tmp_path, what):
    entries, image, (status, *words) = MATCHES[what]
    node = healthy(tmp_path).write(CONFIG, configuration(*entries)).install("ecr")
    report = examine(image, "--deadline", "1", root=node.root, environment=ALONE)
    assert report.has("match.entry", status, *words)["image"] == image


# -- this program --------------------------------------------------------------------------------------------------


def test_environment_is_ours(made):
    check(made).has("program.environment", "ok", "uses this command's environment")


def test_environment_of_an_entry_below_another_root_is_not_used(tmp_path):
    """Whoever has written that tree must not choose a proxy for this process."""
    env = [{"name": name, "value": value} for name, value in ACCESS_KEY.items()]
    node = healthy(tmp_path).write(CONFIG, configuration(entry(env=env)))
    report = check(node, environment={**{name: "" for name in ACCESS_KEY},
                                      "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"})
    report.has("program.environment", "skipped", "uses this command's environment", "the same variables")
    report.has("identity.credentials", "failed", "no identity found")


def test_environment_of_an_entry_that_others_can_write_is_not_used(tmp_path):
    env = [{"name": name, "value": value} for name, value in ACCESS_KEY.items()]
    node = healthy(tmp_path).write(CONFIG, configuration(entry(env=env)), mode=0o666)
    report = check(node, environment={"ALIBABA_CLOUD_ACCESS_KEY_ID": "", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "",
                                      "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"})
    assert "entry" not in report.the("program.environment")["message"]
    report.has("identity.credentials", "failed", "no identity found")


def test_arguments_of_an_entry(tmp_path):
    node = healthy(tmp_path).write(CONFIG, configuration(entry(args=["get-credentials", "--log-level=debug",
                                                                     "--cache-dir", "/run/other"])))
    check(node).has("program.cache", "skipped", "cache /run/other was not looked at")


@pytest.mark.parametrize("args, words", [
    (["--frobnicate"], "--frobnicate"), (["get", DEMO], "does not answer the kubelet"),
    (["version"], "does not answer"), (["frobnicate"], "unknown command"), (["--config"], "requires a value"),
])
def test_arguments_that_are_wrong(tmp_path, args, words):
    report = check(healthy(tmp_path).write(CONFIG, configuration(entry(args=args))))
    assert_only(report, ("program.arguments", "failed", f"args of the entry {PROVIDER}", words, "restart it"))
    assert report.of("identity.source") == []


def test_configuration_of_this_program(made):
    path = "/etc/aliyun-acr-credential-provider/config.json"
    check(made).has("program.settings", "ok", "no configuration file, and none is needed")
    made.write(path, {"identity": {"source": "env"}})
    report = check(made)
    report.has("program.settings", "ok", "configuration file " + path)
    assert report.of("identity.source") == []
    made.write("/etc/other.json", {})
    check(made, environment={"ACR_CREDENTIAL_PROVIDER_CONFIG": "/etc/other.json"}).has(
        "program.settings", "ok", "configuration file /etc/other.json")
    check(made, "--config", "/etc/other.json").has("program.settings", "ok", "configuration file /etc/other.json")


@pytest.mark.parametrize("content, mode, words", [
    ("{", 0o644, ("config.json",)), ({"region": 1}, 0o644, ("region",)), ({}, 0o666, ("can be written by others",)),
])
def test_configuration_of_this_program_that_is_wrong(made, content, mode, words):
    made.write("/etc/aliyun-acr-credential-provider/config.json", content, mode)
    assert_only(check(made), ("program.settings", "failed", "/etc/aliyun-acr-credential-provider/config.json", *words))


def test_cache(tmp_path, cloud):
    path = tmp_path / "cache"

    def cache(*arguments):
        return examine("--cache-dir", str(path), *arguments, environment=ACCESS_KEY)

    cache().has("program.cache", "skipped", f"cache {path}", "the first run makes it")
    path.mkdir(mode=0o700)
    cache().has("program.cache", "ok", f"cache {path}: 0 tokens that can be used")
    call("get", "--cache-dir", str(path), DEMO, environment=cloud.environment()).answer
    cache().has("program.cache", "ok", f"cache {path}: 1 token that can be used")
    path.chmod(0o755)
    cache().has("program.cache", "warning", "can be entered by others", "Name a directory that nothing else uses")
    cache("--no-cache").has("program.cache", "warning", "switched off", "cache.enabled")
    shutil.rmtree(path)
    path.write_text("")
    cache().has("program.cache", "warning", "is not a directory")


# -- tokens of pods ------------------------------------------------------------------------------------------------


def tokens(**changes):
    fields = {name: value for name, value in {**TOKENS, **changes}.items() if value is not None}
    return configuration(entry(tokenAttributes=fields))


def test_tokens_of_pods(tmp_path):
    node = healthy(tmp_path, "--hostname-override=Node-1.example")
    node.write(CONFIG, example("credential-provider-pods.yaml"))
    report = check(node)
    assert_only(report)
    found = report.the("pods.rbac")
    assert found["status"] == "skipped"
    for words in "Error getting service account token", "failed to get service account token":
        assert f'"{words}"' in found["message"]
    assert ("kubectl auth can-i request-serviceaccounts-token-audience sts.aliyuncs.com "
            "--as=system:node:node-1.example --as-group=system:nodes") in found["advice"]
    assert "kubectl apply -f token-audience.yaml" in found["advice"]


def test_name_of_the_node(tmp_path):
    node = healthy(tmp_path).write(CONFIG, tokens())
    assert f"--as=system:node:{socket.gethostname().lower()} " in check(node).the("pods.rbac")["advice"]


@pytest.mark.parametrize("flags, version, content, found", [
    ([f"--feature-gates={GATE}=false"], "1.34", tokens(), ("failed", "is off", "Remove it from --feature-gates")),
    (["--feature-gates=A=true", f"--feature-gates={GATE}=false"], "1.36", tokens(), ("failed", "is off")),
    ([], "1.33", tokens(cacheType=None), ("warning", "Kubernetes 1.33 refuses tokenAttributes", "Set it to true")),
    ([], "1.34", tokens(serviceAccountTokenAudience="mine"),
     ("warning", "serviceAccountTokenAudience is mine", "Write sts.aliyuncs.com")),
    ([], "1.34", tokens(optionalServiceAccountAnnotationKeys=TOKENS["optionalServiceAccountAnnotationKeys"][:2]),
     ("warning", "pod-identity.alibabacloud.com/role-arn", "served as the node")),
])
def test_tokens_that_are_wrong(tmp_path, flags, version, content, found):
    node = healthy(tmp_path, *flags).write(CONFIG, content)
    assert_only(check(node, version=version), ("kubelet.tokens", *found))


def test_annotations_that_are_not_sent(tmp_path):
    node = healthy(tmp_path).write(CONFIG, tokens(optionalServiceAccountAnnotationKeys=None))
    report = check(node)
    assert [found["status"] for found in report.of("kubelet.tokens")] == ["warning"] * 3
    keys = {"requiredServiceAccountAnnotationKeys": TOKENS["optionalServiceAccountAnnotationKeys"],
            "optionalServiceAccountAnnotationKeys": None, "requireServiceAccount": True}
    assert_only(check(node.write(CONFIG, tokens(**keys))))


def test_gate_of_1_33(tmp_path):
    node = healthy(tmp_path, f"--feature-gates={GATE}=true").write(CONFIG, tokens(cacheType=None))
    assert_only(check(node, version="1.33.6"))


# -- the command line ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments, words", [
    (["--host-root", "/nonexistent/root"], "--host-root: /nonexistent/root: No such file"),
    (["--host-root", "/etc/passwd"], "--host-root: /etc/passwd: Not a directory"),
    (["--kubelet", "1.x"], "--kubelet: 1.x is not a version"), (["--kubelet", "1.19"], "not a version"),
    (["--output", "xml"], "--output must be one of: text, json"),
    (["--annotation", "a"], "--annotation is not KEY=VALUE: a"),
    (["--service-account-token", "/nonexistent"], "there is no file /nonexistent"),
    ([""], 'not an image or a host: ""'), (["a b"], 'not an image or a host: "a b"'),
])
def test_wrong_command_line(arguments, words):
    result = call("doctor", *arguments)
    assert (result.status, result.out) == (64, "") and words in result.err, result.err


def test_root_of_this_machine_is_no_other_root():
    first, second = [json.loads(call("doctor", *more, "--output", "json", environment=ALONE).out)["checks"]
                     for more in ([], ["--host-root", "/"])]
    for found in first + second:
        del found["durationMilliseconds"]
    assert first == second


def test_state_of_a_node_has_all_of_it(tmp_path):
    """The comparison before and after would else prove nothing."""
    node = healthy(tmp_path)
    before = node.state()
    assert stat.S_ISLNK(before[str(tmp_path / "proc/812/ns/mnt")][0])
    node.write("/run/x", "")
    assert node.state() != before
    assert re.search("812", str(before))
