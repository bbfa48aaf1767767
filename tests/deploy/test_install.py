"""deploy/install.sh by three shells, in folders that stand in for the root and in real ones where busybox is all."""

import hashlib
import http.server
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import threading

import pytest
from made_up_node import BIN, CONFIG, K3S_BIN, K3S_CONFIG, PROVIDER, MadeUpNode, configuration, entry
from program_run import PROGRAM, ROOT, keys, skip_where_permitted

SCRIPT = os.path.join(ROOT, "deploy", "install.sh")
INSTALLED, LINK = f"{BIN}/{PROVIDER}", f"{BIN}/docker-credential-aliyun-acr"
FOLDER = "/etc/kubernetes/credential-providers.d"
NEW = pathlib.Path(PROGRAM).read_bytes()
OLD = NEW + b"an older one"  # which does the same
NAMESPACE = ["unshare", "--map-root-user", "--mount", "--pid", "--fork"]
USED = ("cat", "chmod", "cp", "grep", "ln", "mkdir", "mktemp", "mv", "od", "readlink", "rm", "rmdir", "sed",
        "sha256sum", "sync", "tail", "tr", "uname")


@pytest.fixture(params=["dash", "bash", "busybox sh"])
def shell(request):
    words = request.param.split()
    return words if shutil.which(words[0]) else skip_where_permitted(f"{words[0]} is not there")


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "root").mkdir()
    return MadeUpNode(tmp_path / "root")


@pytest.fixture
def source(tmp_path):
    """A folder as the page of a release is."""
    folder = tmp_path / "release"
    folder.mkdir()
    return Release(folder)


class Release:
    def __init__(self, folder):
        self.folder, self.file, self.sums = folder, folder / (PROVIDER + "-x86_64"), folder / "SHA256SUMS"
        self.write(NEW)

    def write(self, content, listed=None):
        self.file.write_bytes(content)
        sum_ = hashlib.sha256(content if listed is None else listed).hexdigest()
        self.sums.write_text(f"{'0' * 64}  other\n{sum_}  {self.file.name}\n")

    def sign(self):
        """The file of the public key."""
        if not shutil.which("minisign"):
            skip_where_permitted("minisign is not there")
        key = self.folder / "key.pub"
        for arguments in (["-G", "-W", "-p", key, "-s", self.folder / "key"],
                          ["-S", "-s", self.folder / "key", "-m", self.sums]):
            subprocess.run(["minisign", *arguments], check=True, capture_output=True)
        return key


def install(*arguments, shell=("dash",), prefix=(), environment=None, **keywords):
    done = subprocess.run([*prefix, *shell, SCRIPT, *map(str, arguments)], capture_output=True, text=True, check=False,
                          env={"PATH": os.environ["PATH"], **(environment or {})}, timeout=120, **keywords)
    assert done.returncode == 0 or re.search("^(install.sh|aliyun-acr-credential-provider): .+$", done.stderr, re.M)
    return done


def install_in(tree, *arguments, **keywords):
    return install("--root", tree.root, *arguments, **keywords)


def assert_refused(done, status, *words):
    assert done.returncode == status, done.stderr
    for word in words:
        assert word in done.stderr


def files(tree):
    """All but folders, made anew or not."""
    return {path: state for path, state in tree.state().items() if not os.path.isdir(path)}


OTHER = configuration(entry(name="ecr-credential-provider", matchImages=["*.dkr.ecr.*.amazonaws.com"]))


@pytest.mark.parametrize("place, existing", [(CONFIG, None), (CONFIG, OTHER), (FOLDER, None)],
                         ids=["new", "beside-another", "folder"])
