"""class Node: an API server, a kubelet and containerd, all of them real, in the namespaces that run.sh has made.

The emulator is the whole cloud, under its real names and ports; docker-registry is what stands behind its registries.
"""

import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tests", "emulator"))
from emulator import Emulator  # noqa: E402
from images import Images  # noqa: E402

# Where run.sh has built, and for which version.
BUILT, KUBERNETES = os.environ.get("NODE_BUILD", ""), os.environ.get("KUBERNETES", "")
PATH = ":".join([f"{BUILT}/{KUBERNETES}", f"{BUILT}/clients", f"{BUILT}/packages/usr/bin", f"{BUILT}/packages/usr/sbin",
                 "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"])
PROVIDER = "/usr/local/bin/aliyun-acr-credential-provider"
CONFIG = "/etc/kubernetes/credential-provider.yaml"
OWN_CONFIG = "/etc/aliyun-acr-credential-provider/config.json"
CACHE = "/run/aliyun-acr-credential-provider"
DEMO = "demo-registry.cn-hangzhou.cr.aliyuncs.com"
FOREIGN = "foreign-registry.cn-hangzhou.cr.aliyuncs.com"
DOMAIN = "hub.example.com"  # a custom domain of the instance demo
PUBLIC = "public.example.com"
NODE_IP, LOST = "10.0.0.1", "10.0.0.99"  # nobody answers at the second
NAMES = (DEMO, "demo-registry-vpc.cn-hangzhou.cr.aliyuncs.com", FOREIGN, DOMAIN, PUBLIC,
         *(f"{name}.cn-hangzhou.aliyuncs.com" for name in ("cr", "cr-vpc", "sts", "sts-vpc", "dockerauth",
                                                           "dockerauth-vpc")), "sts.aliyuncs.com")
KUBELET_CONFIG = {
    "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
    "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": True}},
    "authorization": {"mode": "Webhook"},
    "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
    # The machine's own limits, of whichever kind it has, are not what is tested.
    "cgroupDriver": "cgroupfs", "cgroupsPerQOS": False, "enforceNodeAllocatable": [], "failCgroupV1": False,
    "failSwapOn": False, "localStorageCapacityIsolation": False, "imageGCHighThresholdPercent": 100,
    "evictionHard": {"memory.available": "1Mi"}, "maxPods": 250,
    # By default five pulls a second, one after the other.
    "registryPullQPS": 0, "serializeImagePulls": False,
}


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, mode)) as file:
        file.write(text if isinstance(text, str) else json.dumps(text))
    os.chmod(path, mode)


def wait_until(is_so, what, seconds=60):
    """What `is_so` returns as soon as that is true; an error that says `what` was waited for if it never is."""
    ends = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < ends, f"not within {seconds} s: {what}"
        time.sleep(0.05)
    return found


