"""The command config: what it prints, and the files of the kubelet and of docker before and after."""

import functools
import itertools
import json
import os
import re
import shutil
import subprocess

import pytest
import yaml
from program_run import PROGRAM, ROOT, WRAPPER, assert_failed, call, skip_where_permitted

NAME = "aliyun-acr-credential-provider"
HEAD = {"apiVersion": "kubelet.config.k8s.io/v1", "kind": "CredentialProviderConfig"}
API = "credentialprovider.kubelet.k8s.io/v1"
MATCHES = ["hub.example.com", "hub.example.com:5000/team/"]
MATCH_FLAGS = [word for match in MATCHES for word in ("--match", match)]
NO_RIGHTS = [] if os.geteuid() else ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]


def config(*arguments, **keywords):
    return call("config", *map(str, arguments), **keywords)


def printed(*arguments):
    result = config(*arguments)
    assert (result.status, result.err) == (0, ""), result.err
    return result.out


def example(name):
    with open(os.path.join(ROOT, "deploy", name), encoding="utf-8") as file:
        return yaml.safe_load(file)


def says(path, arguments, *words):
    """One line about this file, without a word on stderr."""
    result = config(*arguments)
    assert (result.status, result.err) == (0, ""), result.err
    assert re.fullmatch(r"[^\n]+\n", result.out), result.out
    assert result.out.startswith(f"{path}: ") and all(word in result.out for word in words), result.out


def state(path):
    found = path.stat()
    return found.st_ino, found.st_ctime_ns


def nothing_to_change(path, *arguments):
    before = state(path)
    says(path, arguments, ": nothing to change\n")
    assert printed(*arguments, "--dry-run") == ""
    assert state(path) == before


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def write(path, text, mode=0o644):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def provider(name=NAME, **more):
    return {"name": name, "apiVersion": API, "matchImages": MATCHES, "defaultCacheDuration": "0s", **more}


ECR = f"""\
- name: ecr-credential-provider
  apiVersion: {API}
  matchImages:
  - "*.dkr.ecr.*.amazonaws.com"
  defaultCacheDuration: "12h"
"""
FILE = yaml.safe_dump(HEAD) + "providers:\n" + ECR


# -- what is printed --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flags, name", [([], "credential-provider.yaml"),
                                         (["--pods"], "credential-provider-pods.yaml")])
def test_examples_are_what_is_printed(flags, name):
    assert yaml.safe_load(printed(*flags)) == json.loads(printed("--format", "json", *flags)) == example(name)


@pytest.mark.parametrize("version, api", [
    ("1.20", "v1alpha1"), ("1.23", "v1alpha1"), ("1.24", "v1beta1"), ("v1.25.16", "v1beta1"), ("1.26", "v1"),
    ("1.34.2+k3s1", "v1"), ("1.40", "v1")])
def test_versions(version, api):
    document = yaml.safe_load(printed("--kubelet", version))
    assert document["apiVersion"] == "kubelet.config.k8s.io/" + api
    assert document["providers"][0]["apiVersion"] == "credentialprovider.kubelet.k8s.io/" + api
    assert document["providers"][0].keys() == {"name", "apiVersion", "matchImages", "defaultCacheDuration"}


def test_versions_with_tokens():
    newest = example("credential-provider-pods.yaml")
    assert yaml.safe_load(printed("--pods", "--kubelet", "1.34")) == newest
    del newest["providers"][0]["tokenAttributes"]["cacheType"]
    assert yaml.safe_load(printed("--pods", "--kubelet", "1.33")) == newest
    assert_failed(config("--pods", "--kubelet", "1.32"), 64, "--pods needs Kubernetes 1.33 or later")


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_matches(form):
    document = yaml.safe_load(printed("--format", form, *MATCH_FLAGS))
    assert document["providers"] == [provider()]


@pytest.mark.parametrize("match, words", [
    ("https://a.b", "has a scheme"), ("A.b", "upper case"), ("a.b/*", "has a * in its path"), ("a?b", "has a ? or ["),
    ("a.b:0", "has a port"), ("/a", "has no host"), ("a..b", "empty label"), ("a\nb: c", "has a byte")])