def test_install_again_and_uninstall(shell, tree, source, place, existing):
    if existing:
        tree.write(place, existing)
    before = files(tree)
    arguments = ["--config", place, "--from", source.file]
    done = install_in(tree, *arguments, shell=shell)
    assert done.returncode == 0, done.stderr
    assert "nothing to change" not in done.stdout and "restart the kubelet" not in done.stdout
    assert tree.path(INSTALLED).read_bytes() == NEW and os.readlink(tree.path(LINK)) == PROVIDER
    assert f"--image-credential-provider-config={place} --image-credential-provider-bin-dir={BIN}" in done.stdout
    written, = [path for path in files(tree) if re.search(r"kubernetes/.*\.yaml$", path)]
    assert PROVIDER in pathlib.Path(written).read_text()
    installed = tree.state()
    assert install_in(tree, *arguments, shell=shell).stdout.count("nothing to change") == 2
    assert tree.state().keys() == installed.keys() and files(tree) == {path: installed[path] for path in files(tree)}
    done = install_in(tree, "--config", place, "--uninstall", shell=shell)
    assert done.returncode == 0 and f"{written}.bak" in done.stdout
    assert "restart the kubelet" not in done.stdout and ("remove the flags" in done.stdout) == (not existing)
    after = files(tree)
    assert after.keys() == before.keys() | {f"{written}.bak"}
    assert {path: after[path][2] for path in before} == {path: before[path][2] for path in before}
    assert install_in(tree, "--config", place, "--uninstall", shell=shell).returncode == 0


def test_without_the_kubelet(tree, source):
    assert install_in(tree, "--from", source.file, "--no-config").returncode == 0
    assert tree.path(INSTALLED).exists() and not tree.path("/etc").exists()


@pytest.mark.parametrize("folder", [
    "etc/rancher/k3s", "etc/rancher/rke2", "var/lib/rancher/k3s", "var/lib/rancher/rke2"])
def test_folders_of_k3s(tree, source, folder):
    tree.path(f"/{folder}").mkdir(parents=True)
    before = tree.state().keys()
    done = install_in(tree, "--from", source.file)
    assert "need no flags" in done.stdout and "--image" not in done.stdout
    assert tree.path(f"{K3S_BIN}/{PROVIDER}").read_bytes() == NEW and PROVIDER in tree.path(K3S_CONFIG).read_text()
    done = install_in(tree, "--uninstall")
    assert done.returncode == 0 and done.stdout.endswith(f"{K3S_CONFIG}.bak\n")
    tree.path(K3S_CONFIG + ".bak").unlink()
    assert {path for path in tree.state().keys() - before if not os.path.isdir(path)} == set()


def test_upgrade_while_the_old_one_runs(shell, tree, source):
    tree.write(INSTALLED, pathlib.Path(shutil.which("sleep")).read_bytes(), mode=0o755)
    with subprocess.Popen([tree.path(INSTALLED), "60"]) as running:
        try:
            done = install_in(tree, "--from", source.file, shell=shell)
            assert done.returncode == 0, done.stderr
            assert tree.path(INSTALLED).read_bytes() == NEW and running.poll() is None
        finally:
            running.kill()


def other_machine():
    changed = bytearray(NEW)
    changed[18:20] = {b"\x3e\0": b"\xb7\0"}.get(bytes(NEW[18:20]), b"\x3e\0")
    return bytes(changed)


@pytest.mark.parametrize("content, word", [
    (other_machine(), "not an executable for this machine"), (NEW[:1000], "does not run"),
    (b"#!/bin/sh\ntouch was-run\n", "not an executable"), (b"<html>Not found</html>\n", "not an executable"),
    (b"", "not an executable"), (pathlib.Path(shutil.which("echo")).read_bytes(), "is not " + PROVIDER)],
    ids=["machine", "truncated", "script", "page", "empty", "other"])
def test_what_is_not_the_program(shell, tree, source, content, word):
    tree.write(INSTALLED, OLD, mode=0o755)
    before = tree.state().keys()
    source.write(content)
    assert_refused(install_in(tree, "--from", source.file, shell=shell, cwd=tree.root), 65, word)
    assert tree.path(INSTALLED).read_bytes() == OLD and tree.state().keys() == before


