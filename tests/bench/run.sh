#!/bin/sh
# Builds the program, the minimal client and an empty program, and times them beside each other.
# Usage: run.sh [ROUNDS [RELEASE]], where RELEASE is an executable of deploy/static/build.sh, which is built if it is
# left out.
set -eu
cd "$(dirname "$0")/../.."

sh tests/setup.sh try
command -v curl >/dev/null || { echo "the shell script to compare with needs curl" >&2; exit 1; }
cmake --preset release >/dev/null
cmake --build --preset release --parallel >/dev/null
release=${2:-build/static/aliyun-acr-credential-provider-$(uname -m)}
[ $# -ge 2 ] || bash deploy/static/build.sh "$(uname -m)" build/static >/dev/null
# The linker's warnings of names that need shared libraries do not matter: no name is looked up.
cc -O2 -static -Wl,--no-warnings -o build/release/minimal_client tests/bench/minimal_client.c -lssl -lcrypto
cc -O2 -static -o build/release/empty tests/bench/empty.c
cc -O2 -static -o build/release/run_once tests/bench/run_once.c
python3 -B tests/bench/bench.py build/release/run_once build/release/aliyun-acr-credential-provider "$release" \
    build/release/minimal_client build/release/empty "${1:-50}"