def test_matches_that_never_match(match, words):
    assert_failed(config("--match", "a.b", "--match", match), 64, "--match " + match.split("\n")[0], words)


@pytest.mark.parametrize("version", ["1", "2.0", "1.x", "34", "1.19"])
def test_versions_that_are_none(version):
    assert_failed(config("--kubelet", version), 64, f"{version} is not a version of Kubernetes")


def test_output_that_cannot_be_written():
    with open("/dev/full", "wb") as full:
        done = subprocess.run([*WRAPPER, PROGRAM, "config"], stdout=full, stderr=subprocess.PIPE, text=True,
                              check=False, env={})
    assert done.returncode == 74 and "cannot write standard output" in done.stderr


# -- a file of the kubelet --------------------------------------------------------------------------------------


def in_blocks():
    """Block style: the order of the keys, the place of the dash, comments, the end of the file."""
    top = "# top\napiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\n"
    for is_last, indent, comment, end in itertools.product(
            (False, True), ("", "    "), ("", " # of it\n\n{}  # of it too\n", "\n{}# below\n"), ("\n", "")):
        entry = "".join(indent + line for line in ECR.splitlines(keepends=True))
        providers = "providers: # these\n" + entry + comment.format(indent)
        yield (top + providers if is_last else providers + top).rstrip("\n") + end


OTHER = {"name": "ecr", "apiVersion": API, "matchImages": ["a.b", "\u00e4.b"], "defaultCacheDuration": "1h",
         "args": ["x # y", "{"], "env": [{"name": "A", "value": "- b: c"}]}
IN_BRACKETS = [
    json.dumps({**HEAD, "providers": [OTHER]}),
    json.dumps({**HEAD, "providers": [OTHER]}, indent=2, ensure_ascii=False) + "\n",
    json.dumps({"providers": [OTHER, {**OTHER, "name": "x"}], **HEAD}, indent="\t"),
    json.dumps({**HEAD, "providers": [OTHER]}, separators=(",", ":")) + "\n\n",
    json.dumps({**HEAD, "providers": [OTHER]}, indent=4).replace("[\n        {", "[{").replace("}\n    ]", "}]"),
    yaml.safe_dump(HEAD) + "providers: [{name: ecr, apiVersion: " + API
    + ",\n  matchImages: [a.b],  # c\n  defaultCacheDuration: 0s},] # d\n",
    "# comment\n---\n" + json.dumps({**HEAD, "providers": [OTHER]}, indent=1) + " # c\n",
]
ODD = [
    FILE + "  env:\n  - name: A\n    value: |\n      x\n      # y\n\n  - name: B\n    value: >-\n      z\n\n# end\n",
    FILE + "  env:\n  - name: A\n    value: |+\n      x\n\n\n",
    FILE.replace("- name", "-  # c\n  name"),
    FILE + "  args:\n  # none\n",
    "%YAML 1.1\n---\n" + FILE + "...\n",
    "\ufeff" + FILE,
    FILE.replace("ecr-credential-provider", "\"\\u00e4\U0001f433\""),
    FILE + "- {name: x, apiVersion: " + API + ", matchImages: [\n  a.b ], defaultCacheDuration: 0s} # x\n",
]


def patched(path, diff):
    """What patch(1) makes of a copy of the file; None if that is no file."""
    if not shutil.which("patch"):
        skip_where_permitted("patch is not there")
    copy = path.with_name("patched")
    if path.exists():
        shutil.copy(path, copy)
    done = subprocess.run(["patch", "--binary", "-s", copy], input=diff, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b""), (done, diff)
    content = copy.read_bytes() if copy.exists() else None
    copy.unlink(missing_ok=True)
    return content


def contents(folder):
    return {path: path.is_file() and path.read_bytes() for path in folder.iterdir()}


