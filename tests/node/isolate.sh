#!/bin/sh
# The first process of the node, in namespaces of its own: gives it a root over the machine's, a network and control
# groups, and then runs its arguments. What is written outside of the checkout is in memory, and gone at the end.
set -eu

mount --make-rprivate /
root=/tmp
mount -t tmpfs -o mode=0755 node $root
mkdir $root/upper $root/work $root/root
# The machine's own file system, without what is mounted on it.
mount -t overlay -o "lowerdir=/,upperdir=$root/upper,workdir=$root/work" node $root/root
mkdir $root/sysctl
sysctl=$root/sysctl root=$root/root
# containerd puts overlays into these, which cannot be on an overlay.
for directory in run tmp var/lib/containerd var/lib/kubelet; do
    mkdir -p "$root/$directory"
    mount -t tmpfs -o mode=0755 "${directory##*/}" "$root/$directory"
done
mkdir -p "$root$PWD"
mount --bind "$PWD" "$root$PWD"
mount -t proc proc $root/proc
mount -t sysfs sysfs $root/sys
mount --rbind /dev $root/dev
mount -t tmpfs shm $root/dev/shm
if [ -e /sys/fs/cgroup/cgroup.procs ]; then
    mount -t cgroup2 cgroup2 $root/sys/fs/cgroup
    # A group that hands out controllers may have no processes itself; this one is alone in it.
    mkdir $root/sys/fs/cgroup/init
    echo 0 >$root/sys/fs/cgroup/init/cgroup.procs
    sed 's/[^ ]*/+&/g' $root/sys/fs/cgroup/cgroup.controllers >$root/sys/fs/cgroup/cgroup.subtree_control
else
    mount -t tmpfs cgroup $root/sys/fs/cgroup
    while IFS=: read -r _ names _; do
        case $names in
        '') continue ;; # version 2 beside it
        name=*) directory=${names#name=} ;;
        *) directory=$names ;;
        esac
        mkdir "$root/sys/fs/cgroup/$directory"
        mount -t cgroup -o "$names" cgroup "$root/sys/fs/cgroup/$directory"
    done </proc/self/cgroup
fi
# The kubelet sets these, which are of no namespace: it gets files in their place.
for file in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys \
    kernel/keys/root_maxbytes; do
    mkdir -p "$sysctl/${file%/*}"
    cat "/proc/sys/$file" >"$sysctl/$file"
    mount --bind "$sysctl/$file" "$root/proc/sys/$file"
done
here=$PWD
cd $root
mkdir -p old
pivot_root . old
umount -l /old
cd "$here"
mount --make-rshared /

hostname node
ip link set lo up
ip address add 100.100.100.200/32 dev lo # the metadata service
ip link add node0 type veth peer name lost0
ip address add 10.0.0.1/24 dev node0
ip link set node0 up arp off # what is sent to other addresses is lost, as where a firewall drops it
ip link set lost0 up
ip route add default dev node0
exec "$@"
