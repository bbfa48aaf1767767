#!/bin/sh
# A real node in one command: API server, kubelet and containerd in namespaces of their own, the emulator as the cloud.
set -eu
cd "$(dirname "$0")/../.."

usage() {
    cat <<'EOF'
usage: run.sh [OPTION]... [ARGUMENT...]   runs all scenarios, or those that arguments of pytest select; prints a table
       run.sh --keep [OPTION]...          brings the node up, says how to look into it, and leaves it up
       run.sh --storm [OPTION]...         measures what the provider costs when fifty pods start at once

  --kubernetes VERSION  1.37 (the default), 1.35, or all
  --program FILE        the executable of a release; by default one is built as the README says
  --record              writes the table or the figures into the pages that show them; the former also tests each
                        kubelet's own code from 1.30 on

Runs as root on Debian or Ubuntu; builds Kubernetes with Go, which takes minutes the first time. Exit status: 69 where Go
is too old, 64 for a wrong command line, else that of pytest: 1 if a scenario failed, 5 if none was selected.
EOF
}

mode=scenarios versions=1.37 program='' record=''
while [ $# -gt 0 ]; do
    case $1 in
    --help) usage && exit ;;
    --keep | --storm) mode=${1#--} ;;
    --record) record=--record ;;
    --kubernetes)
        versions=${2:-}
        case $versions in
        all) versions='1.35 1.37' ;;
        1.35 | 1.37) ;;
        *) echo "run.sh: --kubernetes takes 1.37, 1.35 or all" >&2 && exit 64 ;;
        esac
        shift
        ;;
    --program)
        program=$(realpath -e "${2:-}") || exit 64
        shift
        ;;
    *) break ;;
    esac
    shift
done
fail() {
    echo "run.sh: $2" >&2
    exit "$1"
}
[ "$(id -u)" -eq 0 ] || fail 77 'must run as root'
[ -z "$record" ] || [ $# -eq 0 ] || fail 64 '--record is of all scenarios'

sh tests/setup.sh node
case $(go env GOVERSION) in
go1.2[6-9]* | go1.[3-9][0-9]*) ;;
*) fail 69 "Kubernetes needs Go 1.26 or later, and here is $(go env GOVERSION)" ;;
esac
built=$PWD/build/node
mkdir -p "$built"
if [ -z "$program" ]; then
    cmake --preset release >/dev/null
    cmake --build --preset release --parallel "$(nproc)" >"$built/build.log" || { cat "$built/build.log" >&2; exit 1; }
    program=build/release/aliyun-acr-credential-provider
fi
install -m 0755 "$program" "$built/program" # wherever it was, the node may not see it there
cc -static -Os -s -o "$built/pause" tests/node/pause.c

# go_build FOLDER MODULES OUTPUT FLAGS PACKAGE...: executables of the modules that a file in a folder names.
go_build() {
    (
        cd "tests/node/$1"
        modules=$2 output=$3 flags=$4
        shift 4
        go build "-modfile=$modules" -buildvcs=false -trimpath -ldflags="-s -w $flags" -o "$built/$output/" "$@"
    )
}
for version in $versions; do
    modules=go-$version.mod
    [ "$version" != 1.37 ] || modules=go.mod
    release=$(cd tests/node/kubernetes && go list -m "-modfile=$modules" -f '{{.Version}}' k8s.io/kubernetes)
    [ -x "$built/$version/kubelet" ] || echo "building Kubernetes $release: minutes, and some GB of Go's cache"
    mkdir -p "$built/$version"
    # Without its version, doctor could not ask the kubelet for it.
    go_build kubernetes "$modules" "$version" "-X k8s.io/component-base/version.gitVersion=$release" \
        k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kubectl k8s.io/kubernetes/cmd/kubelet
done
# Debian 12 has no packages of these.
mkdir -p "$built/clients"
go_build clients go.mod clients '' sigs.k8s.io/cri-tools/cmd/crictl
go_build clients go-nerdctl.mod clients '' github.com/containerd/nerdctl/cmd/nerdctl

# Unpacked instead of installed, which would start daemons, and remove Docker's own containerd.
if [ ! -d "$built/packages" ]; then
    rm -rf "$built/archives"
    mkdir "$built/archives"
    apt-get update -qq
    (cd "$built/archives" && apt-get -o APT::Sandbox::User=root download -qq containerd runc etcd-server docker-registry)
    for archive in "$built"/archives/*.deb; do
        dpkg-deb -x "$archive" "$built/archives/all"
    done
    mv "$built/archives/all" "$built/packages"
fi

# A control group of the node's own in each hierarchy.
groups=
for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/*; do
    if [ ! -e "$hierarchy/cgroup.procs" ] || [ -L "$hierarchy" ]; then
        continue
    fi
    groups="$groups $hierarchy/acr-node-$$"
    [ "$hierarchy" != /sys/fs/cgroup ] || break # version 2, which has but one
done
# shellcheck disable=SC2317 # called by the trap
remove_groups() {
    for group in $groups; do
        tries=0
        while [ -d "$group" ] && ! find "$group" -depth -type d -exec rmdir {} + 2>/dev/null; do
            [ $((tries += 1)) -le 60 ] || { echo "run.sh: $group cannot be removed" >&2; break; }
            sleep 0.5 # processes that were killed may still be in it
        done
    done
}
child=
# shellcheck disable=SC2317 # called by traps
end() {
    [ -z "$child" ] || kill -KILL "$child"
    exit "$1"
}
trap remove_groups EXIT
trap 'end 129' HUP
trap 'end 130' INT
trap 'end 143' TERM
for group in $groups; do
    mkdir "$group"
    hierarchy=${group%/*}
    # Version 1 gives a new group none of these.
    for file in cpuset.cpus cpuset.mems; do
        [ ! -e "$hierarchy/$file" ] || cat "$hierarchy/$file" >"$group/$file"
    done
done

# enter VERSION COMMAND...: runs a command as the first process of the node's namespaces, with which all others end. In
# the background, since a signal interrupts `wait`, but not the wait for a command in the foreground.
enter() {
    version=$1
    shift
    # shellcheck disable=SC2016 # for the shell that it starts
    KUBERNETES=$version NODE_BUILD=$built NODE_GROUPS=$groups setpriv --pdeathsig KILL \
        unshare --mount --net --pid --ipc --uts --fork --kill-child sh -euc '
        for group in $NODE_GROUPS; do
            echo 0 >"$group/cgroup.procs"
        done
        exec unshare --cgroup sh tests/node/isolate.sh "$@"
    ' sh "$@" &
    child=$!
    ended=0
    wait "$child" || ended=$?
    child=
    return "$ended"
}

status=0
case $mode in
scenarios)
    for version in $versions; do
        rm -f "$built/scenarios-$version.json"
        enter "$version" /usr/bin/python3 -B -m pytest -q -rfE tests/node "$@" || status=$?
    done
    if [ -n "$record" ]; then
        ACR_PROVIDER_BIN=$built/program /usr/bin/python3 -B -m pytest -q -n "$(nproc)" "--junitxml=$built/kubelets.xml" \
            tests/program/test_kubelet.py tests/program/test_config_kubelets.py || status=$?
    fi
    [ "$status" -eq 0 ] || record=
    # shellcheck disable=SC2086 # a list of words; $record is a flag or nothing
    /usr/bin/python3 -B tests/node/table.py $record $versions
    ;;
*)
    enter "${versions##* }" /usr/bin/python3 -B "tests/node/$mode.py" ${record:+"$record"} || status=$?
    ;;
esac
exit "$status"