def dry_run(path, *arguments):
    """What the file would become; nothing is written."""
    before = contents(path.parent)
    result = config(*arguments, "--dry-run", stdin=b"")
    assert (result.status, result.err) == (0, b""), result.err
    assert contents(path.parent) == before
    return patched(path, result.out)


def load(content):
    return json.loads(content) if content.startswith(b"{") else yaml.safe_load(content.decode("utf-8-sig"))


def is_longer(after, before):
    """Whether one run of bytes was inserted."""
    same = len(os.path.commonprefix([before, after])), len(os.path.commonprefix([before[::-1], after[::-1]]))
    return sum(same) >= len(before) < len(after)


@functools.cache
def provider_of(*flags):
    return yaml.safe_load(printed(*flags))["providers"][0]


def check_layout(folder, text, flags):
    """Installing keeps all other bytes and values, and removing brings back the file as it was."""
    path = write(folder / "file.yaml", text)
    before = path.read_bytes()
    (folder / "file.yaml.bak").unlink(missing_ok=True)
    expected = dry_run(path, "--install", path, *flags)
    says(path, ["--install", path, *flags], f"changed, the old file is {path}.bak", "and restart the kubelet")
    after = path.read_bytes()
    assert after == expected and is_longer(after, before)
    assert (folder / "file.yaml.bak").read_bytes() == before
    old, new = load(before), load(after)
    assert new["providers"].pop() == provider_of(*flags)
    assert new == old and list(new) == list(old)
    says(path, ["--install", path, *flags], "nothing to change")
    assert path.read_bytes() == after
    says(path, ["--remove", path], "changed", "restart the kubelet")
    assert path.read_bytes() == before
    assert names(folder) == ["file.yaml", "file.yaml.bak"]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("layouts", [list(in_blocks()), IN_BRACKETS, ODD], ids=["blocks", "brackets", "odd"])
def test_entry_comes_and_goes(tmp_path, layouts, line_end):
    some = layouts if line_end == "\n" else layouts[::4]
    for text, flags in zip(some, itertools.cycle([[], MATCH_FLAGS, ["--pods"]])):
        check_layout(tmp_path, text.replace("\n", line_end), flags)


@pytest.mark.parametrize("text", [
    yaml.safe_dump(HEAD) + "providers: []\n", json.dumps({**HEAD, "providers": []}, indent=2)])
def test_list_without_providers(tmp_path, text):
    path = write(tmp_path / "file", text)
    expected = dry_run(path, "--install", path, *MATCH_FLAGS)
    says(path, ["--install", path, *MATCH_FLAGS], "changed")
    assert path.read_bytes() == expected and is_longer(expected, text.encode())
    assert load(expected) == {**HEAD, "providers": [provider()]}


def test_version_of_the_file(tmp_path):
    path = write(tmp_path / "file.yaml", FILE.replace("/v1\n", "/v1beta1\n"))
    says(path, ["--install", path], "changed")
    assert {entry["apiVersion"] for entry in load(path.read_bytes())["providers"]} == {API + "beta1"}
    assert_failed(config("--install", path, "--pods"), 78, str(path), "tokenAttributes needs", "Write v1 in both")


OWN = f"""\
- name: {NAME} # mine
  matchImages: # these
  - 'a.b' # one
  # - "c.d"
  env: [{{name: A, value: b}}]
  args: ["--no-cache"]
  apiVersion: {API}
  defaultCacheDuration: 1m
  # end
"""


