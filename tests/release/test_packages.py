"""What the page of a release holds: packages, archives, images and extensions, which are unpacked, installed, run and
removed. RELEASE_FOLDER names where deploy/static/build.sh has put both executables."""

import ctypes
import filecmp
import glob
import gzip
import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile

import pytest
import yaml
from made_up_node import CONFIG
from program_run import DEMO, ROOT, request, skip_where_permitted

# One process builds all that they look at.
pytestmark = pytest.mark.xdist_group("packages")

FOLDER = os.environ["RELEASE_FOLDER"]
NAME = "aliyun-acr-credential-provider"
LINK = "docker-credential-aliyun-acr"
DOC = f"share/doc/{NAME}"
BUILD = os.path.join(ROOT, "deploy", "release", "build.sh")
PRERM = os.path.join(ROOT, "deploy", "release", "prerm.sh")
ENTRY, WARNING = f"providers:\n- name: {NAME}\n", "still has its entry"
OTHER_NAMES = {"x86_64": "amd64", "aarch64": "arm64"}  # Debian's, Go's, and so Kubernetes'
both = pytest.mark.parametrize("arch", OTHER_NAMES)


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


PAGE = read("deploy", "release", "README.md")
VERSION = re.search(r"^project\(.* VERSION (\S+) ", read("CMakeLists.txt"), re.M)[1]
NOTES = re.search(rf"^## {re.escape(VERSION)}\b.*\n((?:(?!## ).*\n)+)", read("CHANGELOG.md"), re.M)[1].lstrip()


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def needed(*tools):
    for tool in tools:
        if not shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
            skip_where_permitted(f"{tool} is not there")


def build(*arguments, script=BUILD, **environment):
    return subprocess.run(["bash", script, *map(str, arguments)], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, env={"PATH": os.environ["PATH"], "OWNER": "someone", **environment})


class Release:
    def __init__(self, folder):
        self.page, self.key, self.public = folder / "page", folder / "key", folder / "key.pub"
        run("minisign", "-G", "-W", "-s", self.key, "-p", self.public)
        done = build(VERSION, self.page, FOLDER, MINISIGN_KEY=str(self.key))
        assert done.returncode == 0, done.stderr

    def file(self, pattern):
        found, = self.page.glob(pattern)
        return str(found)

    def deb(self, arch):
        return self.file(f"*_{OTHER_NAMES[arch]}.deb")

    def rpm(self, arch):
        return self.file(f"*.{arch}.rpm")


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    needed("rpmbuild", "mksquashfs", "minisign", "dpkg-deb")
    return Release(tmp_path_factory.mktemp("release"))


def digest(content):
    return hashlib.sha256(content).hexdigest()


def digest_of(path):
    with open(path, "rb") as file:
        return digest(file.read())


def executable(arch):
    return os.path.join(FOLDER, f"{NAME}-{arch}")


# -- the page as a whole

def test_page_is_complete(release):
    assert set(os.listdir(release.page)) == {
        *(f"{NAME}-{arch}{end}" for arch in OTHER_NAMES for end in ("", ".spdx.json")),
        *(f"{NAME}-{other}" for other in OTHER_NAMES.values()),
        *(f"{NAME}_{VERSION}_{other}.deb" for other in OTHER_NAMES.values()),
        *(f"{NAME}-{VERSION}-1.{arch}.rpm" for arch in OTHER_NAMES),
        *(f"{NAME}-{VERSION}-linux-{other}.tar.gz" for other in OTHER_NAMES.values()),
        *(f"{NAME}-{VERSION}-{end}.raw" for end in ("x86-64", "arm64")),
        *(f"{NAME}-{VERSION}-talos-{other}.tar" for other in OTHER_NAMES.values()),
        f"{NAME}-{VERSION}-oci.tar", f"{NAME}-{VERSION}-talos-oci.tar", f"{NAME}.licenses.txt",
        "RELEASE-NOTES.md", "SHA256SUMS", "SHA256SUMS.minisig",
        *(os.path.basename(path) for pattern in ("*.yaml", "install.sh")
          for path in glob.glob(os.path.join(ROOT, "deploy", pattern)))}


def test_executables_are_those_that_were_built(release):
    for arch, other in OTHER_NAMES.items():
        assert {digest_of(release.page / f"{NAME}-{name}") for name in (arch, other)} == {digest_of(executable(arch))}
        assert os.access(release.page / f"{NAME}-{other}", os.X_OK)


