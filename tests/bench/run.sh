#!/bin/sh
# Builds a release and the minimal client, and times them beside each other.
set -eu
cd "$(dirname "$0")/../.."

sh tests/setup.sh try
command -v curl >/dev/null || { echo "the shell script to compare with needs curl" >&2; exit 1; }
cmake --preset release -DBUILD_TESTING=OFF >/dev/null
cmake --build --preset release --parallel >/dev/null
cc -O2 -o build/release/minimal_client tests/bench/minimal_client.c -lssl -lcrypto
python3 -B tests/bench/bench.py build/release/aliyun-acr-credential-provider build/release/minimal_client "${1:-50}"