def test_entry_that_is_there_keeps_what_it_says(tmp_path):
    path = write(tmp_path / "file.yaml", FILE.replace(ECR, OWN + ECR), 0o600)
    nothing_to_change(path, "--install", path)
    says(path, ["--install", path, *MATCH_FLAGS], "changed")
    lines = "".join(f'  - "{match}"\n' for match in MATCHES)
    assert path.read_text() == FILE.replace(ECR, OWN + ECR).replace("  - 'a.b' # one\n",
                                                                    lines.rstrip("\n") + " # one\n")
    says(path, ["--install", path, "--pods"], "changed")
    ours, _ = load(path.read_bytes())["providers"]
    assert ours == provider(defaultCacheDuration="1m", args=["--no-cache"], env=[{"name": "A", "value": "b"}],
                            tokenAttributes=example("credential-provider-pods.yaml")["providers"][0]["tokenAttributes"])
    assert "\n  # - \"c.d\"\n" in path.read_text() and "  # end\n  tokenAttributes:\n" in path.read_text()
    nothing_to_change(path, "--install", path, "--pods", *MATCH_FLAGS)
    nothing_to_change(path, "--install", path)
    assert dry_run(path, "--remove", path) == FILE.encode()
    says(path, ["--remove", path], "changed")
    assert path.read_text() == FILE and path.stat().st_mode & 0o7777 == 0o600
    nothing_to_change(path, "--remove", path)


def test_examples_with_all_comments_become_one_file(tmp_path):
    with open(os.path.join(ROOT, "deploy", "credential-provider.yaml"), encoding="utf-8") as file:
        path = write(tmp_path / "file.yaml", file.read())
    nothing_to_change(path, "--install", path)
    says(path, ["--install", path, "--pods"], "changed")
    assert load(path.read_bytes()) == example("credential-provider-pods.yaml")


@pytest.mark.parametrize("text, words", [
    ("", ["the file is empty", "The command config prints"]),
    ("# nothing\n", ["the file is empty"]),
    ("kind: [\n", ["line 2"]),
    (FILE.replace("matchImages", "matchimages"), ["providers[0].matchimages", "Write matchImages"]),
    (FILE + ECR, ["given to two providers: ecr-credential-provider", "Keep one of them"]),
    (FILE.replace("kind: CredentialProviderConfig\n", ""), ["kind is missing"]),
    (FILE.replace("- name", "- &a\n  name"), ["an anchor", "by hand; this prints the entry: " + NAME + " config"]),
    (FILE + "---\n" + FILE, ["several documents", "by hand; this prints the entry: " + NAME + " config"]),
    (json.dumps({**HEAD, "providers": [OTHER]})[:-1], ["not valid JSON"]),
    (json.dumps({**HEAD, "providers": [OTHER]}) + "# c", ["not valid JSON", "must be JSON to the end"]),
    (FILE + "\0", ["control characters"]),
    (FILE.encode() + b"# \xff\n", ["UTF-8"]),
    (FILE + "#" * 2 ** 17, ["more than 131072 bytes"]),
    ("[" * 2 ** 16, ["too deep a nesting"]),
], ids=lambda value: "" if isinstance(value, list) else value[:20])
def test_file_that_is_not_touched(tmp_path, text, words):
    path = write(tmp_path / "file.yaml", text)
    before = state(path)
    for flags in ([], ["--dry-run"]):
        assert_failed(config("--install", path, *flags), 78, str(path), *words)
    assert state(path) == before and names(tmp_path) == ["file.yaml"]


def test_file_for_an_older_kubelet(tmp_path):
    path = write(tmp_path / "file.yaml", FILE)
    assert_failed(config("--install", path, "--kubelet", "1.25"), 78, "kubelet.config.k8s.io/v1, which this kubelet")
    says(path, ["--install", path, "--kubelet", "1.33", "--pods"], "changed")
    assert "cacheType" not in path.read_text() and "tokenAttributes" in path.read_text()
    assert_failed(config("--install", path, "--pods"), 78, "cacheType must be ServiceAccount or Token")


@pytest.mark.parametrize("make, words", [
    (os.mkfifo, "not a regular file"), (lambda path: path.symlink_to(path), "levels of symbolic links"),
    (lambda path: path.symlink_to("missing"), "symbolic link to nothing")])
def test_file_that_is_none(tmp_path, make, words):
    make(tmp_path / "file.yaml")
    for action in ("--install", "--remove"):
        assert_failed(config(action, tmp_path / "file.yaml"), 78, "file.yaml", words)
    assert names(tmp_path) == ["file.yaml"]