def test_notes_are_the_changelog_s(release):
    page = f"https://github.com/someone/{NAME}/blob/v{VERSION}/deploy/release/README.md"
    assert (release.page / "RELEASE-NOTES.md").read_text() == f"Install, check and remove: {page}\n\n{NOTES}"
    assert "\n- " in NOTES


def test_checksums_cover_everything(release):
    run("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=release.page)
    sums = (release.page / "SHA256SUMS").read_text()
    assert {line.split("  ")[1] for line in sums.splitlines()} | {
        "SHA256SUMS", "SHA256SUMS.minisig"} == set(os.listdir(release.page))


def test_signature(release, tmp_path):
    for name in ("SHA256SUMS", "SHA256SUMS.minisig"):
        shutil.copy(release.page / name, tmp_path)
    verify = ["minisign", "-V", "-p", release.public, "-m", tmp_path / "SHA256SUMS"]
    assert f"{NAME} {VERSION}" in run(*verify)
    with open(tmp_path / "SHA256SUMS", "a", encoding="ascii") as file:
        file.write("\n")
    assert subprocess.run(verify, capture_output=True, check=False).returncode == 1


def test_two_builds_have_the_same_bytes(release, tmp_path):
    """Whatever the caller's settings, and the times and modes of the files that it gives."""
    executables = tmp_path / "executables"
    executables.mkdir()
    for path in glob.glob(FOLDER + f"/{NAME}-*"):
        shutil.copy(path, executables)
        os.chmod(executables / os.path.basename(path), 0o700)
    again = tmp_path / "again"
    done = build(VERSION, again, executables, TZ="Asia/Shanghai", LC_ALL="C.UTF-8", SOURCE_DATE_EPOCH="1")
    assert done.returncode == 0 and "SHA256SUMS has no signature" in done.stderr, done.stderr
    names = os.listdir(again)
    assert {*names, "SHA256SUMS.minisig"} == set(os.listdir(release.page)) != set(names)
    assert filecmp.cmpfiles(release.page, again, names, shallow=False) == (names, [], [])


# -- what build.sh refuses

def assert_refused(done, status, words):
    assert (done.returncode, done.stdout) == (status, "") and words in done.stderr, done.stderr


def test_refuses_another_version(tmp_path):
    assert_refused(build("9.9.9", tmp_path / "page", FOLDER), 64, f"CMakeLists.txt has version {VERSION}, not 9.9.9")


def test_refuses_a_version_without_notes(tmp_path):
    shutil.copytree(os.path.join(ROOT, "deploy"), tmp_path / "deploy")
    shutil.copy(os.path.join(ROOT, "CMakeLists.txt"), tmp_path)
    (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n## {VERSION}.1\n\n- Something.\n")
    script = tmp_path / "deploy" / "release" / "build.sh"
    assert_refused(build(VERSION, tmp_path / "page", FOLDER, script=script), 64, "CHANGELOG.md has no section")


def test_refuses_a_folder_with_other_files(tmp_path):
    (tmp_path / "old").touch()
    assert_refused(build(VERSION, tmp_path, FOLDER), 64, "is not empty")


def test_refuses_an_executable_of_another_version(tmp_path):
    (tmp_path / f"{NAME}-x86_64").write_text(f"#!/bin/sh\necho {NAME} 9.9.9\n")
    (tmp_path / f"{NAME}-x86_64").chmod(0o755)
    assert_refused(build(VERSION, tmp_path / "page", tmp_path), 1, f"calls itself {NAME} 9.9.9")


@both
def test_refuses_what_is_not_of_this_checkout(arch, tmp_path):
    folder = shutil.copytree(FOLDER, tmp_path / "executables")
    path = folder / f"{NAME}-{arch}.spdx.json"
    bill = path.read_text()
    path.write_text(re.sub('"created": ".*"', '"created": "2026-01-01T00:00:00Z"', bill))
    assert_refused(build(VERSION, tmp_path / "page", folder), 1, f"{NAME}-{arch} is older than its sources")
    path.write_text(bill.replace(digest_of(executable(arch)), "0" * 64))
    assert_refused(build(VERSION, tmp_path / "page", folder), 1, f"is not that of {NAME}-{arch}")


def test_age_of_the_executables_where_commits_were_merged(tmp_path):
    """A merge counts from when it was made, however old its commits; without git it says that it cannot know."""
    for path in ("deploy", "CMakeLists.txt", "CHANGELOG.md"):
        (shutil.copytree if path == "deploy" else shutil.copy)(os.path.join(ROOT, path), tmp_path / path)
    script, folder = tmp_path / "deploy" / "release" / "build.sh", tmp_path / "executables"
    shutil.copytree(FOLDER, folder)
    for arch in OTHER_NAMES:
        path = folder / f"{NAME}-{arch}.spdx.json"
        path.write_text(re.sub('"created": ".*"', '"created": "2026-01-02T00:00:00Z"', path.read_text()))

    def git(*arguments, day=1):
        date = f"2026-01-0{day}T00:00:00Z"
        run("git", "-C", tmp_path, "-c", "user.name=a", "-c", "user.email=a@example.com", *arguments, env={
            "PATH": os.environ["PATH"], "HOME": "/", "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date})

    git("init", "--quiet", "--initial-branch", "main")
    git("add", "CMakeLists.txt")
    git("commit", "--quiet", "--message", "base")
    git("checkout", "--quiet", "-b", "side")
    git("add", "deploy")
    git("commit", "--quiet", "--message", "side")
    git("checkout", "--quiet", "main")
    git("merge", "--quiet", "--no-ff", "--message", "merge", "side", day=3)
    assert_refused(build(VERSION, tmp_path / "page", folder, script=script), 1, "x86_64 is older than its sources")
    shutil.rmtree(tmp_path / ".git")
    (folder / f"{NAME}-x86_64.spdx.json").write_text("{}")
    assert_refused(build(VERSION, tmp_path / "page", folder, script=script), 1, "build.sh: git fails here")


# -- what they contain

def pages():
    """In the folders that the pages' links to each other need."""
    examples = (os.path.relpath(path, ROOT) for path in glob.glob(os.path.join(ROOT, "deploy", "**"), recursive=True)
                if os.path.isfile(path))
    return ["README.md", "CHANGELOG.md", "plugin/config/README.md"] + [
        path for path in examples if not re.match(r"deploy/(man/|release/(?!README\.md)|static/)", path)]


def digests(arch, zsh):
    """Of all files of an installation, by their paths; None for a link."""
    def of_completion(shell):
        return digest(run(executable("x86_64"), "completion", shell).encode())

    schemas = glob.glob(os.path.join(ROOT, "plugin", "*", "*.schema.json"))
    manuals = glob.glob(os.path.join(ROOT, "deploy", "man", "*.1"))
    assert len(schemas) == len(manuals) == 2
    return {
        f"bin/{NAME}": digest_of(executable(arch)), f"bin/{LINK}": None,
        f"share/bash-completion/completions/{NAME}": of_completion("bash"),
        f"share/zsh/{zsh}/_{NAME}": of_completion("zsh"),
        f"share/fish/vendor_completions.d/{NAME}.fish": of_completion("fish"),
        f"{DOC}/LICENSE": digest_of(os.path.join(ROOT, "LICENSE")),
        f"{DOC}/copyright": digest_of(executable(arch) + ".licenses.txt"),
        **{f"{DOC}/{path}": digest_of(os.path.join(ROOT, path)) for path in pages()},
        **{f"share/{NAME}/{os.path.basename(path)}": digest_of(path) for path in schemas},
        **{f"share/man/man1/{os.path.basename(path)}.gz": digest_of(path) for path in manuals}}


def files_of(archive, prefix):
    """The same of an archive, whose owners and modes are checked."""
    found = {}
    for member in archive:
        assert (member.uid, member.gid) == (0, 0) and not member.isdev(), member.name
        assert member.mode == (0o777 if member.issym() else 0o755 if member.isdir() or re.search(
            r"/bin/|/credentialproviders/|^\./prerm$", member.name) else 0o644), member.name
        path = os.path.normpath(member.name)
        if member.issym():
            assert (os.path.basename(path), member.linkname) == (LINK, NAME)
            found[path.removeprefix(prefix)] = None
        elif not member.isdir():
            content = archive.extractfile(member).read()
            if path.endswith(".gz"):
                assert content[3:8] == bytes(5)  # neither name nor time
                content = gzip.decompress(content)
            found[path.removeprefix(prefix)] = digest(content)
    return found


@both
def test_licenses_name_all_that_is_linked_in(arch):
    with open(executable(arch) + ".licenses.txt", encoding="utf-8") as file:
        licenses = file.read()
    with open(executable(arch) + ".spdx.json", encoding="utf-8") as file:
        sources = {package["name"] for package in json.load(file)["packages"]
                   if package.get("packageFileName", "").endswith(".dsc")}
    parts = re.split(r"\n== (\w[\w-]*).*\n", licenses)
    assert {name.lower() for name in parts[1::2]} == sources
    assert all("Copyright" in part for part in parts[2::2])


@both
def test_tarball(release, arch):
    path = release.file(f"*-linux-{OTHER_NAMES[arch]}.tar.gz")
    with tarfile.open(path) as archive:
        prefix = os.path.basename(path).removesuffix(".tar.gz") + "/"
        assert files_of(archive, prefix) == digests(arch, "site-functions")
        names = archive.getnames()
    assert names == sorted(names)


def test_tarball_is_removed(release, tmp_path):
    """By the commands of the page, beside the files of others."""
    others = tmp_path / "share" / "man" / "man1" / "other.1"
    others.parent.mkdir(parents=True)
    others.touch()
    unpack, remove, remove_folders = (
        command.replace("/usr/local", str(tmp_path)).replace("FILE", release.file("*-linux-amd64.tar.gz"))
        for command in re.findall(r"`((?:tar|rm) [^`]*)`", PAGE))
    run("sh", "-euc", unpack)
    assert (tmp_path / "bin" / NAME).exists()
    run("sh", "-euc", f"{remove}; {remove_folders}")
    assert [path for path in tmp_path.rglob("*") if not path.is_dir() or NAME in path.name] == [others]


@both
def test_deb(release, arch):
    path = release.deb(arch)
    parts = {}
    for part in ("ctrl", "fsys"):
        with subprocess.Popen(["dpkg-deb", f"--{part}-tarfile", path], stdout=subprocess.PIPE) as process:
            with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
                parts[part] = files_of(archive, "usr/")
    expected = digests(arch, "vendor-completions")
    del expected[f"{DOC}/LICENSE"]
    changelog = parts["fsys"].pop(f"{DOC}/changelog.gz")
    assert changelog and parts["fsys"] == expected
    # And so nothing runs when it is installed.
    assert parts["ctrl"].keys() == {"control", "md5sums", "prerm"} and parts["ctrl"]["prerm"] == digest_of(PRERM)
    fields = dict(line.split(": ", 1) for line in run("dpkg-deb", "-f", path).splitlines() if line[0] != " ")
    assert fields["Version"] == VERSION and fields["Architecture"] == OTHER_NAMES[arch]
    assert fields["Homepage"] == f"https://github.com/someone/{NAME}"
    assert {name for name in fields if "epends" in name or name in ("Recommends", "Suggests")} == {"Recommends"}
    assert fields["Recommends"] == "ca-certificates"


@both
def test_rpm(release, arch):
    def ask(form):
        return run("rpm", "-qp", "--qf", form, release.rpm(arch))

    expected = digests(arch, "site-functions")
    found = {}
    for line in ask(r"[%{FILENAMES}\t%{FILEMODES:octal}\t%{FILEUSERNAME}:%{FILEGROUPNAME}\t%{FILELINKTOS}\t"
                    r"%{FILEDIGESTS}\n]").splitlines():
        path, mode, owner, link, content = line.split("\t")
        kind = stat.S_IFMT(int(mode, 8))
        assert owner == "root:root" and stat.S_IMODE(int(mode, 8)) == (
            0o777 if kind == stat.S_IFLNK else 0o755 if kind == stat.S_IFDIR or "/bin/" in path else 0o644), line
        assert link == (NAME if path.endswith(LINK) else "")
        if kind != stat.S_IFDIR:
            found[path.removeprefix("/usr/")] = content or None
    for path in [path for path in found if path.endswith(".gz")]:
        assert found.pop(path) and expected.pop(path)
    assert found == expected
    assert run("rpm", "-qp", "--scripts", "--triggers", release.rpm(arch)) == (
        "preuninstall scriptlet (using /bin/sh):\n" + read(PRERM))
    assert re.fullmatch(r"((rpmlib\(.*\) .*|/bin/sh)\n)+", run("rpm", "-qp", "--requires", release.rpm(arch)))
    # What CentOS 7 and Alibaba Cloud Linux 2 read; and neither time nor machine of the build.
    assert ask("%{PAYLOADCOMPRESSOR} %{BUILDHOST} %{LICENSE}") == "xz localhost Apache-2.0 AND MIT AND curl"
    with open(executable("x86_64") + ".spdx.json", encoding="utf-8") as file:
        assert ask("%{BUILDTIME}") == run("date", "-d", json.load(file)["creationInfo"]["created"], "+%s").strip()


# Of everything that is not an error in truth: why it is none.
LINTIAN = {"embedded-library": "a static executable contains its libraries; the bill of materials names them",
           "shared-library-lacks-prerequisites": "it is taken for a library, being static and position-independent"}
RPMLINT = {"statically-linked-binary": "it runs on any node, whatever its libc",
           "no-signature": "SHA256SUMS is signed, which covers packages of all kinds",
           "no-group-tag": "distributions have given groups up",
           "invalid-license": "they are SPDX's names, which Debian's rpmlint has no list of",
           "no-manual-page-for-binary": "it looks for pages with the compression of another distribution",
           "manpage-not-compressed": "as above: gzip is what most use"}


def test_lintian(release):
    needed("lintian")
    done = subprocess.run(["lintian", "--allow-root", *(release.deb(arch) for arch in OTHER_NAMES)],
                          capture_output=True, text=True, check=False)
    assert set(re.findall(r"^[EW]: \S+ (\S+)", done.stdout, re.M)) == LINTIAN.keys(), done.stdout + done.stderr


def test_rpmlint(release):
    needed("rpmlint")
    done = subprocess.run(["rpmlint", *(release.rpm(arch) for arch in OTHER_NAMES)], capture_output=True, text=True,
                          check=False)
    assert set(re.findall(r"^\S+ [EW]: (\S+)", done.stdout, re.M)) == RPMLINT.keys(), done.stdout + done.stderr


# -- where they are used

class Node:
    """A root file system whose programs reach the emulated cloud, with what they need of a node."""

    def __init__(self, root, cloud=None, bundle="etc/ssl/certs/ca-certificates.crt"):
        if os.geteuid() != 0:
            skip_where_permitted("only root may change the root directory")
        self.root, self.cloud = root, cloud
        self.environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        if cloud:
            self.environment |= cloud.environment()
            del self.environment["SSL_CERT_FILE"]
            for path, name in ((cloud.ca, bundle), ("/proc/sys/kernel/random/boot_id",) * 2):
                target = root / name.lstrip("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)

    def run(self, *command, stdin=""):
        return run("chroot", self.root, *command, input=stdin, env=self.environment)

    def check(self, program):
        """Version, answers to the kubelet and to docker, and the check of the node itself."""
        assert self.run(program, "version").startswith(f"{NAME} {VERSION}\n")
        answer = json.loads(self.run(program, "--no-cache", stdin=request(DEMO + "/team/app")))
        password = answer["auth"][DEMO]["password"]
        assert password == self.cloud.cloud.issued[-1]
        login = json.loads(self.run(os.path.join(os.path.dirname(program), LINK), "get", stdin=DEMO))
        assert login["Secret"] == self.cloud.cloud.issued[-1]
        checked = self.run(program, "doctor", DEMO)
        assert checked.endswith("\nHealthy\n"), checked

    def enter(self):
        """The file in which the kubelet finds an entry of the program."""
        file = self.root / CONFIG.lstrip("/")
        file.parent.mkdir()
        file.write_text(ENTRY)
        return file

    def files(self):
        """All but what package managers and the program's cache keep."""
        return {os.path.join(folder, name) for folder, _, names in os.walk(self.root) for name in names
                if not re.match(r"/(run|var/(lib/(dpkg|rpm)|log|cache))(/|$)", folder.removeprefix(str(self.root)))}


@pytest.fixture(scope="module")
def debian(tmp_path_factory):
    """The root of a Debian system that has nothing but what each must have, from the mirror that this machine uses."""
    needed("mmdebstrap")
    lists = run("apt-get", "indextargets", "--no-release-info", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)",
                "Created-By: Packages")
    mirror = re.search(r"^(\S*debian\S*) bookworm main$", lists, re.M)
    if not mirror:
        skip_where_permitted("apt has no mirror of Debian 12")
    root = tmp_path_factory.mktemp("debian") / "root"
    run("mmdebstrap", "--quiet", "--variant=essential", "bookworm", root, f"deb {mirror[1]} bookworm main")
    yield root
    shutil.rmtree(root)


def test_deb_in_a_clean_system(release, debian, cloud):
    node = Node(debian, cloud)
    before = node.files()
    shutil.copy(release.deb("x86_64"), debian / "var" / "cache" / "package.deb")
    node.run("dpkg", "--install", "/var/cache/package.deb")
    assert f"{debian}/usr/bin/{NAME}" in node.files() and node.run("dpkg", "--verify", NAME) == ""
    node.check(f"/usr/bin/{NAME}")
    assert {path for path in node.files() - before if not path.startswith(f"{debian}/usr/")} == set()
    file = node.enter()
    assert WARNING not in node.run("sh", "-c", "dpkg --install /var/cache/package.deb 2>&1")
    assert f"{NAME}: {CONFIG} {WARNING}" in node.run("sh", "-c", f"dpkg --purge {NAME} 2>&1")
    file.unlink()
    assert node.files() == before
    assert not os.path.exists(debian / "usr" / DOC)


def test_commands_for_packages(release, debian, cloud):
    """Those of the page, where apt-get and systemctl are not there, and the flags go where the page says so."""
    node = Node(debian, cloud)
    before = node.files()
    (debian / "page").mkdir()
    shutil.copy(release.deb("x86_64"), debian / "page")
    for name, script in (("apt-get", 'case $1 in install) dpkg -i "$2" ;; remove) dpkg -r "$2" ;; esac'),
                         # A kubelet does not start with flags that name no file.
                         ("systemctl", f'[ -e {CONFIG} ] || [ ! -e flags ] || exit 1; echo "$@"')):
        (debian / "page" / name).write_text(f"#!/bin/sh\n{script}\n")
        (debian / "page" / name).chmod(0o755)
    section = re.search(r"^## Packages\n(.*?)^## ", PAGE, re.M | re.S)[1]
    install, remove = re.findall(r"^```sh\n(.*?)^```", section, re.M | re.S)
    script = f"""touch flags; {install}
        ! {remove.splitlines()[0]} --dry-run | grep -qxF '+++ /dev/null' || {{ rm flags; systemctl restart kubelet; }}
        {remove}""".replace("VERSION", VERSION).replace("IMAGE", DEMO)
    with_proc = 'mount -t proc none "$0/proc" && exec chroot "$0" sh -euc "cd /page; PATH=/page:$PATH; exec 2>&1; $1"'
    said = run("unshare", "--mount", "--pid", "--fork", "sh", "-c", with_proc, debian, script, env=node.environment)
    _, installed, unflagged, removed = said.split("restart kubelet\n")
    assert "\nHealthy\n" in installed and f"{CONFIG}: removed" in unflagged, said
    assert "Removing" in removed and WARNING not in removed, said
    shutil.rmtree(debian / "etc" / "kubernetes")
    shutil.rmtree(debian / "page")
    assert node.files() == before


def test_rpm_where_nothing_else_is_but_busybox(release, cloud, tmp_path):
    needed("busybox")
    node = Node(tmp_path, cloud, "etc/pki/tls/certs/ca-bundle.crt")
    (tmp_path / "bin").mkdir()
    shutil.copy(shutil.which("busybox"), tmp_path / "bin")
    for applet in ("sh", "cat", "grep", "sed", "sort", "tr"):
        (tmp_path / "bin" / applet).symlink_to("busybox")
    before = node.files()
    rpm = ["rpm", "--root", tmp_path, "--dbpath", "/var/lib/rpm"]
    # Its one dependency is there, but of no package.
    run(*rpm, "--install", "--nodeps", release.rpm("x86_64"))
    assert f"{tmp_path}/usr/bin/{NAME}" in node.files() and run(*rpm, "--verify", "--nodeps", NAME) == ""
    node.check(f"/usr/bin/{NAME}")
    file = node.enter()
    done = subprocess.run([*rpm, "--erase", NAME], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and f"{NAME}: {CONFIG} {WARNING}" in done.stdout + done.stderr
    file.unlink()
    assert node.files() == before
    assert not os.path.exists(tmp_path / "usr" / DOC)


shells = pytest.mark.parametrize("shell", ["dash", "bash", "busybox sh"])


def kubelet(*flags, comm="kubelet", **more):
    """A process of this name, which ends with its input."""
    script = f"open('/proc/self/comm', 'w').write('{comm}'); print(flush=True); input()"
    process = subprocess.Popen([sys.executable, "-c", script, *flags], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               **more)
    process.stdout.readline()
    return process


def before_removal(shell, argument="remove"):
    needed(shell.split()[0])
    done = subprocess.run([*shell.split(), PRERM, argument], capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout) == (0, "")
    return done.stderr


@shells
@pytest.mark.parametrize("name", ["config.yaml", "config.d"])
def test_warning_before_removal(shell, name, tmp_path):
    """Of what a kubelet that runs has in its command line, by one word or two."""
    path = file = tmp_path / name
    flag = ["--image-credential-provider-config", path]
    if name == "config.d":
        path.mkdir()
        file, flag = path / "50.json", [f"--image-credential-provider-config={path}"]

    def warned(argument):
        said = before_removal(shell, argument)
        return f"{NAME}: {file} {WARNING}" in said and f" config --remove {file}\n" in said

    with kubelet(*flag) as process:
        file.write_text(ENTRY.replace(NAME, "other"))
        assert not warned("remove")
        file.write_text(ENTRY)
        assert [warned(argument) for argument in ("remove", "0", "upgrade", "1")] == [True, True, False, False]
        shutil.rmtree(path) if path != file else path.unlink()
        assert f"{NAME}: the kubelet's flags name {path}, which is missing\n" in before_removal(shell)
        process.communicate(b"\n")
    assert str(path) not in before_removal(shell)


@shells
@pytest.mark.parametrize("process", [{"user": 65534}, {"comm": "other"}, {}], ids=["user", "name", "kubelet"])
def test_processes_that_do_not_count_before_removal(shell, process, tmp_path):
    """Of a kubelet's flags that name what is no file those count that are the system's."""
    if os.geteuid() != 0:
        skip_where_permitted("only root may start a process of another user")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "config.yaml").write_text(ENTRY)
    names = [tmp_path / "fifo", "-f/dev/zero", f"{tmp_path}/c*.yaml", *([tmp_path / "config.yaml"] if process else [])]
    with kubelet(*(f"--image-credential-provider-config={name}" for name in names), cwd="/", **process) as running:
        said = before_removal(shell)
        running.communicate(b"\n")
    assert WARNING not in said and "fifo" not in said, said
    assert [f"name {name}, which is missing\n" in said for name in names[1:3]] == [not process] * 2, said


def test_kubelet_in_a_container_does_not_count_before_removal(tmp_path):
    if os.geteuid() != 0:
        skip_where_permitted("only root may make a mount namespace")
    (tmp_path / "config.yaml").write_text(ENTRY)
    with kubelet(f"--image-credential-provider-config={tmp_path}/config.yaml",
                 preexec_fn=lambda: ctypes.CDLL(None).unshare(0x20000)) as running:  # CLONE_NEWNS
        said = before_removal("sh")
        running.communicate(b"\n")
    assert str(tmp_path) not in said


def unpacked_image(release, kind, other, folder):
    """The root of the image for an architecture, as a client makes it, and its configuration."""
    archive = f"oci-archive:{release.page}/{NAME}-{VERSION}-{kind}.tar"
    needed("skopeo")
    run("skopeo", "--insecure-policy", "--override-arch", other, "copy", archive, f"dir:{folder}/image")
    manifest = json.loads((folder / "image" / "manifest.json").read_text())
    layer, = manifest["layers"]
    with tarfile.open(folder / "image" / layer["digest"].removeprefix("sha256:")) as archive:
        files = files_of(archive, "")
        archive.extractall(folder / "root")
    return files, json.loads((folder / "image" / manifest["config"]["digest"].removeprefix("sha256:")).read_text())


@both
def test_image(release, arch, cloud, tmp_path):
    other = OTHER_NAMES[arch]
    files, config = unpacked_image(release, "oci", other, tmp_path)
    prefix = "usr/local/"
    assert files == {prefix + path: content for path, content in digests(arch, "").items()
                     if path in (f"bin/{NAME}", f"bin/{LINK}", f"{DOC}/LICENSE", f"{DOC}/copyright")}
    assert (config["os"], config["architecture"]) == ("linux", other)
    program = f"/usr/local/bin/{NAME}"
    assert config["config"]["Entrypoint"] == [program] and config["config"]["User"] == "0:0"
    labels = {name.removeprefix("org.opencontainers.image."): value
              for name, value in config["config"]["Labels"].items()}
    assert labels.keys() == {"title", "description", "version", "licenses", "url", "source"}
    assert labels["version"] == VERSION and labels["source"] == f"https://github.com/someone/{NAME}"
    if arch == "x86_64":
        Node(tmp_path / "root", cloud).check(program)
    else:
        needed("qemu-aarch64-static")
        shutil.copy(shutil.which("qemu-aarch64-static"), tmp_path / "root" / "qemu")
        assert Node(tmp_path / "root").run("/qemu", program, "version").startswith(f"{NAME} {VERSION}\n")


@pytest.mark.parametrize("kind, name", [("oci", NAME), ("talos-oci", f"{NAME}-talos")])
def test_name_of_an_image_that_is_loaded(release, kind, name, tmp_path):
    needed("podman")
    # By default podman's locks are in /dev/shm, and stay there. It takes no long path for its run-time files.
    (tmp_path / "containers.conf").write_text('[engine]\nlock_type = "file"\n')
    with tempfile.TemporaryDirectory(prefix="acr-") as short:
        assert run("podman", "--root", tmp_path / "store", "--runroot", f"{short}/run", "--storage-driver", "vfs",
                   "load", "--quiet", "--input", release.page / f"{NAME}-{VERSION}-{kind}.tar",
                   env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path),
                        "CONTAINERS_CONF": f"{tmp_path}/containers.conf", "TMPDIR": str(tmp_path)}
                   ) == f"Loaded image: localhost/{name}:{VERSION}\n"


def test_image_is_one_for_both_architectures(release):
    needed("skopeo")
    index = json.loads(run("skopeo", "inspect", "--raw", f"oci-archive:{release.page}/{NAME}-{VERSION}-oci.tar"))
    assert [manifest["platform"] for manifest in index["manifests"]] == [
        {"architecture": other, "os": "linux"} for other in OTHER_NAMES.values()]


@both
def test_sysext(release, arch, tmp_path):
    image = tmp_path / f"{NAME}.raw"  # the name under which it must be installed
    name = {"x86_64": "x86-64", "aarch64": "arm64"}[arch]
    shutil.copy(release.file(f"*-{name}.raw"), image)
    run("unsquashfs", "-quiet", "-dest", tmp_path / "root", image)
    with tarfile.open(tmp_path / "root.tar", "w") as archive:
        archive.add(tmp_path / "root", "")
    with tarfile.open(tmp_path / "root.tar") as archive:
        files = files_of(archive, "usr/")
    marker = f"lib/extension-release.d/extension-release.{NAME}"
    assert files.pop(marker) == digest(f"ID=_any\nARCHITECTURE={name}\n".encode())
    assert files == {path: content for path, content in digests(arch, "").items()
                     if path in (f"bin/{NAME}", f"bin/{LINK}", f"{DOC}/LICENSE", f"{DOC}/copyright")}
    needed("systemd-dissect")
    done = subprocess.run(["systemd-dissect", image], capture_output=True, text=True, check=False,
                          env={**os.environ, "LC_ALL": "C.UTF-8"})
    if "loop" in done.stderr:
        pytest.skip("this machine gives no loop device")
    assert done.returncode == 0 and "✓ extension for system\n" in done.stdout, done.stdout + done.stderr


@both
def test_talos_extension(release, arch, tmp_path):
    """The tree of the tarball and of the image, which Talos' own code reads."""
    other = OTHER_NAMES[arch]
    with tarfile.open(release.file(f"*-talos-{other}.tar")) as archive:
        files = files_of(archive, "")
    assert unpacked_image(release, "talos-oci", other, tmp_path)[0] == files
    prefix = "rootfs/usr/local/"
    assert files.pop(f"{prefix}lib/kubelet/credentialproviders/{NAME}") == digest_of(executable(arch))
    assert files.pop(f"{prefix}share/spdx/{NAME}.spdx.json") == digest_of(executable(arch) + ".spdx.json")
    assert files.keys() == {"manifest.yaml", f"{prefix}{DOC}/LICENSE", f"{prefix}{DOC}/copyright"}
    manifest = yaml.safe_load((tmp_path / "root" / "manifest.yaml").read_text())
    assert manifest["version"] == "v1alpha1" and manifest["metadata"].keys() == {
        "name", "version", "author", "description", "compatibility"}
    needed("go")
    if not re.search(r"go1\.(2[1-9]|[3-9]\d)", run("go", "env", "GOVERSION")):
        pytest.skip("Talos' code needs Go 1.21 or later, Debian 12 itself has none")
    assert run("go", "run", "-buildvcs=false", ".", tmp_path / "root", "1.12.0",
               cwd=os.path.join(ROOT, "tests", "release", "talos")) == f"{NAME} {VERSION}\n"


def test_packages_have_what_cmake_installs(tmp_path):
    """But for compression, completions and licenses, which cmake leaves to the system, and the page about packages."""
    folder = os.path.join(ROOT, "build", "debug")
    if not os.path.exists(os.path.join(folder, "cmake_install.cmake")):
        skip_where_permitted("there is no build folder")
    run("cmake", "--install", folder, "--prefix", tmp_path)
    installed = {os.path.relpath(os.path.join(parent, name), tmp_path) for parent, _, names in os.walk(tmp_path)
                 for name in names}
    packaged = {path.removesuffix(".gz") for path in digests("x86_64", "zsh")}
    assert packaged - installed == {
        path for path in packaged if re.search(r"completion|/zsh/|/copyright$|/deploy/release/", path)}
    assert installed <= packaged
