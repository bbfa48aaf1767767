#!/bin/sh
# Installs what is needed, builds, starts the emulated cloud and shows a real request answered.
set -eu
cd "$(dirname "$0")/.."

sh tests/setup.sh try
cmake --preset release -DBUILD_TESTING=OFF -B build/demo >/dev/null
cmake --build build/demo --parallel >/dev/null

# The emulator ends when its standard input does: the demonstration holds the other end.
state=$(mktemp -d)
trap 'exec 9>&-; rm -rf "$state"' EXIT
mkfifo "$state/hold"
python3 -B tests/emulator/emulator.py <"$state/hold" >"$state/environment" &
exec 9>"$state/hold"
tries=0
until grep -q HTTPS_PROXY "$state/environment"; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || { echo "the emulator did not start" >&2; exit 1; }
    sleep 0.1
done
. "$state/environment"

request='{"kind":"CredentialProviderRequest","apiVersion":"credentialprovider.kubelet.k8s.io/v1","image":"demo-registry.cn-hangzhou.cr.aliyuncs.com/team/app"}'
echo "\$ echo '$request' |"
echo "    aliyun-acr-credential-provider --no-cache"
echo "$request" | build/demo/aliyun-acr-credential-provider --no-cache
