"""Real container clients log in to a real registry with what the program gives them.

docker-registry stands behind the emulated host of an instance, and its token service is the emulator's, which takes
only passwords that the emulated API has issued.
"""

import hashlib
import json
import os
import shutil
import socket
import subprocess
import tarfile
import tempfile
import time

import pytest
from program_run import DEADLINE_S, DEMO, PROGRAM, Emulator, skip_where_permitted, without_cache

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("clients")]

IMAGE = DEMO + "/team/app:v1"
SERVICE = "registry.aliyuncs.com:cn-hangzhou:china:cri-demo567890abcdef"
NEEDED = ("docker-registry", "skopeo", "podman", "buildah")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_registry(directory, certificate):
    """(process, HOST:PORT); another port if somebody took the first meanwhile."""
    for _ in range(5):
        address = f"127.0.0.1:{free_port()}"
        config = directory / "registry.json"
        config.write_text(json.dumps({
            "version": 0.1, "log": {"level": "error"},
            "storage": {"filesystem": {"rootdirectory": str(directory / "storage")}},
            "http": {"addr": address, "relativeurls": True},
            "auth": {"token": {"realm": "https://dockerauth.cn-hangzhou.aliyuncs.com/auth", "service": SERVICE,
                               "issuer": "dockerauth", "rootcertbundle": certificate}}}))
        process = subprocess.Popen(["docker-registry", "serve", str(config)], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin"})
        for _ in range(100):
            if process.poll() is not None:
                break
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", int(address.rpartition(":")[2]))) == 0:
                    return process, address
            time.sleep(0.1)
        process.kill()
        process.wait()
    raise AssertionError("docker-registry does not start")


def owned_by_root(file):
    """The only owner that exists where somebody else than root runs this."""
    file.uid = file.gid = 0
    file.uname = file.gname = ""
    return file


def make_image(directory):
    """An OCI layout of one image with one file."""
    blobs = directory / "image" / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def put(data, media_type):
        digest = hashlib.sha256(data).hexdigest()
        (blobs / digest).write_bytes(data)
        return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data)}

    (directory / "hello").write_text("hello\n")
    with tarfile.open(directory / "layer.tar", "w") as layer:
        layer.add(directory / "hello", "hello", filter=owned_by_root)
    layer = put((directory / "layer.tar").read_bytes(), "application/vnd.oci.image.layer.v1.tar")
    config = put(json.dumps({"architecture": "amd64", "os": "linux", "config": {},
                             "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}}).encode(),
                 "application/vnd.oci.image.config.v1+json")
    manifest = put(json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                               "config": config, "layers": [layer]}).encode(),
                   "application/vnd.oci.image.manifest.v1+json")
    (directory / "image" / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (directory / "image" / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [
        {**manifest, "annotations": {"org.opencontainers.image.ref.name": "v1"}}]}))
    return f"oci:{directory / 'image'}:v1"


class Node:
    """A machine with container clients, the program, and one image in the registry."""

    def __init__(self, cloud, directory, short):
        self.cloud, self.directory, self.short = cloud, directory, short
        (directory / "bin").mkdir()
        (directory / "bin" / "docker-credential-aliyun-acr").symlink_to(PROGRAM)
        # By default podman's locks are in /dev/shm, and stay there.
        (directory / "containers.conf").write_text('[engine]\nlock_type = "file"\n')
        (directory / "policy.json").write_text('{"default":[{"type":"insecureAcceptAnything"}]}')
        self.variables = {**cloud.environment(), **without_cache(), "HOME": str(directory),
                          "PATH": f"{directory}/bin:/usr/sbin:/usr/bin:/bin",
                          "CONTAINERS_CONF": str(directory / "containers.conf"), "XDG_RUNTIME_DIR": str(directory),
                          "TMPDIR": str(directory)}
        self.configure()
        pushed = self.run("skopeo", "--insecure-policy", "copy", "--authfile", self.get_authfile(),
                          make_image(directory),
                          "docker://" + IMAGE)
        assert pushed.returncode == 0, pushed.stderr

    def run(self, *command, stdin="", **more):
        return subprocess.run(command, input=stdin, text=True, capture_output=True, timeout=120, check=False,
                              env={**self.variables, **more})

    def get(self, output):
        return self.run(PROGRAM, "get", "--deadline", str(DEADLINE_S), "--output", output, DEMO).stdout

    def get_authfile(self):
        path = self.directory / "auth.json"
        path.write_text(self.get("docker"))
        return str(path)

    def configure(self, helpers=(), **docker):
        registries = self.directory / ".config" / "containers" / "registries.conf"
        registries.parent.mkdir(parents=True, exist_ok=True)
        registries.write_text(f"credential-helpers = {json.dumps(list(helpers))}\n" if helpers else "")
        (self.directory / ".docker").mkdir(exist_ok=True)
        (self.directory / ".docker" / "config.json").write_text(json.dumps(docker))

    def inspect(self, *flags, **more):
        return self.run("skopeo", "inspect", *flags, "docker://" + IMAGE, **more)

    def engine(self, *command, stdin=""):
        storage = ["--root", f"{self.directory}/store", "--runroot", f"{self.short}/run", "--storage-driver", "vfs"]
        return self.run(command[0], *storage, *command[1:], stdin=stdin)


