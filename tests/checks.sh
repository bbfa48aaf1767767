#!/bin/bash
# The slower checks: format, clang, sanitizers, static analysis, Valgrind, a short fuzz run.
set -euo pipefail
cd "$(dirname "$0")/.."

python=-DPython3_EXECUTABLE=/usr/bin/python3
mapfile -t sources < <(git ls-files '*.c' '*.h')
mapfile -t product < <(git ls-files 'plugin/*.c' 'proto-json/*.c')
step() { printf '\n== %s\n' "$*"; }

step clang-format
clang-format --dry-run -Werror "${sources[@]}"

step clang
cmake --preset clang "$python" >/dev/null
cmake --build --preset clang --parallel

step clang-tidy
printf '%s\n' "${product[@]}" | xargs -P "$(nproc)" -n 4 clang-tidy -quiet -p build/clang 2>/dev/null

step cppcheck
cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability --std=c11 \
    --inline-suppr --suppress=missingIncludeSystem -D_GNU_SOURCE -DPROVIDER_VERSION='"0"' \
    -I . -I plugin plugin proto-json

step 'address and undefined behaviour sanitizers'
cmake --preset asan "$python" >/dev/null
cmake --build --preset asan --parallel
ctest --test-dir build/asan --output-on-failure --parallel 4

step Valgrind
ACR_PROVIDER_WRAPPER='valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite' \
    ctest --test-dir build/debug --output-on-failure --parallel 4 -R '^program/'

step 'fuzzing, 15 seconds for each target'
bash tests/fuzz/run.sh 15
echo 'all checks passed'
