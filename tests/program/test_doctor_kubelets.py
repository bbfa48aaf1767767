"""`doctor` and the kubelet's own code of all versions: what the one calls a failure is what the other refuses."""

import json
import os

import kubelets
import pytest
from doctor_run import examine
from identity_fixtures import ACCESS_KEY
from made_up_node import (BIN, CONFIG, CONFIG_FLAG, FLAGS, PROVIDER, TOKENS, MadeUpNode, configuration, entry, example,
                          foreign_program)
from program_run import API

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kubelet")]

DIRECTORY = "/etc/kubernetes/credential-providers.d"
GATE = "KubeletServiceAccountTokenForCredentialProviders"
V1BETA1 = {"apiVersion": "kubelet.config.k8s.io/v1beta1"}


def tokens(**changes):
    fields = {name: value for name, value in {**TOKENS, **changes}.items() if value is not None}
    return configuration(entry(tokenAttributes=fields))


def yaml(text):
    """The example with a field that this text sets."""
    return example().replace("  defaultCacheDuration: 0s\n", f"  defaultCacheDuration: 0s\n  {text}\n")


FILES = {
    "example": example(), "example for pods": example("credential-provider-pods.yaml"), "JSON": configuration(),
    "empty": "", "comments": "# nothing\n", "list": "- a\n", "text": "hello\n", "not YAML": "kind: [\n",
    "tab": "kind:\n\ta: b\n", "trailing comma": '{"kind": "CredentialProviderConfig",}',
    "JSON after a comment": "# it is\n" + json.dumps(configuration()), "CRLF": example().replace("\n", "\r\n"),
    "byte order mark": "\ufeff" + example(), "document mark": "---\n" + example(),
    "kind": configuration(kind="KubeletConfiguration"), "case of kind": configuration(kind="credentialProviderConfig"),
    "no kind": configuration(kind=None), "no version": configuration(apiVersion=None),
    "v1beta1": configuration(**V1BETA1), "v1alpha1": configuration(apiVersion="kubelet.config.k8s.io/v1alpha1"),
    "v2": configuration(apiVersion="kubelet.config.k8s.io/v2"), "no providers": configuration(providers=[]),
    "null providers": example()[:example().index("providers:")] + "providers:\n",
    "unknown field": configuration(entry(image=["a"])), "unknown field at the top": configuration(other=1),
    "case of a field": configuration(entry(matchimages=["a"])), "field twice": yaml("defaultCacheDuration: 5s"),
    "v1beta1 entry": configuration(entry(apiVersion=API + "v1beta1")),
    "no entry version": configuration(entry(apiVersion=None)), "v2 entry": configuration(entry(apiVersion=API + "v2")),
    "no name": configuration(entry(name=None)), "slash": configuration(entry(name="a/b")),
    "blank": configuration(entry(name="a b")), "dots": configuration(entry(name="..")),
    "name twice": configuration(entry(), entry()), "no program": configuration(entry(), entry(name="missing")),
    "not executable": configuration(entry(name="text")), "folder as program": configuration(entry(name="folder")),
    "no patterns": configuration(entry(matchImages=None)),
    **{f"patterns {list_}": configuration(entry(matchImages=list_)) for list_ in (
        [], ["*"], ["a.b/c d"], ["a.b:443"], ["a.b:x"], ["https://a.b"], ["a b"], ["a%zz"], ["[a].b"], ["a\\b"], [""],
        ["a?b"], ["{a,b}.c"], ["a@b"], ["a", "a"], ["a.b", "a b"])},
    "no duration": configuration(entry(defaultCacheDuration=None)),
    **{f"duration {text!r}": configuration(entry(defaultCacheDuration=text)) for text in (
        "0", "10", "1h30m", "1.5h", ".5s", "-1s", "1d", "1 s", "", "+1s", "s", 0)},
    "args": yaml("args: [--no-cache, '']"), "args as text": yaml("args: --no-cache"),
    "number in args": yaml("args: [1]"), "boolean in args": yaml("args: [yes]"), "null in args": yaml("args: [null]"),
    "env": yaml("env: [{name: A, value: 'true'}]"), "boolean in env": yaml("env: [{name: A, value: true}]"),
    "number in env": yaml("env: [{name: A, value: 1}]"), "date in env": yaml("env: [{name: A, value: 2001-01-01}]"),
    "env as mapping": yaml("env: {A: b}"), "unknown field in env": yaml("env: [{name: A, valueFrom: b}]"),
    "null": yaml("args: ~\n  env: null"), "null tokens": yaml("tokenAttributes: null"),
    "quoted boolean": tokens(requireServiceAccount="false"), "no audience": tokens(serviceAccountTokenAudience=None),
    "no requireServiceAccount": tokens(requireServiceAccount=None), "no cacheType": tokens(cacheType=None),
    "other cacheType": tokens(cacheType="Pod"), "tokens of an old version": {**tokens(), **V1BETA1},
    "tokens for an old version": configuration(entry(tokenAttributes=TOKENS, apiVersion=API + "v1beta1")),
    "required keys": tokens(requiredServiceAccountAnnotationKeys=["a"]),
    "keys twice": tokens(optionalServiceAccountAnnotationKeys=["a/b", "a/b"]),
    "keys in both": tokens(requireServiceAccount=True, requiredServiceAccountAnnotationKeys=["a/b"],
                           optionalServiceAccountAnnotationKeys=["a/b"]),
    "odd key": tokens(optionalServiceAccountAnnotationKeys=["a/b/c"]), "gate off": tokens(cacheType=None),
    "other architecture": configuration(entry(name="foreign")), "two documents": example() + "---\n- a\n",
    "two documents, the first broken": "kind: a\n---\n" + example(),
    "anchor": example().replace("  matchImages:", "  matchImages: &all"),
    "anchor in what is broken": example().replace("  matchImages:", "  images: &all"),
}
# The files of a folder.
FOLDERS = {
    "folder": {"a.yaml": configuration(), "b.json": configuration(entry(name="other")), "c.conf": "nonsense"},
    "empty folder": {"a.conf": configuration()}, "case of an ending": {"a.YAML": configuration()},
    "hidden file": {".yaml": configuration()}, "one bad file": {"a.yaml": configuration(), "b.yaml": ""},
    "name in two files": {"a.yaml": configuration(), "b.yaml": configuration()},
    "names that differ": {"a.yaml": configuration(), "b.yaml": configuration(entry(name=PROVIDER.upper()))},
    "old and new file": {"a.yaml": configuration(), "b.yaml": configuration(entry(name="other"), **V1BETA1)},
    "nothing in one file": {"a.yaml": configuration(), "b.yaml": configuration(providers=[])},
}

