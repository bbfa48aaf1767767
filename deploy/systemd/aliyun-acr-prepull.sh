#!/bin/sh
# Pulls images into containerd and pins them, so that the kubelet does not remove them. As /usr/local/sbin/aliyun-acr-prepull.
#
# Usage: aliyun-acr-prepull FILE, with an image and its tag or digest in each line. Those that are there are only pinned.
set -u

# In a process of its own, so that no other command gets the variables.
pull() (
    # What needs no login fails here, and is pulled without one.
    if login=$(aliyun-acr-credential-provider get --output env "$1"); then
        eval "$login"
        # The environment of root's processes is for root alone, and their command lines are for everybody.
        export CRICTL_CREDS="$ACR_USERNAME:$ACR_PASSWORD"
    fi
    exec crictl pull "$1"
)

status=0
while read -r image <&3; do
    case $image in '' | '#'*) continue ;; esac
    crictl inspecti -q "$image" >/dev/null 2>&1 || pull "$image"
    ctr --namespace k8s.io images label "$image" io.cri-containerd.pinned=pinned >/dev/null || status=1
done 3<"$1"
exit $status
