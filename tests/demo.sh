#!/bin/sh
# Installs what is needed, builds, starts the emulated cloud and shows a real request answered.
set -eu
cd "$(dirname "$0")/.."

sh tests/setup.sh try
echo "building ..." >&2
cmake --preset release -B build/demo >/dev/null
cmake --build build/demo --parallel >/dev/null

request='{"kind":"CredentialProviderRequest","apiVersion":"credentialprovider.kubelet.k8s.io/v1","image":"demo-registry.cn-hangzhou.cr.aliyuncs.com/team/app"}'
echo "\$ echo '$request' |"
echo "    aliyun-acr-credential-provider --no-cache"
echo "$request" | python3 -B tests/emulator/emulator.py build/demo/aliyun-acr-credential-provider --no-cache