# Where they differ, and why.
DIFFERENT = {
    "other architecture": kubelets.VERSIONS,  # the kubelet looks at the file when it runs it
    "two documents, the first broken": kubelets.VERSIONS,  # doctor says that it does not read several documents
    "anchor in what is broken": kubelets.VERSIONS,  # nor anchors
    "gate off": ("1.33",),  # it may be on in KubeletConfiguration, which doctor does not read: it warns
}


@pytest.fixture
def node(tmp_path):
    made = MadeUpNode(tmp_path).install().install("other").install("text", mode=0o644).install(PROVIDER.upper())
    made.write(f"{BIN}/foreign", foreign_program(), 0o755).path(f"{BIN}/folder").mkdir()
    return made


@pytest.mark.parametrize("version", kubelets.VERSIONS)
@pytest.mark.parametrize("what", [*FILES, *FOLDERS])
def test_doctor_fails_what_the_kubelet_refuses(node, what, version):
    path = CONFIG if what in FILES else DIRECTORY
    gates = f"{GATE}=true" if version == "1.33" and what != "gate off" else ""
    for name, content in ({CONFIG: FILES[what]} if what in FILES else FOLDERS[what]).items():
        node.write(os.path.join(path, name), content)
    node.kubelet(f"{CONFIG_FLAG}={path}", FLAGS[1], f"--feature-gates={gates}")
    report = examine(root=node.root, version=version, environment=ACCESS_KEY)
    failed = [check["message"] for check in report.of_status("failed") if check["id"].startswith("kubelet.")
              and check["id"] != "kubelet.provider"]
    refused = kubelets.check(version, str(node.path(path)), str(node.path(BIN)), gates)
    assert (bool(failed) == bool(refused)) != (version in DIFFERENT.get(what, ())), (failed, refused)
