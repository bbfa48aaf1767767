#!/bin/bash
# Brings up a kind cluster whose node pulls an image from ACR by the program, and says whether it did.
#
# Usage: PROGRAM=FILE try.sh IMAGE        by the AccessKey or the CLI's profile of this machine
#        PROGRAM=FILE try.sh --emulated   by the emulated cloud, in a container beside the node
#        try.sh --delete                  removes both clusters
#
# PROGRAM is the executable of a release. The AccessKey is that of ALIBABA_CLOUD_ACCESS_KEY_ID and so on, the profile
# that of ALIBABA_CLOUD_PROFILE, else the current one, in ALIBABA_CLOUD_CONFIG_FILE, else ~/.aliyun/config.json. They are
# on no command line, and in no other file than one of each node, mode 0600.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
emulator=$(cd "$here/../.." && pwd)/tests/emulator
cloud=acr-emulated-cloud
fail() { echo "try.sh: $1" >&2; exit 1; }

# profile: prints a configuration of the CLI with one profile.
profile() {
    python3 - <<'END'
import json
import os
import sys


def variable(name):
    return os.environ.get("ALIBABA_CLOUD_" + name, "")


def profile():
    if variable("ACCESS_KEY_ID") and variable("ACCESS_KEY_SECRET"):
        keys = {"access_key_id": variable("ACCESS_KEY_ID"), "access_key_secret": variable("ACCESS_KEY_SECRET")}
        token = variable("SECURITY_TOKEN")
        return keys | ({"mode": "StsToken", "sts_token": token} if token else {"mode": "AK"})
    path = variable("CONFIG_FILE") or os.path.expanduser("~/.aliyun/config.json")
    try:
        with open(path, encoding="utf-8") as file:
            config = json.load(file)
    except OSError as error:
        sys.exit(f"try.sh: neither ALIBABA_CLOUD_ACCESS_KEY_ID and its secret are set, nor is there a profile: {error}")
    wanted = variable("PROFILE") or config.get("current")
    for found in config.get("profiles", []):
        if found.get("name") == wanted and found.get("mode") in ("AK", "StsToken", "RamRoleArn"):
            return found
    sys.exit(f"try.sh: {path} has no profile {wanted} of mode AK, StsToken or RamRoleArn")


print(json.dumps({"current": "try", "profiles": [profile() | {"name": "try"}]}))
END
}

# create NAME FILE...: a cluster of cluster.yaml among these files, which nodes find in /opt/acr.
create() {
    local name=$1
    shift
    work=$here/../../build/$name
    [ -f "${PROGRAM:-}" ] || fail 'PROGRAM has to name the executable of a release'
    mkdir -p "$work/bin" "$work/keys"
    install -m 0755 "$PROGRAM" "$work/bin/aliyun-acr-credential-provider"
    cp -R "$@" "$work/"
    if ! kind get clusters | grep -qx "$name"; then
        (cd "$work" && kind create cluster --name "$name" --config cluster.yaml --wait 120s)
    fi
}

# start_cloud NODE: the emulated cloud, on the loopback interface of a node.
start_cloud() {
    docker rm --force "$cloud" >/dev/null 2>&1 || true
    docker run --detach --name "$cloud" --network "container:$1" --env PYTHONDONTWRITEBYTECODE=1 \
        --volume "$emulator:/emulator:ro" --volume "$work:/opt/acr" --workdir /opt/acr docker.io/library/python:3-slim \
        python3 cloud.py /emulator keys bin/aliyun-acr-credential-provider 18100 18128 >/dev/null
    for _ in {1..60}; do
        ! docker logs "$cloud" 2>&1 | grep -q '^HTTPS_PROXY=' || return 0
        sleep 1
    done
    docker logs "$cloud" >&2
    fail 'the emulated cloud does not start'
}

# pull CLUSTER IMAGE
pull() {
    local kubectl=(kubectl --context "kind-$1") node image
    for _ in {1..30}; do # made a moment after the cluster
        ! "${kubectl[@]}" get serviceaccount default >/dev/null 2>&1 || break
        sleep 1
    done
    "${kubectl[@]}" delete pod acr-try --ignore-not-found >/dev/null
    "${kubectl[@]}" run acr-try --image "$2" --image-pull-policy Always --restart Never >/dev/null
    for _ in {1..60}; do
        image=$("${kubectl[@]}" get pod acr-try --output 'jsonpath={.status.containerStatuses[0].imageID}')
        [ -z "$image" ] || { echo "pulled: $image"; return 0; }
        sleep 2
    done
    "${kubectl[@]}" describe pod acr-try >&2
    node=$("${kubectl[@]}" get pod acr-try --output 'jsonpath={.spec.nodeName}')
    docker exec "$node" journalctl --unit kubelet --no-pager --grep aliyun-acr >&2 || true
    fail "$2 was not pulled"
}

case ${1:-} in
--delete)
    docker rm --force "$cloud" >/dev/null 2>&1 || true
    kind delete cluster --name acr
    kind delete cluster --name acr-emulated
    rm -rf "$here/../../build/acr" "$here/../../build/acr-emulated"
    ;;
--emulated)
    create acr-emulated "$here"/emulated/*
    start_cloud acr-emulated-control-plane
    pull acr-emulated demo-registry.cn-hangzhou.cr.aliyuncs.com/team/app:v1
    ;;
'' | -*)
    fail 'usage: PROGRAM=FILE try.sh IMAGE | --emulated, or try.sh --delete'
    ;;
*)
    secret=$(profile)
    create acr "$here"/*.yaml
    for node in $(kind get nodes --name acr); do
        printf '%s\n' "$secret" | docker exec --interactive "$node" sh -euc '
            umask 077
            mkdir -p /etc/aliyun-acr-credential-provider
            cat >/etc/aliyun-acr-credential-provider/profile.json'
    done
    pull acr "$1"
    ;;
esac
