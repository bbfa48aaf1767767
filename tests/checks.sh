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
warnings=$(man --warnings --local-file deploy/man/aliyun-acr-credential-provider.1 2>&1 >/dev/null)
[ -z "$warnings" ] || { printf '%s\n' "$warnings" >&2; exit 1; }

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

step 'undefined behaviour alone, and the build of the README'
cmake --preset ubsan "$python" >/dev/null
cmake --build --preset ubsan --parallel
ctest --test-dir build/ubsan --output-on-failure --parallel 4 -R '^unit/'
cmake --preset release >/dev/null
cmake --build --preset release --parallel
cmake --install build/release --prefix build/release/installed >/dev/null
build/release/installed/bin/aliyun-acr-credential-provider version

step Valgrind
ACR_PROVIDER_WRAPPER='valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite' \
    ctest --test-dir build/debug --output-on-failure --parallel "$(nproc)" -R '^program/' -E 'test_(matrix|clients|kubelet|documents|config_schema|sharing)'

step 'fuzzing, 15 seconds for each target'
bash tests/fuzz/run.sh 15
step 'release: static, reproducible, for both architectures'
release=$(mktemp -d)
trap 'rm -rf "$release"' EXIT
# That a mirror drops a version must not stop the checks: then they build from what it has today.
lock=deploy/static/sources.lock
mkdir "$release/sources"
status=0
bash deploy/static/sources.sh fetch "$lock" "$release/sources" || status=$?
if [ "$status" -eq 69 ]; then
    cp "$lock" "$release/sources.lock"
    lock=$release/sources.lock
    bash deploy/static/sources.sh update "$lock"
    printf '\n!! sources.lock is out of date: the releases of these checks are built from:\n%s\n\n' "$(grep ^package "$lock")" >&2
elif [ "$status" -ne 0 ]; then
    exit "$status"
fi
for folder in first second; do
    bash deploy/static/build.sh x86_64 "$release/$folder" "$lock"
done
cmp "$release"/{first,second}/aliyun-acr-credential-provider-x86_64
cmp "$release"/{first,second}/aliyun-acr-credential-provider-x86_64.spdx.json
bash deploy/static/build.sh aarch64 "$release/first" "$lock"
pytest=(/usr/bin/python3 -B -m pytest -q -rs -p no:cacheprovider "--basetemp=$release/pytest")
RELEASE_FOLDER=$release/first "${pytest[@]}" tests/release
ACR_PROVIDER_BIN=$release/first/aliyun-acr-credential-provider-x86_64 \
    "${pytest[@]}" tests/program/test_{answers,cache,command_line,credentials_uri,external,front_ends,hosts,identities,metadata,pods,profiles,roles,settings,sharing,transport}.py tests/system
# Emulated, and therefore without what takes crowds or long waits, what calls the program by itself, and glibc's words.
slow='storm or kill or loris or outage or faults'
direct='read_only or never_ends'
ACR_PROVIDER_BIN=$release/first/aliyun-acr-credential-provider-aarch64 ACR_PROVIDER_WRAPPER=qemu-aarch64-static \
    "${pytest[@]}" -k "not ($slow or $direct or symbolic)" tests/program/test_{answers,cache,pods}.py

echo 'all checks passed'