def remove(path):
    """A file or a folder, if it is there."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


class Node:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="node-")
        self.emulator = Emulator(("0.0.0.0", 80), api_address=("0.0.0.0", 443))
        self.cloud = self.emulator.cloud
        self.images = Images("127.0.0.1:5001", os.path.join(BUILT, "pause"))
        self._processes, self.kubelet = [], None
        self._made = set()
        self._log_start = 0

    # -- processes -------------------------------------------------------------------------------------------

    def log_of(self, name):
        return os.path.join(self.folder, name + ".log")

    def _start(self, name, *command):
        with open(self.log_of(name), "ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                       env={"PATH": PATH})
        self._processes.append((name, process))
        return process

    def _check_processes(self):
        for name, process in self._processes:
            if process.poll() is not None:
                with open(self.log_of(name), encoding="utf-8", errors="replace") as log:
                    raise AssertionError(f"{name} has ended:\n{log.read()[-3000:]}")

    def __enter__(self):
        self.emulator.__enter__()
        self.point()
        remove("/etc/resolv.conf")  # which may be a link to a file that the node does not have
        write("/etc/resolv.conf", "nameserver 127.0.0.1\n")
        with open(self.emulator.ca, encoding="ascii") as ca, \
                open("/etc/ssl/certs/ca-certificates.crt", "a", encoding="ascii") as trusted:
            trusted.write(ca.read())
        try:
            self._start_registries()
            self._start_api_server()
            self._start_containerd()
            self._install()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for _, process in reversed(self._processes):
            process.kill()
            process.wait()
        self.emulator.__exit__()

    def point(self, **elsewhere):
        """Where the names of the cloud lead, by /etc/hosts; those given, with _ for . and -, lead elsewhere."""
        write("/etc/hosts", f"127.0.0.1 localhost\n{NODE_IP} node\n" + "".join(
            f"{elsewhere.get(re.sub('[.-]', '_', name), '127.0.0.1')} {name}\n" for name in NAMES))

    def _start_registries(self):
        storage = os.path.join(self.folder, "registry")
        certificate = self.cloud.signer.certificate()
        backends = [((PUBLIC,), None), ((FOREIGN,), "foreign"), (("demo-registry*", DOMAIN), "demo")]
        for port, (hosts, instance) in enumerate(backends, 5001):
            config = {"version": 0.1, "log": {"level": "error"}, "http": {"addr": f"127.0.0.1:{port}",
                                                                          "relativeurls": True},
                      "storage": {"filesystem": {"rootdirectory": storage}}}
            if instance:
                number = next(i["InstanceId"] for i in self.cloud.instances if i["InstanceName"] == instance)
                config["auth"] = {"token": {
                    "realm": "https://dockerauth.cn-hangzhou.aliyuncs.com/auth", "issuer": "dockerauth",
                    "service": f"registry.aliyuncs.com:cn-hangzhou:china:{number}", "rootcertbundle": certificate}}
            path = os.path.join(self.folder, f"registry-{port}.json")
            write(path, config)
            self._start("registry", "docker-registry", "serve", path)
            self.emulator.registry_backends += [(host, f"127.0.0.1:{port}") for host in hosts]
            wait_until(lambda: answers(f"http://127.0.0.1:{port}/v2/"), "docker-registry")  # noqa: B023

    def _start_api_server(self):
        self._start("etcd", "etcd", "--data-dir", os.path.join(self.folder, "etcd"), "--log-level", "warn",
                    "--listen-client-urls", "http://127.0.0.1:2379", "--advertise-client-urls", "http://127.0.0.1:2379",
                    "--listen-peer-urls", "http://127.0.0.1:2380")
        certificate = self.emulator.authority.certificate("127.0.0.1")
        key = os.path.join(os.path.dirname(certificate), "server.key")
        tokens = os.path.join(self.folder, "tokens.csv")
        write(tokens, "admin-token,admin,admin,system:masters\nnode-token,system:node:node,node,system:nodes\n", 0o600)
        signing = os.path.join(self.emulator.keys.directory, "rsa.key")  # by which STS knows the cluster's tokens
        self._start("kube-apiserver", f"{BUILT}/{KUBERNETES}/kube-apiserver", "--etcd-servers=http://127.0.0.1:2379",
                    "--bind-address=127.0.0.1", "--advertise-address=" + NODE_IP, "--tls-cert-file=" + certificate,
                    "--tls-private-key-file=" + key, "--token-auth-file=" + tokens, "--authorization-mode=Node,RBAC",
                    "--service-account-issuer=https://oidc.example", "--service-account-signing-key-file=" + signing,
                    "--service-account-key-file=" + signing, "--enable-admission-plugins=NodeRestriction",
                    "--service-cluster-ip-range=10.96.0.0/24", "--cert-dir=" + self.folder)
        for user in ("admin", "node"):
            write(f"/etc/kubernetes/{user}.json", {
                "apiVersion": "v1", "kind": "Config", "current-context": "node",
                "clusters": [{"name": "node", "cluster": {"server": "https://127.0.0.1:6443",
                                                          "certificate-authority": self.emulator.ca}}],
                "contexts": [{"name": "node", "context": {"cluster": "node", "user": user}}],
                "users": [{"name": user, "user": {"token": user + "-token"}}]}, 0o600)
        self.tls = ssl.create_default_context(cafile=self.emulator.ca)
        wait_until(self._ready, "the API server", 120)
        self.account("default")

    def _ready(self):
        self._check_processes()
        try:
            return self.api("GET", "/readyz") == "ok" and self.api("GET", "/api/v1/namespaces/default")
        except (OSError, KeyError):
            return False

    def open(self, path, method="GET", body=None, timeout_s=30):
        """An answer of the API server, as the administrator gets it."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": "Bearer admin-token", "Content-Type": "application/json"}
        call = urllib.request.Request("https://127.0.0.1:6443" + path, data, headers, method=method)
        return urllib.request.urlopen(call, timeout=timeout_s, context=self.tls)

    def api(self, method, path, body=None):
        with self.open(path, method, body) as answer:
            said = answer.read().decode()
        return json.loads(said) if said.startswith("{") else said

    def kubectl(self, *arguments):
        """As a user does it."""
        return self.run("kubectl", "--kubeconfig", "/etc/kubernetes/admin.json", *arguments)

    def _start_containerd(self):
        with open("/proc/self/status", encoding="ascii") as file:
            capabilities = int(re.search(r"CapEff:\s*(\w+)", file.read())[1], 16)
        restrict = "false" if capabilities >> 24 & 1 else "true"  # CAP_SYS_RESOURCE
        write("/etc/containerd/config.toml", f"""\
version = 2
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
                    "io.containerd.snapshotter.v1.devmapper", "io.containerd.internal.v1.opt"]
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PUBLIC}/pause:v1"
  restrict_oom_score_adj = {restrict}
  disable_apparmor = true
""")
        self._start("containerd", "containerd")
        self.images.push("pause")
        wait_until(lambda: subprocess.run(["ctr", "version"], capture_output=True, check=False).returncode == 0,
                   "containerd")

    # -- the provider ----------------------------------------------------------------------------------------

    def _install(self):
        done = self.run("sh", f"{ROOT}/deploy/install.sh", "--from", f"{BUILT}/program")
        assert done.returncode == 0, done.stderr
        shutil.copy(CONFIG, os.path.join(self.folder, "installed.yaml"))

    @staticmethod
    def add_match_images(host):
        """As a line of its own, at the end of the list."""
        last = '  - "registry-intl-vpc.*.aliyuncs.com"\n'
        with open(CONFIG, encoding="utf-8") as file:
            text = file.read()
        assert text.count(last) == 1
        write(CONFIG, text.replace(last, f'{last}  - "{host}"\n'))

    @staticmethod
    def run(*command):
        """As root's shell does, in the folder of the checkout."""
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
                              check=False, cwd=ROOT, env={"PATH": PATH, "HOME": "/root"})

    def doctor(self, *arguments):
        """(exit status, what it prints)"""
        done = self.run(PROVIDER, "doctor", *arguments)
        self.assert_quiet(done.stdout + done.stderr)
        return done.returncode, done.stdout

    def assert_quiet(self, text):
        """No secret of the cloud, nor any token of a service account."""
        for secret in self.cloud.secrets:
            assert secret not in text, (secret, text)
        assert "eyJhbGciOi" not in text, text

    # -- the kubelet -----------------------------------------------------------------------------------------

    def start_kubelet(self, config=CONFIG, **settings):
        write("/var/lib/kubelet/config.yaml", {**KUBELET_CONFIG, **settings})
        self._starts = self.kubelet_log().count("Starting kubelet main sync loop") + 1
        self.kubelet = self._start(
            "kubelet", f"{BUILT}/{KUBERNETES}/kubelet", "--config=/var/lib/kubelet/config.yaml",
            "--kubeconfig=/etc/kubernetes/node.json", "--hostname-override=node", "--node-ip=" + NODE_IP, "--v=2",
            "--image-credential-provider-config=" + config, "--image-credential-provider-bin-dir=/usr/local/bin")
        wait_until(self._kubelet_is_ready, "the kubelet", 90)

    def _kubelet_is_ready(self):
        self._check_processes()
        nodes = self.api("GET", "/api/v1/nodes")["items"]
        conditions = [condition for node in nodes for condition in node["status"].get("conditions", [])]
        return self.kubelet_log().count("Starting kubelet main sync loop") == self._starts and any(
            (condition["type"], condition["status"]) == ("Ready", "True") for condition in conditions)

    def kubelet_log(self):
        """Of this scenario."""
        if not os.path.exists(self.log_of("kubelet")):
            return ""
        with open(self.log_of("kubelet"), encoding="utf-8", errors="replace") as file:
            file.seek(self._log_start)
            return file.read()

    def forget_kubelet_log(self):
        if os.path.exists(self.log_of("kubelet")):
            self._log_start = os.path.getsize(self.log_of("kubelet"))

    def stop_kubelet(self):
        if self.kubelet:
            self.kubelet.terminate()
            try:
                self.kubelet.wait(20)
            except subprocess.TimeoutExpired:
                self.kubelet.kill()
                self.kubelet.wait()
            self._processes.remove(("kubelet", self.kubelet))
            self.kubelet = None

    def restart_kubelet(self, **keywords):
        self.stop_kubelet()
        self.start_kubelet(**keywords)

    def metrics(self):
        """What the kubelet counts, by the name with its labels."""
        call = urllib.request.Request(f"https://{NODE_IP}:10250/metrics",
                                      headers={"Authorization": "Bearer admin-token"})
        context = ssl._create_unverified_context()  # a certificate that it has made for itself
        with urllib.request.urlopen(call, timeout=10, context=context) as answer:
            lines = answer.read().decode().splitlines()
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}

    def runs(self):
        """How often the kubelet has run the program since its start, and for how many seconds together."""
        name = 'kubelet_credential_provider_plugin_duration_{}{{plugin_name="aliyun-acr-credential-provider"}}'
        metrics = self.metrics()
        return metrics.get(name.format("count"), 0), metrics.get(name.format("sum"), 0)

    # -- pods ------------------------------------------------------------------------------------------------

    def account(self, name, **annotations):
        """A service account, new or changed."""
        document = {"apiVersion": "v1", "kind": "ServiceAccount",
                    "metadata": {"name": name, "annotations": annotations}}
        path = "/api/v1/namespaces/default/serviceaccounts"
        try:
            self.api("POST", path, document)
        except urllib.error.HTTPError as error:
            if error.code != 409:
                raise
            self.api("PUT", f"{path}/{name}", document)

    def prepare_image(self, image):
        """Pushes it if that was not done before."""
        repository = image.partition("/")[2].partition(":")[0]
        if repository not in self._made:
            self._made.add(repository)
            self.images.push(repository)

    def pod(self, name, image, account="default", secret=None):
        """Creates a pod, and its image if it is new."""
        self.prepare_image(image)
        self.api("POST", "/api/v1/namespaces/default/pods", {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": {"nodeName": "node", "hostNetwork": True, "serviceAccountName": account,
                     "automountServiceAccountToken": False, "terminationGracePeriodSeconds": 0,
                     "imagePullSecrets": [{"name": secret}] if secret else [],
                     "containers": [{"name": "app", "image": image, "imagePullPolicy": "IfNotPresent"}]}})

    def pods(self):
        return {pod["metadata"]["name"]: pod for pod in self.api("GET", "/api/v1/namespaces/default/pods")["items"]}

    @staticmethod
    def state(pod):
        """running, or the reason for which it is not."""
        for container in pod["status"].get("containerStatuses", []):
            if "running" in container["state"]:
                return "running"
            return container["state"].get("waiting", {}).get("reason", "")
        return ""

    def wait_running(self, *names, seconds=90):
        def all_run():
            pods = self.pods()
            return all(name in pods and self.state(pods[name]) == "running" for name in names)
        try:
            wait_until(all_run, f"{len(names)} pods running", seconds)
        except AssertionError as error:
            states = {name: self.state(pod) for name, pod in self.pods().items()}
            raise AssertionError(f"{error}: {states}\n{self.plugin_errors()}\n{self.kubelet_log()[-2000:]}") from None

    def wait_refused(self, name):
        """Until its image could not be pulled; the texts of the pod's events."""
        wait_until(lambda: self.state(self.pods()[name]) in ("ErrImagePull", "ImagePullBackOff"), f"{name} is refused")
        return wait_until(lambda: [text for text in self.events(name) if "Failed to pull" in text], "the event")

    def events(self, name):
        found = self.api("GET", "/api/v1/namespaces/default/events?fieldSelector=involvedObject.name=" + name)
        return [event["message"] for event in found["items"]]

    def plugin_errors(self):
        """The lines of the kubelet's log in which the program says why."""
        return [line for line in self.kubelet_log().splitlines() if "aliyun-acr-credential-provider: " in line]

    def remove_pods(self):
        self.api("DELETE", "/api/v1/namespaces/default/pods")
        self.api("DELETE", "/api/v1/namespaces/default/events")
        wait_until(lambda: not self.pods(), "the pods are gone")
        # The API forgets them at once; a kubelet that is stopped now would leave their containers to the next.
        wait_until(lambda: self.kubelet is None or not self.run("ctr", "-n", "k8s.io", "tasks", "list", "-q").stdout,
                   "their containers have ended")

    def remove_accounts(self):
        self.api("DELETE", "/api/v1/namespaces/default/serviceaccounts")
        self.account("default")

    # -- what the cloud saw ----------------------------------------------------------------------------------

    def forget_calls(self):
        self.emulator.forget()

    def calls(self):
        """The operations of the registry's API and of STS, in order, without the endpoints that doctor only tries."""
        return [entry["operation"] for entry in self.emulator.log()
                if entry["service"] in ("acr", "sts") and entry["operation"] != "*"]
