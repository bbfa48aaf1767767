#!/bin/sh
# Installs, on Debian or Ubuntu, what building and testing need. Does nothing where it is all there.
set -eu

packages="cmake make gcc libc6-dev pkg-config libcurl4-openssl-dev libssl-dev libjson-c-dev libyaml-dev openssl python3"
[ "${1:-}" = try ] ||
    packages="$packages libcmocka-dev python3-pytest python3-pytest-xdist python3-jsonschema python3-yaml\
 flake8 shellcheck binutils procps iproute2"
[ "${1:-}" != checks ] ||
    packages="$packages clang libclang-rt-14-dev clang-format clang-tidy cppcheck valgrind nodejs npm golang-go python3-pip\
 python3-venv ca-certificates docker-registry skopeo podman buildah curl strace qemu-user-static man-db dpkg-dev perl\
 debian-archive-keyring gcc-aarch64-linux-gnu libc6-dev-arm64-cross zsh fish prometheus\
 rpm lintian rpmlint squashfs-tools systemd-container minisign mmdebstrap busybox-static wget systemd cloud-init\
 ansible-core"

[ "${1:-}" != node ] ||
    packages="$packages libseccomp2 util-linux golang-go ca-certificates"

missing=
for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' ||
        missing="$missing $package"
done
# A machine may have its own node, npm and go instead of Debian's.
if command -v npm >/dev/null 2>&1; then
    missing=$(printf '%s' "$missing" | sed 's/ nodejs//; s/ npm//')
fi
if command -v go >/dev/null 2>&1; then
    missing=$(printf '%s' "$missing" | sed 's/ golang-go//')
fi
[ -n "$missing" ] || exit 0

root=
[ "$(id -u)" -eq 0 ] || root=sudo
$root apt-get update -qq
# shellcheck disable=SC2086 # a list of words
DEBIAN_FRONTEND=noninteractive $root apt-get install -y -qq --no-install-recommends $missing
