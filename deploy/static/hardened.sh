#!/bin/bash
# Fails if an object in an archive was compiled without hardening: hardened.sh x86_64|aarch64 ARCHIVE...
# The executable does not show it: some assembly of musl and OpenSSL is not marked for protected branches, so the linker
# leaves the mark off the whole file.
set -euo pipefail
export LC_ALL=C

case ${1:?usage: hardened.sh x86_64|aarch64 ARCHIVE...} in
x86_64) mark='x86 feature: IBT, SHSTK' ;;
aarch64) mark='AArch64 feature: BTI, PAC' ;;
*) echo "hardened.sh: $1 is neither x86_64 nor aarch64" >&2; exit 64 ;;
esac
shift

status=0
report() { echo "hardened.sh: $1" >&2; status=1; }
for archive; do
    # Each object is a line "File: ARCHIVE(OBJECT)", and its notes follow.
    bare=$(readelf -nW "$archive" | awk -v mark="$mark" '
        /^File: / {if (file != "") print file; file = $2}
        index($0, mark) {file = ""}
        END {if (file != "") print file}')
    [ -z "$bare" ] || report "without \"$mark\":"$'\n'"$bare"
    nm "$archive" 2>/dev/null | grep ' U __stack_chk_fail$' >/dev/null || report "without stack protector: $archive"
done
exit $status