def test_checksums(shell, tree, source):
    sum_ = hashlib.sha256(NEW).hexdigest()
    for arguments, status in ((["--sha256", sum_.upper()], 0), (["--sha256", "1" * 64], 65), ([], 0)):
        assert install_in(tree, "--from", source.file, *arguments, shell=shell).returncode == status
    for wrong in (" ", sum_[1:], f"{sum_} {sum_}", f"{sum_}  {source.file.name}"):
        done = install_in(tree, "--from", source.file, "--sha256", wrong, shell=shell)
        assert_refused(done, 64, "64 hexadecimal digits")
    source.write(NEW, listed=OLD)
    assert_refused(install_in(tree, "--from", source.file, shell=shell), 65, "wrong checksum")
    source.sums.write_text(f"{sum_}  other\n")
    assert_refused(install_in(tree, "--from", source.file, shell=shell), 65, "does not list it")
    assert tree.path(INSTALLED).read_bytes() == NEW
    source.sums.unlink()
    done = install_in(tree, "--from", source.file, shell=shell)
    assert done.returncode == 0 and "not checked: no --sha256, and no SHA256SUMS" in done.stderr


def test_file_in_place_of_the_link(tree, source):
    tree.write(LINK, "another program")
    assert_refused(install_in(tree, "--from", source.file), 73, "is not a link")
    assert tree.path(LINK).read_text() == "another program"


def test_signatures(shell, tree, source):
    key = source.sign()
    text = key.read_text().splitlines()[1]
    arguments = ["--from", source.file, "--minisign-key"]
    for given in (key, text):
        done = install_in(tree, *arguments, given, shell=shell)
        assert done.returncode == 0 and done.stderr == ""
    assert "not checked" in install_in(tree, "--from", source.file, shell=shell).stderr
    assert_refused(install_in(tree, *arguments, text[:-8] + "AAAAAAA=", shell=shell), 65, "wrong signature")
    missing = source.folder / "none.pub"
    assert_refused(install_in(tree, *arguments, missing, shell=shell), 66, f"cannot read the key {missing}")
    source.write(OLD)
    assert_refused(install_in(tree, *arguments, key, shell=shell), 65, "wrong signature")
    (source.folder / "SHA256SUMS.minisig").unlink()
    assert_refused(install_in(tree, *arguments, key, shell=shell), 66, "SHA256SUMS.minisig")
    assert tree.path(INSTALLED).read_bytes() == NEW


@pytest.mark.parametrize("folder, mount, status", [
    (BIN, "-o ro", 73), (BIN, "-o size=64k", 74), (os.path.dirname(CONFIG), "-o ro", 73)],
    ids=["read-only", "full", "configuration"])
def test_target_that_takes_nothing(shell, tree, source, folder, mount, status):
    place = tree.path(folder)
    place.mkdir(parents=True)
    script = f'mount -t tmpfs {mount} none {place} && "$@"; status=$?; ls -A {place}; exit $status'
    done = install_in(tree, "--from", source.file, shell=shell, prefix=[*NAMESPACE, "sh", "-c", script, "sh"])
    if "mount" in done.stderr or "unshare" in done.stderr:
        skip_where_permitted("this machine allows no mount namespace")
    assert_refused(done, status, "cannot write")
    assert done.stdout == "" and not tree.path(INSTALLED).exists()  # nor is a file left


def test_configuration_that_is_refused(shell, tree, source):
    tree.write(CONFIG, "kind: Pod\n").write(INSTALLED, OLD, mode=0o755)
    before = files(tree)
    assert_refused(install_in(tree, "--from", source.file, shell=shell), 78, CONFIG)
    assert files(tree) == before


def test_entry_without_its_program(shell, tree, source):
    install_in(tree, "--from", source.file, shell=shell)
    assert_refused(install_in(tree, "--uninstall", "--no-config", shell=shell), 78, "still has the entry")
    tree.remove(INSTALLED)
    before = files(tree)
    assert_refused(install_in(tree, "--uninstall", shell=shell), 78, "still has the entry")
    assert files(tree) == before


