"""A node with one pod, for people: it stays until this program is ended."""

import os
import signal

from node import BUILT, DEMO, KUBERNETES, Node

IMAGE = DEMO + "/team/app:v1"
with Node() as node:
    node.start_kubelet()
    node.pod("app", IMAGE)
    node.wait_running("app")
    with open(os.path.join(BUILT, "bashrc"), "w", encoding="utf-8") as file:
        file.write(f"PATH={BUILT}/{KUBERNETES}:{BUILT}/clients:/usr/local/bin:$PATH\n"
                   "export KUBECONFIG=/etc/kubernetes/admin.json PS1='node# '\n")
    print(f"""The node is up, with the pod app of {IMAGE}.
Its logs are in {node.folder}, all that the node has is in these namespaces:

    nsenter --all --target "$(pgrep --full '^/usr/bin/python3 .*node/keep.py')" bash --rcfile {BUILT}/bashrc

There, for example:

    kubectl get pods,events
    aliyun-acr-credential-provider doctor {IMAGE}

Ctrl-C here ends it and leaves nothing behind.""", flush=True)
    signal.pause()
