"""A node with one pod, for people: it stays until run.sh is ended."""

import os
import signal

from node import BUILT, DEMO, KUBERNETES, Node

IMAGE = DEMO + "/team/app:v1"
SPEC = '{"spec":{"nodeName":"node","hostNetwork":true,"automountServiceAccountToken":false}}'
with Node() as node:
    node.start_kubelet()
    node.pod("app", IMAGE)
    node.wait_running("app")
    with open(os.path.join(BUILT, "bashrc"), "w", encoding="utf-8") as file:
        file.write(f"PATH={BUILT}/{KUBERNETES}:{BUILT}/clients:{BUILT}/packages/usr/bin:/usr/local/bin:$PATH\n"
                   "export KUBECONFIG=/etc/kubernetes/admin.json PS1='node# '\n"
                   "export CONTAINER_RUNTIME_ENDPOINT=unix:///run/containerd/containerd.sock\n"
                   "export IMAGE_SERVICE_ENDPOINT=unix:///run/containerd/containerd.sock\n")
    print(f"""The node is up, with the pod app of {IMAGE}. Look into it:

    nsenter --all --target "$(pgrep --full '^/usr/bin/python3 .*node/keep.py')" bash --rcfile {BUILT}/bashrc

There, for example:

    kubectl get pods,events
    aliyun-acr-credential-provider doctor {IMAGE}
    crictl images
    grep aliyun-acr {node.folder}/kubelet.log
    kubectl run other --image={IMAGE} --image-pull-policy=Always --overrides='{SPEC}'

It has no scheduler, hence the overrides. After `nerdctl login`, `nerdctl --namespace k8s.io push` adds images.
Ctrl-C, or TERM to run.sh, ends it and leaves nothing behind.""", flush=True)
    signal.pause()