def test_program_that_takes_no_entry_out(tree):
    """Such as one that is older than this command."""
    tree.write(INSTALLED, "#!/bin/sh\n", mode=0o755).write(CONFIG, configuration())
    assert_refused(install_in(tree, "--uninstall"), 78, "still has the entry")
    assert tree.path(INSTALLED).exists()


@pytest.mark.parametrize("link", ["/usr/local", "/usr/local/bin", "/etc/kubernetes", CONFIG])
def test_links_that_lead_out_of_the_tree(tree, source, tmp_path, link):
    outside = tmp_path / "outside"
    outside.mkdir()
    tree.link(link, outside)
    assert_refused(install_in(tree, "--from", source.file), 78, str(tree.root))
    assert os.listdir(outside) == []


@pytest.mark.parametrize("arguments, status, word", [
    ([], 64, "--from"), (["--from"], 64, "argument"), (["more"], 64, "more"),
    (["--from", "http://example.com/a"], 64, "https"), (["--from", "file:///a"], 64, "https"),
    (["--from", "a", "--bin-dir", "bin"], 64, "absolute"), (["--from", "a", "--bin-dir", "/"], 64, "absolute"),
    (["--from", "a", "--config", "b.yaml"], 64, "absolute"),
    (["--from", "/nonexistent"], 66, "/nonexistent")])
def test_command_line(shell, tree, arguments, status, word):
    assert_refused(install_in(tree, *arguments, shell=shell), status, word)
    assert PROVIDER not in "".join(tree.state())


def test_help(shell):
    assert install("--help", shell=shell).stdout.startswith("usage: install.sh ")


# -- downloads


