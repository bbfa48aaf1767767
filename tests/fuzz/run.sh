#!/bin/bash
# Runs every fuzz target for some seconds (default 3600) from its seeds, on a corpus of its own that is thrown away; what
# breaks one is kept in the current folder.
set -euo pipefail
here=$(pwd)
cd "$(dirname "$0")/../.."

seconds=${1:-3600}
cmake --preset fuzz -DPython3_EXECUTABLE=/usr/bin/python3 >/dev/null
cmake --build --preset fuzz --parallel
corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT
for target in tests/fuzz/fuzz_*.c; do
    name=$(basename "$target" .c)
    mkdir "$corpus/$name"
    "build/fuzz/tests/$name" -max_total_time="$seconds" -seed=1 -verbosity=0 -print_final_stats=0 -artifact_prefix="$here/" \
        "$corpus/$name" "tests/fuzz/corpus/${name#fuzz_}"
done
