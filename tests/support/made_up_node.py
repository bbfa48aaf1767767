"""Made-up nodes for `doctor --host-root`: folders with the files by which a node and its kubelet are known."""

import json
import os
import platform
import time

from program_run import API, PROGRAM, ROOT

PROVIDER = "aliyun-acr-credential-provider"
CONFIG, BIN = "/etc/kubernetes/credential-provider.yaml", "/usr/local/bin"
CONFIG_FLAG, BIN_FLAG = "--image-credential-provider-config", "--image-credential-provider-bin-dir"
FLAGS = (f"{CONFIG_FLAG}={CONFIG}", f"{BIN_FLAG}={BIN}")
K3S_CONFIG, K3S_BIN = "/var/lib/rancher/credentialprovider/config.yaml", "/var/lib/rancher/credentialprovider/bin"
TOKENS = {"serviceAccountTokenAudience": "sts.aliyuncs.com", "cacheType": "ServiceAccount",
          "requireServiceAccount": False, "optionalServiceAccountAnnotationKeys": [
              "acr.aliyun.com/role-arn", "pod-identity.alibabacloud.com/role-name",
              "pod-identity.alibabacloud.com/role-arn"]}


def example(name="credential-provider.yaml"):
    """A file of the folder deploy."""
    with open(os.path.join(ROOT, "deploy", name), encoding="ascii") as file:
        return file.read()


def entry(**changes):
    """An entry for this program; a value of None leaves a field out."""
    fields = {"name": PROVIDER, "apiVersion": API + "v1", "defaultCacheDuration": "0s",
              "matchImages": ["*-registry.*.cr.aliyuncs.com"], **changes}
    return {name: value for name, value in fields.items() if value is not None}


def configuration(*entries, **changes):
    """A CredentialProviderConfig; a value of None leaves a field out."""
    fields = {"kind": "CredentialProviderConfig", "apiVersion": "kubelet.config.k8s.io/v1",
              "providers": list(entries or [entry()]), **changes}
    return {name: value for name, value in fields.items() if value is not None}


def foreign_program():
    """The head of an executable of another architecture."""
    machine = 183 if platform.machine() == "x86_64" else 62  # EM_AARCH64, EM_X86_64
    return b"\x7fELF\2\1\1" + bytes(9) + b"\2\0" + bytes([machine, 0]) + bytes(44)


class MadeUpNode:
    """At first there is nothing on it. Its files are an hour old, and its kubelet has run for ten minutes."""

    BOOTED_S = 1700000000

    def __init__(self, root):
        self.root = root
        self.started_s = int(time.time()) - 600
        self.write("/proc/stat", f"cpu 0 0 0 0\nbtime {self.BOOTED_S}\n")
        self.run("/sbin/init", pid=1)

    def path(self, path):
        return self.root / path.lstrip("/")

    def write(self, path, content, mode=0o644, age_s=3600):
        """A file: a text, bytes, or a document in JSON."""
        place = self.path(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, (dict, list)):
            content = json.dumps(content, indent=1) + "\n"
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
        place.chmod(mode)
        os.utime(place, (time.time() - age_s,) * 2)
        return self._age(place.parent)

    def link(self, path, target):
        place = self.path(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        place.symlink_to(target)
        return self._age(place.parent)

    def _age(self, folder):
        os.utime(folder, (time.time() - 3600,) * 2)
        return self

    def run(self, *arguments, pid=812, environment=None, namespace="mnt:[4026531841]", title=False):
        """A process; with a title, it has written its command line anew, as k3s does."""
        ticks = (self.started_s - self.BOOTED_S) * os.sysconf("SC_CLK_TCK")
        line = " ".join(arguments).ljust(60, "\0") if title else "".join(argument + "\0" for argument in arguments)
        self.write(f"/proc/{pid}/cmdline", line)
        uid = os.geteuid()
        self.write(f"/proc/{pid}/status", f"Name:\ta name\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n")
        self.write(f"/proc/{pid}/stat", f"{pid} (a name) S{' 0' * 18} {ticks} 0 0\n")
        self.write(f"/proc/{pid}/environ", "".join(f"{k}={v}\0" for k, v in (environment or {}).items()), mode=0o400)
        return self.link(f"/proc/{pid}/ns/mnt", namespace)

    def kubelet(self, *flags, **keywords):
        return self.run("/usr/bin/kubelet", *flags, **keywords)

    def install(self, name=PROVIDER, directory=BIN, mode=0o755):
        """This program under any name."""
        with open(PROGRAM, "rb") as file:
            return self.write(f"{directory}/{name}", file.read(), mode)

    def remove(self, path):
        self.path(path).unlink()
        return self._age(self.path(path).parent)

    def state(self):
        """All there is, to see that nothing changes."""
        return {str(path): (path.lstat().st_mode, path.lstat().st_mtime_ns,
                            os.readlink(path) if path.is_symlink() else path.is_file() and path.read_bytes())
                for path in sorted(self.root.rglob("*"))}


def healthy(root, *flags):
    """A node whose kubelet runs this program, as the README has it set up."""
    return MadeUpNode(root).write(CONFIG, example()).install().kubelet(*FLAGS, *flags)