class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if not self.path.startswith("/to-http/"):
            super().do_GET()
        else:
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:1" + self.path)
            self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def url(source):
    """Of the release, by HTTPS."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), lambda *arguments: Handler(
            *arguments, directory=source.folder)) as server:
        server.socket = keys().authority.context("127.0.0.1").wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        yield f"https://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def trust():
    if not shutil.which("curl"):
        skip_where_permitted("curl is not there")
    return {"CURL_CA_BUNDLE": keys().authority.ca}


def test_download(shell, tree, source, url, trust):
    here = f"{url}/{source.file.name}"
    key = source.sign()
    for arguments in ([], ["--minisign-key", key], ["--sha256", hashlib.sha256(NEW).hexdigest()]):
        done = install_in(tree, "--from", here, *arguments, shell=shell, environment=trust)
        assert done.returncode == 0, done.stderr
        assert tree.path(INSTALLED).read_bytes() == NEW


def test_download_that_fails(shell, tree, source, url, trust):
    here = f"{url}/{source.file.name}"
    assert_refused(install_in(tree, "--from", here, shell=shell), 69, "certificate")
    for path in ("/missing", f"/to-http/{source.file.name}"):
        assert_refused(install_in(tree, "--from", url + path, shell=shell, environment=trust), 69, "curl: ")
    source.write(OLD, listed=NEW)
    assert_refused(install_in(tree, "--from", here, shell=shell, environment=trust), 65, "wrong checksum")
    source.sums.unlink()
    assert_refused(install_in(tree, "--from", here, shell=shell, environment=trust), 69, "SHA256SUMS")
    assert os.listdir(tree.path(BIN)) == []


def test_download_without_curl(tree, source, url, tmp_path):
    """What wget gets counts only if its checksum is known."""
    (tmp_path / "bin").mkdir()
    for tool in ("wget", *USED):
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool) or skip_where_permitted(f"{tool} is not there"))
    (tmp_path / "wgetrc").write_text(f"ca_certificate = {keys().authority.ca}\n")
    environment = {"PATH": str(tmp_path / "bin"), "WGETRC": str(tmp_path / "wgetrc")}
    arguments = ["--from", f"{url}/{source.file.name}"]
    shell = [shutil.which("dash") or "/bin/sh"]
    assert_refused(install_in(tree, *arguments, shell=shell, environment=environment), 69, "--sha256")
    arguments += ["--sha256", hashlib.sha256(NEW).hexdigest()]
    assert install_in(tree, *arguments, shell=shell, environment=environment).returncode == 0
    assert tree.path(INSTALLED).read_bytes() == NEW


# -- kills


@pytest.mark.slow
def test_killed_at_any_point(tree, source, tmp_path):
    """Before each command that it runs, with all that it has started."""
    counter = tmp_path / "counter"
    (tmp_path / "bin").mkdir()
    for tool in USED:
        (tmp_path / "bin" / tool).write_text(
            f"#!/bin/sh\nread -r count <{counter}\n[ $count -gt 1 ] || kill -9 0\necho $((count - 1)) >{counter}\n"
            f'exec {shutil.which(tool)} "$@"\n')
        (tmp_path / "bin" / tool).chmod(0o755)
    environment = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
    seen, killed, count = set(), True, 0
    while killed:
        count += 1
        counter.write_text(f"{count}\n")
        tree.write(INSTALLED, OLD, mode=0o755)
        tree.path(CONFIG).unlink(missing_ok=True)
        done = subprocess.run(["dash", SCRIPT, "--root", tree.root, "--from", source.file], start_new_session=True,
                              capture_output=True, check=False, env=environment)
        killed = done.returncode == -9
        seen.add(tree.path(INSTALLED).read_bytes())
        assert seen <= {OLD, NEW} and os.access(tree.path(INSTALLED), os.X_OK)
        assert not tree.path(CONFIG).exists() or PROVIDER in tree.path(CONFIG).read_text()
    assert done.returncode == 0 and count > 15 and seen == {OLD, NEW}
    assert len(os.listdir(tree.path(BIN))) > 2  # what the killed ones could not remove
    assert install_in(tree, "--uninstall").returncode == 0 and os.listdir(tree.path(BIN)) == []


# -- roots of their own


@pytest.fixture
def busybox(tmp_path):
    """A root in which there is nothing but busybox, the script, and the program with its libraries."""
    if not shutil.which("busybox") or "not a dynamic" not in subprocess.run(
            ["ldd", shutil.which("busybox")], capture_output=True, text=True, check=False).stderr:
        skip_where_permitted("busybox is not there, or not static")
    tree = MadeUpNode(tmp_path / "root")
    tree.write("/bin/busybox", pathlib.Path(shutil.which("busybox")).read_bytes(), mode=0o755)
    for applet in ("sh", "sleep", *USED):
        tree.link(f"/bin/{applet}", "busybox")
    tree.write("/dev/null", "").write("/source/program", NEW, mode=0o755)
    tree.write("/source/install.sh", pathlib.Path(SCRIPT).read_bytes())
    linked = subprocess.run(["ldd", PROGRAM], capture_output=True, text=True, check=False).stdout
    for library in re.findall(r"(/\S+) \(0x", linked):
        tree.write(library, pathlib.Path(library).read_bytes(), mode=0o755)
    return tree


def run_in(tree, script):
    """By busybox, in its root, with processes of its own."""
    root = shlex.quote(str(tree.root))
    done = subprocess.run([*NAMESPACE, "sh", "-c", f'rm -r {root}/proc/*; mount -t proc none {root}/proc && '
                           f'exec chroot {root} /bin/sh -euc "$0"', script], capture_output=True, text=True,
                          check=False, env={"PATH": os.environ["PATH"] + ":/bin"}, timeout=60)
    if "mount" in done.stderr or "unshare" in done.stderr:
        skip_where_permitted("this machine allows no mount namespace")
    return done


def test_busybox_alone(busybox):
    before = files(busybox)
    done = run_in(busybox, "for time in 1 2; do sh /source/install.sh --from /source/program; done")
    assert done.returncode == 0 and done.stdout.count("nothing to change") == 2, done.stderr
    assert f"{CONFIG}: written; restart the kubelet\n" in done.stdout
    assert busybox.path(INSTALLED).read_bytes() == NEW and PROVIDER in busybox.path(CONFIG).read_text()
    done = run_in(busybox, "sh /source/install.sh --uninstall")
    assert done.returncode == 0 and re.search("; remove the flags .*, and restart the kubelet\n$", done.stdout)
    assert files(busybox).keys() - before.keys() == {str(busybox.path(CONFIG + ".bak"))}


def test_k3s_that_is_told_to_restart(busybox):
    busybox.path("/var/lib/rancher/k3s").mkdir(parents=True)
    assert run_in(busybox, "sh /source/install.sh --from /source/program").returncode == 0
    done = run_in(busybox, "sh /source/install.sh --uninstall")
    assert done.stdout == f"{K3S_CONFIG}: removed, the old file is {K3S_CONFIG}.bak; restart the kubelet\n"


def run_beside_kubelet(busybox, join, arguments):
    return run_in(busybox, f"kubelet --image-credential-provider-config{join}/opt/config.yaml --v=2 "
                  f"--image-credential-provider-bin-dir{join}/opt/bin & until tr '\\0' ' ' </proc/$!/cmdline | "
                  f"grep -q '^/bin/sh /bin/kubelet '; do :; done; sh /source/install.sh {arguments}")


@pytest.mark.parametrize("join", ["=", " "])
def test_folders_of_the_kubelet_that_runs(busybox, join):
    """They are the default, and nothing is left to do but what the program says."""
    busybox.write("/opt/config.yaml", OTHER).write("/opt/bin/other", "").write(
        "/bin/kubelet", "#!/bin/sh\nsleep 60\n", mode=0o755)
    done = run_beside_kubelet(busybox, join, "--from /source/program")
    assert done.returncode == 0, done.stderr
    assert busybox.path(f"/opt/bin/{PROVIDER}").read_bytes() == NEW
    assert PROVIDER in busybox.path("/opt/config.yaml").read_text() and not busybox.path("/etc").exists()
    assert "restart the kubelet" in done.stdout and "Left to do" not in done.stdout
    refused = run_beside_kubelet(busybox, join, "--from /source/program --bin-dir /usr/bin")
    assert_refused(refused, 78, "the programs of /opt/config.yaml in /opt/bin, not in /usr/bin")


def test_file_that_the_kubelet_needs(busybox):
    """With flags that name a missing file it would not start again."""
    busybox.write("/opt/bin/other", "").write("/bin/kubelet", "#!/bin/sh\nsleep 60\n", mode=0o755)
    assert run_beside_kubelet(busybox, "=", "--from /source/program").returncode == 0
    assert_refused(run_beside_kubelet(busybox, "=", "--uninstall"), 78, "start it without them first")
    assert busybox.path("/opt/config.yaml").exists() and busybox.path(f"/opt/bin/{PROVIDER}").exists()


@pytest.mark.parametrize("manager, question", [("dpkg-query", "-S"), ("rpm", "-qf")])
@pytest.mark.parametrize("action", ["--from", "--uninstall"])
def test_what_a_package_has_is_left_to_it(shell, tmp_path, source, manager, question, action):
    if (manager, shell[0]) == ("rpm", "busybox"):
        pytest.skip("busybox runs an rpm of its own, which cannot tell whose a file is")
    bin_dir = tmp_path / "bin"
    bin_dir.mkdir()
    (bin_dir / PROVIDER).write_bytes(OLD)
    managers = tmp_path / "managers"
    managers.mkdir()
    for name in "dpkg-query", "rpm":
        (managers / name).write_text("#!/bin/sh\n"
                                     f'[ "$0 $1 $2" = "{managers}/{manager} {question} {bin_dir}/{PROVIDER}" ]\n')
        (managers / name).chmod(0o755)
    done = install(action, *([source.file] if action == "--from" else []), "--bin-dir", bin_dir, "--config",
                   tmp_path / "providers.yaml", shell=shell,
                   environment={"PATH": f"{managers}:{os.environ['PATH']}"})
    assert_refused(done, 78, f"{bin_dir}/{PROVIDER} is a package's")
    assert (bin_dir / PROVIDER).read_bytes() == OLD and not (tmp_path / "providers.yaml").exists()