def test_new_file(tmp_path):
    for name in ("new.yaml", "new.yml", "new.json"):
        path = tmp_path / name
        expected = dry_run(path, "--install", path)
        says(path, ["--install", path], "written; put the program into the kubelet", "restart the kubelet")
        assert path.read_bytes() == expected and load(expected) == example("credential-provider.yaml")
        assert path.stat().st_mode & 0o7777 == 0o644
        nothing_to_change(path, "--install", path)
    json.loads((tmp_path / "new.json").read_text())
    assert names(tmp_path) == ["new.json", "new.yaml", "new.yml"]


@pytest.mark.parametrize("name", ["new", "new.conf", "new.yaml.d", "missing/new.yaml", "new.yaml/",
                                  "file.yaml/new.yaml"])
def test_new_file_of_another_name(tmp_path, name):
    write(tmp_path / "file.yaml", FILE)
    result = config("--install", f"{tmp_path}/{name}")
    assert_failed(result, 78, "there is no ", f"{tmp_path}/{name}. Create ")
    assert names(tmp_path) == ["file.yaml"]


def test_only_provider(tmp_path):
    path = tmp_path / "file.yaml"
    config("--install", path)
    before = path.read_bytes()
    assert dry_run(path, "--remove", path) is None
    says(path, ["--remove", path], f"removed, the old file is {path}.bak", "remove the flags "
         "--image-credential-provider-config and --image-credential-provider-bin-dir, and restart the kubelet")
    assert names(tmp_path) == ["file.yaml.bak"] and (tmp_path / "file.yaml.bak").read_bytes() == before
    says(path, ["--remove", path], "nothing to change")


def test_first_backup_is_kept(tmp_path):
    path, backup = write(tmp_path / "file.yaml", FILE), tmp_path / "file.yaml.bak"
    says(path, ["--install", path], f"changed, the old file is {backup}")
    says(path, ["--remove", path], f"changed, {backup} is of an earlier change; restart")
    assert backup.read_text() == path.read_text() == FILE
    path.write_text(printed())
    says(path, ["--remove", path], f"removed, {backup} is of an earlier change; remove the flags")
    assert names(tmp_path) == [backup.name] and backup.read_text() == FILE


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of others")
def test_root_follows_nobody_else(tmp_path):
    path, link = write(tmp_path / "file.yaml", FILE), tmp_path / "link.yaml"
    link.symlink_to(path)
    os.lchown(link, 65533, 65534)
    for action in ("--install", "--remove"):
        assert_failed(config(action, link), 78, f"{link}: the symbolic link belongs to user 65533, not to root. Run it")
    os.chown(tmp_path, 65533, 65534)
    assert_failed(config("--install", path), 78, f"{path}: its directory belongs to user 65533, not to root. Run it")
    assert path.read_text() == FILE


def test_link_to_the_file(tmp_path):
    (tmp_path / "real").mkdir()
    path, link = write(tmp_path / "real" / "file", FILE, 0o640), tmp_path / "link.yaml"
    if os.geteuid() == 0:
        os.chown(path, 65533, 65534)
    link.symlink_to("real/file")
    before = path.stat()
    says(path, ["--install", link], "changed")
    after = path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert link.is_symlink() and names(tmp_path) == ["link.yaml", "real"]
    assert names(tmp_path / "real") == ["file", "file.bak"]


def test_folder_that_may_not_be_written(tmp_path):
    path = write(tmp_path / "file.yaml", FILE)
    tmp_path.chmod(0o555)
    try:
        for arguments in (["--install", path], ["--install", tmp_path / "new.yaml"], ["--install", tmp_path]):
            result = config(*arguments, prefix=NO_RIGHTS)
            assert_failed(result, 78, "ermission denied", "Run it as a user who may write")
    finally:
        tmp_path.chmod(0o755)
    assert path.read_text() == FILE and names(tmp_path) == ["file.yaml"]


