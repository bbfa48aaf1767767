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

step 'manual page'
man --warnings --local-file deploy/man/*.1 2>&1 >/dev/null | tee /dev/stderr | wc -c | grep -qx 0

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
    ctest --test-dir build/debug --output-on-failure --parallel "$(nproc)" -R '^program/' -E 'test_(matrix|clients|kubelet|documents|config_schema)'

step 'fuzzing, 15 seconds for each target'
bash tests/fuzz/run.sh 15
step 'release: static, reproducible, for both architectures'
release=$(mktemp -d)
trap 'rm -rf "$release"' EXIT
for folder in first second; do
    bash deploy/static/build.sh x86_64 "$release/$folder"
done
cmp "$release"/{first,second}/aliyun-acr-credential-provider-x86_64
cmp "$release"/{first,second}/aliyun-acr-credential-provider-x86_64.spdx.json
bash deploy/static/build.sh aarch64 "$release/first"
pytest=(/usr/bin/python3 -B -m pytest -q -p no:cacheprovider)
RELEASE_FOLDER=$release/first "${pytest[@]}" tests/release
ACR_PROVIDER_BIN=$release/first/aliyun-acr-credential-provider-x86_64 "${pytest[@]}" tests/program/test_{answers,cache,identities,trust_stores}.py
ACR_PROVIDER_BIN=$release/first/aliyun-acr-credential-provider-aarch64 ACR_PROVIDER_WRAPPER=qemu-aarch64-static \
    "${pytest[@]}" tests/program/test_{answers,pods}.py

echo 'all checks passed'
