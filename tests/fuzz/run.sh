#!/bin/bash
# Runs every fuzz target from its seeds, on a corpus of its own that is thrown away; what breaks one is kept in the
# current folder.
#
# Usage: run.sh [SECONDS]           under the sanitizers, for so long each (default 3600)
#        run.sh --executions NUMBER  so often each, several at once: first at full speed without sanitizers, then all
#                                    inputs that have found new code under them
set -euo pipefail
here=$(pwd)
cd "$(dirname "$0")/../.."

mapfile -t targets < <(basename -s .c tests/fuzz/fuzz_*.c)
# build FOLDER ARGUMENT...: the targets, and nothing else.
build() {
    cmake --preset fuzz -B "$@" -DPython3_EXECUTABLE=/usr/bin/python3 >/dev/null
    cmake --build "$1" --parallel --target "${targets[@]}"
}
# run FOLDER NAME ARGUMENT...
run() {
    local folder=$1 name=$2
    shift 2
    mkdir -p "$corpus/$name"
    "$folder/tests/$name" -seed=1 -verbosity=0 "-artifact_prefix=$here/" "$@" \
        "$corpus/$name" "tests/fuzz/corpus/${name#fuzz_}"
}
# fuzz NAME NUMBER
fuzz() {
    local log=$corpus/$1.log
    run build/fuzz-fast "$1" "-runs=$2" -print_final_stats=1 2>"$log" || { cat "$log" >&2; return 1; }
    sed -n "s/^stat::number_of_executed_units: */$1: /p" "$log"
    run build/fuzz "$1" -runs=0 2> >(grep -v '^INFO: ' >&2)
}

corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT
if [ "${1:-}" = --executions ]; then
    executions=${2:?--executions requires a number}
    build build/fuzz
    build build/fuzz-fast -DSANITIZERS= -DCMAKE_BUILD_TYPE=Release
    export -f run fuzz
    export here corpus
    printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I '{}' \
        bash -euo pipefail -c "fuzz {} $executions"
else
    build build/fuzz
    for target in "${targets[@]}"; do
        run build/fuzz "$target" "-max_total_time=${1:-3600}"
    done
fi