@pytest.mark.skipif(bool(WRAPPER), reason="the wrapper would write files, too")
def test_full_disk(tmp_path):
    if not shutil.which("prlimit"):
        skip_where_permitted("prlimit is not there")
    path = write(tmp_path / "file.yaml", FILE)
    result = config("--install", path, prefix=["prlimit", f"--fsize={len(FILE) + 1}"])
    assert_failed(result, 78, "File too large")
    assert path.read_text() == FILE and names(tmp_path) in (["file.yaml"], ["file.yaml", "file.yaml.bak"])


def test_several_at_once(tmp_path):
    path = write(tmp_path / "file.yaml", FILE)
    commands = [[*WRAPPER, PROGRAM, "config", action, path] for action in ("--install", "--remove", "--install") * 4]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={}, text=True)
                 for command in commands]
    for process in processes:
        out, err = process.communicate(timeout=120)
        assert process.returncode in (0, 75) and (out + err).count("\n") == 1
        assert process.returncode == 0 or "somebody else has changed" in err and "Run it again" in err
    assert path.read_text() in (FILE, FILE + printed().partition("providers:\n")[2])
    assert names(tmp_path) == ["file.yaml", "file.yaml.bak"]


# -- a directory of the kubelet ---------------------------------------------------------------------------------


NEW = f"50-{NAME}.yaml"


def test_directory_gets_a_file(tmp_path):
    write(tmp_path / "10-ecr.yaml", FILE)
    write(tmp_path / "old.yaml.bak", "{")
    (tmp_path / "folder.yaml").mkdir()
    expected = dry_run(tmp_path / NEW, "--install", tmp_path)
    says(tmp_path / NEW, ["--install", tmp_path], "written", "restart the kubelet")
    assert (tmp_path / NEW).read_bytes() == expected
    nothing_to_change(tmp_path / NEW, "--install", tmp_path, "--kubelet", "1.34")
    says(tmp_path / NEW, ["--remove", tmp_path], f"removed, the old file is {tmp_path / NEW}.bak; restart the kubelet")
    assert names(tmp_path) == ["10-ecr.yaml", NEW + ".bak", "folder.yaml", "old.yaml.bak"]
    says(tmp_path / NEW, ["--remove", tmp_path], "nothing to change")


def test_directory_that_has_the_entry(tmp_path):
    path = write(tmp_path / "20-all.json", json.dumps({**HEAD, "providers": [OTHER, provider(matchImages=["x.y"])]}))
    write(tmp_path / "10-ecr.yml", FILE)
    nothing_to_change(path, "--install", tmp_path)
    says(path, ["--install", tmp_path, *MATCH_FLAGS], "changed")
    assert json.loads(path.read_text())["providers"] == [OTHER, provider()]
    says(path, ["--remove", tmp_path], "changed", "; restart the kubelet")
    assert json.loads(path.read_text())["providers"] == [OTHER]
    assert names(tmp_path) == ["10-ecr.yml", "20-all.json", "20-all.json.bak"]


def test_directory_with_its_file_for_others(tmp_path):
    path = write(tmp_path / NEW, FILE)
    says(path, ["--install", tmp_path], "changed")
    assert [entry["name"] for entry in load(path.read_bytes())["providers"]] == ["ecr-credential-provider", NAME]


def test_last_file_of_a_directory(tmp_path):
    config("--install", tmp_path)
    (tmp_path / "folder.yaml").mkdir()
    write(tmp_path / "60-empty.yaml", yaml.safe_dump(HEAD) + "providers: []\n")
    says(tmp_path / NEW, ["--remove", tmp_path], "removed", "remove the flags --image-credential-provider-config")
    assert names(tmp_path) == [NEW + ".bak", "60-empty.yaml", "folder.yaml"]


@pytest.mark.parametrize("make, words", [
    (lambda path: write(path, "{"), "not valid JSON"),
    (lambda path: write(path, FILE.replace("- name", "- &a\n  name")), "an anchor"),
    (os.mkfifo, "is not a regular file"), (lambda path: path.symlink_to("missing"), "symbolic link to nothing")])
