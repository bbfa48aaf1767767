#!/bin/sh
# Builds the program, the minimal client and an empty program, and times them beside each other.
# Usage: run.sh [ROUNDS [RELEASE]], where RELEASE is an executable of deploy/static/build.sh.
set -eu
cd "$(dirname "$0")/../.."

sh tests/setup.sh try
command -v curl >/dev/null || { echo "the shell script to compare with needs curl" >&2; exit 1; }
cmake --preset release -DBUILD_TESTING=OFF >/dev/null
cmake --build --preset release --parallel >/dev/null
cc -O2 -o build/release/minimal_client tests/bench/minimal_client.c -lssl -lcrypto
cc -O2 -static -o build/release/empty tests/bench/empty.c
python3 -B tests/bench/bench.py build/release/aliyun-acr-credential-provider build/release/minimal_client build/release/empty \
    "${1:-50}" ${2:+"$2"}
