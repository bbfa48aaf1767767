#!/bin/sh
# Installs what is needed, builds with warnings as errors, and runs all tests, or those that arguments for ctest select.
set -eu
cd "$(dirname "$0")/.."

sh tests/setup.sh tests
cmake --preset debug -DPython3_EXECUTABLE=/usr/bin/python3
cmake --build --preset debug --parallel "$(nproc)"
ctest --test-dir build/debug --output-on-failure --parallel 4 "$@"