def test_directory_with_a_file_that_cannot_be_read(tmp_path, make, words):
    make(tmp_path / "10-x.yaml")
    for action in ("--install", "--remove"):
        assert_failed(config(action, tmp_path), 78, "10-x.yaml", words)
    assert names(tmp_path) == ["10-x.yaml"]


def test_directory_with_two_entries(tmp_path):
    for name in ("a.yaml", "b.json"):
        config("--install", tmp_path / name)
    assert_failed(config("--install", tmp_path), 78, f"{tmp_path}/a.yaml and {tmp_path}/b.json have an entry")


def test_directory_for_an_older_kubelet(tmp_path):
    result = config("--install", tmp_path, "--kubelet", "1.33")
    assert_failed(result, 64, f"{tmp_path} is a directory, which needs Kubernetes 1.34 or later. Name a file")
    assert names(tmp_path) == []


# -- docker -----------------------------------------------------------------------------------------------------


HOST = "demo-registry.cn-hangzhou.cr.aliyuncs.com"


def docker(document, indent="\t"):
    return json.dumps(document, indent=indent)


def helpers(path):
    return json.loads(path.read_text())["credHelpers"]


def test_docker_file_of_a_home(tmp_path):
    path = tmp_path / ".docker" / "config.json"
    result = config("--docker", HOST, "hub.example.com:5000", environment={"HOME": str(tmp_path)})
    assert (result.status, result.out) == (0, f"{path}: written\n")
    text = path.read_text()
    assert text == docker({"credHelpers": {HOST: "aliyun-acr", "hub.example.com:5000": "aliyun-acr"}}) + "\n"
    assert path.stat().st_mode & 0o7777 == 0o600 and path.parent.stat().st_mode & 0o7777 == 0o700
    again = config("--docker", HOST, environment={"DOCKER_CONFIG": str(path.parent), "HOME": "/nowhere"})
    assert again.out == f"{path}: nothing to change\n" and names(path.parent) == ["config.json"]


def test_docker_file_without_its_folder(tmp_path):
    path = tmp_path / "folder" / "config.json"
    says(path, ["--docker", path, HOST, "--dry-run"], "would be changed")
    assert names(tmp_path) == []
    assert_failed(config("--docker", tmp_path / "a" / "b" / "config.json", HOST), 78, "cannot make the directory")
    assert names(tmp_path) == []


@pytest.mark.parametrize("indent", ["\t", 2, None])
@pytest.mark.parametrize("document", [
    {}, {"auths": {"x": {"auth": "eA=="}}, "credsStore": "desktop"}, {"credHelpers": {}, "auths": {}},
    {"auths": {}, "credHelpers": {"x.y": "other"}, "currentContext": "\u00e4"}])
def test_docker_file_keeps_all_else(tmp_path, document, indent):
    path = write(tmp_path / "config.json", docker(document, indent), 0o600)
    says(path, ["--docker", path, HOST, "--dry-run"], "would be changed\n")  # without a log-in of the file
    assert path.read_text() == docker(document, indent)
    says(path, ["--docker", path, HOST], f"changed, the old file is {path}.bak\n")
    expected = path.read_bytes()
    assert is_longer(expected, docker(document, indent).encode())
    assert json.loads(expected) == {**document, "credHelpers": {**document.get("credHelpers", {}), HOST: "aliyun-acr"}}
    if indent == "\t" and document.get("credHelpers", True) and document:
        assert expected.decode() == docker(json.loads(expected))
    assert path.stat().st_mode & 0o7777 == (tmp_path / "config.json.bak").stat().st_mode & 0o7777 == 0o600
    says(path, ["--docker", path, HOST], "nothing to change")


def test_docker_file_with_another_helper(tmp_path):
    path = write(tmp_path / "config.json", docker({"credHelpers": {HOST: "other", "x.y": "other"}}))
    says(path, ["--docker", path, HOST], "changed")
    assert path.read_text() == docker({"credHelpers": {HOST: "aliyun-acr", "x.y": "other"}})