@pytest.fixture
def node(tmp_path):
    if missing := [name for name in NEEDED if not shutil.which(name)]:
        skip_where_permitted("not installed: " + ", ".join(missing))
    # podman takes no longer path than fifty characters for its run-time files.
    with Emulator() as cloud, tempfile.TemporaryDirectory(prefix="acr-") as short:
        process, address = start_registry(tmp_path, cloud.cloud.signer.certificate())
        cloud.registry_backends = [(DEMO, address)]
        try:
            yield Node(cloud, tmp_path, short)
        finally:
            process.kill()
            process.wait()


def assert_pulled(done):
    assert done.returncode == 0, done.stderr


def assert_refused(done):
    assert done.returncode != 0 and "authentication required" in done.stderr.replace("unauthorized",
                                                                                     "authentication required")


def test_without_credentials_nothing_is_pulled(node):
    assert_refused(node.inspect())


def test_password_that_has_ended_is_refused(node):
    authfile = node.get_authfile()
    assert_pulled(node.inspect("--authfile", authfile))
    node.cloud.cloud.clock_offset_s = 3700
    assert_refused(node.inspect("--authfile", authfile))


@pytest.mark.parametrize("docker, helpers", [({"credHelpers": {DEMO: "aliyun-acr"}}, ()), ({}, ["aliyun-acr"]),
                                             ({}, ["containers-auth.json", "aliyun-acr"])])
def test_skopeo_by_the_credential_helper(node, docker, helpers):
    issued = len(node.cloud.cloud.issued)
    node.configure(helpers, **docker)
    assert_pulled(node.inspect())
    assert len(node.cloud.cloud.issued) > issued
    copied = node.run("skopeo", "--insecure-policy", "copy", "docker://" + IMAGE, f"dir:{node.directory}/copy")
    assert_pulled(copied)
    assert "manifest.json" in os.listdir(node.directory / "copy")


def test_skopeo_login_by_password(node):
    done = node.run("skopeo", "login", "--authfile", f"{node.directory}/login.json", "--username", "cr_temp_user",
                    "--password-stdin", DEMO, stdin=node.get("password"))
    assert_pulled(done)
    assert_pulled(node.inspect("--authfile", f"{node.directory}/login.json"))
    wrong = node.run("skopeo", "login", "--authfile", f"{node.directory}/login.json", "--username", "cr_temp_user",
                     "--password-stdin", DEMO, stdin="wrong\n")
    assert wrong.returncode != 0


def test_helper_that_knows_nothing_leaves_clients_anonymous(node):
    """A registry that is not ours: the client asks the helper, is told so, and goes on to the registry itself."""
    node.configure(["aliyun-acr"])
    before = len(node.cloud.log("acr"))
    done = node.run("skopeo", "inspect", "docker://not-ours.example.com/team/app:v1")
    assert "not-ours.example.com" in done.stderr and "credential" not in done.stderr, done.stderr
    assert any(entry["host"] == "not-ours.example.com:443" for entry in node.cloud.log("proxy"))
    assert len(node.cloud.log("acr")) == before


def test_helper_error_reaches_the_user(node):
    node.configure(credHelpers={DEMO: "aliyun-acr"})
    node.cloud.cloud.permissions = set()
    assert "NoPermission" in node.inspect().stderr


@pytest.mark.parametrize("client", ["podman", "buildah"])
def test_engines_pull(node, client):
    policy = ["--signature-policy", f"{node.directory}/policy.json"]
    assert node.engine(client, "pull", *policy, IMAGE).returncode != 0
    node.configure(credHelpers={DEMO: "aliyun-acr"})
    assert_pulled(node.engine(client, "pull", *policy, IMAGE))
    assert DEMO + "/team/app" in node.engine(client, "images").stdout
    assert_pulled(node.engine(client, "login", "--authfile", f"{node.directory}/login.json", "--username",
                              "cr_temp_user",
                              "--password-stdin", DEMO, stdin=node.get("password")))
