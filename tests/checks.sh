#!/bin/bash
# The slower checks: formats, clang, static analysis, sanitizers, Valgrind, a short fuzz run, releases, a real
# node.
set -euo pipefail
shopt -s globstar
cd "$(dirname "$0")/.."

python=/usr/bin/python3
jobs=$(nproc)
product=(plugin/**/*.c proto-json/*.c)

# step NAME: says how long the one before has taken.
step() {
    [ -z "${stage:-}" ] || printf -- '-- %s: %d s\n' "$stage" $((SECONDS - began))
    stage=$1 began=$SECONDS
    [ -z "$stage" ] || printf '\n== %s\n' "$stage"
}
build() {
    cmake --preset "$1" -DPython3_EXECUTABLE=$python >/dev/null
    cmake --build --preset "$1" --parallel "$jobs"
}
work=$(mktemp -d)
trap 'jobs -p | xargs --no-run-if-empty kill; rm -rf "$work"' EXIT
pytest() { $python -B -m pytest -q -rfEs -n 8 --dist loadgroup "--basetemp=$work/pytest" "$@"; }

step 'formats'
clang-format --dry-run -Werror "${product[@]}" plugin/**/*.h proto-json/*.h tests/**/*.[ch]
warnings=$(man --warnings --local-file deploy/man/aliyun-acr-credential-provider.1 2>&1 >/dev/null)
[ -z "$warnings" ] || { printf '%s\n' "$warnings" >&2; exit 1; }

step 'clang'
build clang

step 'clang-tidy'
# It also counts on standard error what it does not show.
printf '%s\n' "${product[@]}" | xargs -P "$jobs" -n 4 clang-tidy -quiet -p build/clang \
    2> >(grep -v 'warnings\? generated\.$' >&2)

step 'cppcheck'
cppcheck --quiet -j "$jobs" --error-exitcode=1 --enable=warning,performance,portability --std=c11 \
    --inline-suppr --suppress=missingIncludeSystem -D_GNU_SOURCE -DPROVIDER_VERSION='"0"' \
    -I plugin -I . plugin proto-json

step 'address and undefined behaviour sanitizers'
build asan
ctest --test-dir build/asan --output-on-failure --parallel 4 -L fast
(   # Of the rest, what handles memory in another way: crowds, kills by the system, one service's failures.
    export ACR_PROVIDER_BIN=$PWD/build/asan/aliyun-acr-credential-provider ACR_PROVIDER_SANITIZED=1
    pytest tests/program/test_{api,cache,pods,secrets,sharing,transport}.py -m slow
    # LeakSanitizer cannot work where the program is traced or set-user-id, and none of them without /proc.
    pytest tests/system --ignore tests/system/test_kills.py \
        -k 'not (set_user_id or fewer_rights or cannot_lock or without_proc)'
    pytest tests/faults -k 'GetAuthorizationToken or metadata-credentials'
)

step 'undefined behaviour sanitizer alone'
build ubsan
ctest --test-dir build/ubsan --output-on-failure --parallel "$jobs" -R '^unit/'

step 'the build of the README'
cmake --preset release -DWARNINGS_AS_ERRORS=ON >/dev/null
cmake --build --preset release --parallel "$jobs"
cmake --install build/release --prefix build/release/installed >/dev/null
build/release/installed/bin/aliyun-acr-credential-provider version

step 'Valgrind'
# It judges what the sanitizers cannot: values that were never set.
valgrind='valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite'
for test in build/debug/tests/test_*; do
    [[ ! -x $test || -d $test || $test == *_properties ]] || echo "$test"
done | xargs -P "$jobs" -I '{}' sh -c "$valgrind {} >$work/valgrind.\$\$ 2>&1 || { cat $work/valgrind.\$\$; exit 1; }"
ACR_PROVIDER_BIN=$PWD/build/debug/aliyun-acr-credential-provider ACR_PROVIDER_WRAPPER=$valgrind \
    pytest -n "$jobs" -m "not slow" tests/program/test_{answers,cache,external,pods}.py \
    -k 'test_answers or role_of_the_pod or renewal or records_that or asks_nobody or external_process_that_fails'

step 'fuzzing, 15 seconds for each target'
bash tests/fuzz/run.sh 15

step 'releases: static, reproducible, for both architectures'
# A version that the mirror no longer has must not stop the checks: they then build from what it has today.
lock=deploy/static/sources.lock
mkdir "$work/sources" "$work/release" "$work/again"
status=0
bash deploy/static/sources.sh fetch "$lock" "$work/sources" || status=$?
if [ "$status" -eq 69 ]; then
    cp "$lock" "$work/sources.lock"
    lock=$work/sources.lock
    bash deploy/static/sources.sh update "$lock"
    printf '\n!! sources.lock is out of date: the releases of these checks are built from:\n%s\n\n' \
        "$(grep ^package "$lock")" >&2
elif [ "$status" -ne 0 ]; then
    exit "$status"
fi
# Side by side, since much of a build is configuration, which uses one core.
bash deploy/static/build.sh x86_64 "$work/release" "$lock" >"$work/release.log" 2>&1 & first=$!
bash deploy/static/build.sh aarch64 "$work/release" "$lock" >"$work/aarch64.log" 2>&1 & aarch64=$!
wait $first || { cat "$work/release.log" >&2; exit 1; }
bash deploy/static/build.sh x86_64 "$work/again" "$lock" >"$work/again.log" 2>&1 & second=$!
wait $aarch64 || { cat "$work/aarch64.log" >&2; exit 1; }
wait $second || { cat "$work/again.log" >&2; exit 1; }
for file in aliyun-acr-credential-provider-x86_64{,.spdx.json,.licenses.txt}; do
    cmp "$work"/{release,again}/"$file"
done

step 'tests of the releases, and of what is made of them'
RELEASE_FOLDER=$work/release pytest tests/release
ACR_PROVIDER_BIN=$work/release/aliyun-acr-credential-provider-x86_64 \
    pytest -m 'not slow' tests/cases tests/program/test_{answers,cache,command_line,external,front_ends,hosts,pods}.py \
    tests/program/test_{profiles,settings,transport}.py tests/system --ignore tests/system/test_kills.py
# Emulated, and therefore without what calls the program by itself, and glibc's words.
ACR_PROVIDER_BIN=$work/release/aliyun-acr-credential-provider-aarch64 ACR_PROVIDER_WRAPPER=qemu-aarch64-static \
    pytest -n "$jobs" -m 'not slow' -k 'not (read_only or never_ends or symbolic)' tests/program/test_{answers,cache,pods}.py

step 'a real node, with the release'
status=0 but=
sh tests/node/run.sh --program "$work/release/aliyun-acr-credential-provider-x86_64" || status=$?
case $status in
0) ;;
69) but=', but for the real node, which needs a later Go' ;; # than Debian 12's, as other tests do
*) exit "$status" ;;
esac

step ''
echo "all checks passed$but, after $SECONDS s"