@pytest.mark.parametrize("text, words", [
    ("{", "not valid JSON"), ("[]", "must be a JSON object"), ('{"credHelpers": 1}', "must be an object"),
    ("{}" + " " * 2 ** 17, "more than 131072 bytes")],
    ids=["syntax", "array", "number", "large"])
def test_docker_file_that_is_not_touched(tmp_path, text, words):
    path = write(tmp_path / "config.json", text)
    assert_failed(config("--docker", path, HOST), 78, str(path), words)
    assert path.read_text() == text and names(tmp_path) == ["config.json"]


@pytest.mark.parametrize("host", ["*.cr.aliyuncs.com", "https://a.b", "a.b/c", "a.b:x", "a..b", "localhost", "a b.c"])
def test_hosts_that_docker_does_not_know(tmp_path, host):
    result = config("--docker", tmp_path / "config.json", "a.b", host)
    assert_failed(result, 64, host, "is not the host of a registry", "docker knows no patterns and no paths")
    assert names(tmp_path) == []


def test_docker_without_host_home_or_file(tmp_path):
    assert_failed(config("--docker", tmp_path / "config.json"), 64, "HOST")
    assert_failed(config("--docker", tmp_path / "x" / "..", "a.b"), 78, "directory")


# -- the program itself --------------------------------------------------------------------------------------------


def test_bin_dir(tmp_path):
    """The executable and docker's link, before the configuration that names it; twice is as once."""
    target, path = tmp_path / "bin", tmp_path / "a.yaml"
    target.mkdir()
    run = config("--install", str(path), "--bin-dir", str(target))
    assert run.status == 0 and run.out == f"{target}: {NAME} written\n{path}: written; restart the kubelet\n"
    with open(PROGRAM, "rb") as file:
        assert (target / NAME).read_bytes() == file.read()
    assert (target / NAME).stat().st_mode & 0o7777 == 0o755
    assert os.readlink(target / "docker-credential-aliyun-acr") == NAME
    assert call("version", program=str(target / NAME)).status == 0
    again = config("--install", str(path), "--bin-dir", str(target))
    assert again.out == f"{target}: nothing to change\n{path}: nothing to change\n"
    (target / NAME).chmod(0o644)
    if os.geteuid() == 0:
        os.chown(target / NAME, 65533, 65534)
    third = config("--install", str(path), "--bin-dir", str(target))
    assert third.out == f"{target}: {NAME} written\n{path}: nothing to change\n"
    found = (target / NAME).stat()
    assert (found.st_mode & 0o7777, found.st_uid, found.st_gid) == (0o755, os.geteuid(), os.getegid())
    assert names(target) == [NAME, "docker-credential-aliyun-acr"]


def test_bin_dir_takes_the_place_of_a_program_that_runs(tmp_path):
    shutil.copy("/bin/sleep", tmp_path / NAME)
    with subprocess.Popen([tmp_path / NAME, "60"]) as old:
        assert config("--install", str(tmp_path / "a.yaml"), "--bin-dir", str(tmp_path)).status == 0
        assert old.poll() is None
        old.kill()
    assert call("version", program=str(tmp_path / NAME)).status == 0


def test_bin_dir_that_is_not_there(tmp_path):
    missing = tmp_path / "bin"
    for flags in ([], ["--dry-run"]):
        run = config("--install", str(tmp_path / "a.yaml"), "--bin-dir", str(missing), *flags)
        assert_failed(run, 78, f"there is no directory for {missing}/{NAME}")
    assert list(tmp_path.iterdir()) == []
    assert_failed(config("--bin-dir", str(tmp_path)), 64, "--bin-dir is valid only with --install")


def test_dry_run_writes_no_program(tmp_path):
    assert config("--install", str(tmp_path / "a.yaml"), "--bin-dir", str(tmp_path), "--dry-run").status == 0
    assert list(tmp_path.iterdir()) == []
