#!/bin/bash
# Downloads the source packages of a release with apt, from the Debian mirrors that this machine is configured for. apt
# gets a state directory of its own, so nothing on the machine changes.
#
# Usage: sources.sh fetch LOCK FOLDER    downloads what LOCK names; status 69 if a version is no longer available
#        sources.sh update LOCK          rewrites LOCK: the newest versions, the digests of their files, today's date
set -euo pipefail
export LC_ALL=C

usage='usage: sources.sh fetch LOCK FOLDER | update LOCK'
mode=${1:?$usage}
lock=$(realpath "${2:?$usage}")
own=bookworm # the release of Debian that releases are built on
state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT

fail() { echo "sources.sh: $1" >&2; exit "${2:-1}"; }
rows() { awk -v kind="$1" '$1 == kind {print $2, $3, $4}' "$lock"; }

# apt for one release of Debian: RELEASE TOOL ARGUMENT...
apt() {
    local release=$1 tool=$2
    shift 2
    "$tool" -qq -o Dir::Etc::SourceList="$state/$release/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Status=/dev/null \
        -o Dir::State::Lists="$state/$release/lists" -o Dir::Cache::srcpkgcache= -o Dir::Cache::pkgcache= -o APT::Sandbox::User=root \
        -o Acquire::Retries=3 "$@"
}

# Finds the mirrors of one release among those of the machine's own apt, whether their lists were downloaded or not.
# Skips other distributions, which use the same release names, and backports.
read_release() {
    local release=$1
    mkdir -p "$state/$release/lists/partial"
    # shellcheck disable=SC2016 # the variables are apt's
    apt-get indextargets --no-release-info --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' | sort -u |
        awk -v own="$own" -v release="$release" '$1 ~ /debian/ && $3 == "main" && $2 ~ "^" own "(-updates|-security)?$" {
            sub("^" own, release, $2)
            print "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]", $1, $2, $3
        }' >"$state/$release/sources.list"
    [ -s "$state/$release/sources.list" ] || fail "apt has no mirror of Debian $own in its sources: see sources.list(5)"
    apt "$release" apt-get -o APT::Update::Error-Mode=any update || fail "the mirror's lists of Debian $release cannot be downloaded"
}

# RELEASE NAME VERSION FOLDER
download() { (cd "$4" && apt "$1" apt-get source --download-only "$2=$3" >/dev/null 2>"$state/error"); }

[ -n "$(rows package)" ] || fail "$lock names no package"
for release in $(rows package | cut -d ' ' -f 3 | sort -u); do
    read_release "$release"
done

case $mode in
fetch)
    folder=$(realpath "${3:?$usage}")
    while read -r name version release; do
        download "$release" "$name" "$version" "$folder" ||
            fail "$name $version is no longer available; run sources.sh update $lock: $(head -n 1 "$state/error")" 69
    done < <(rows package)
    # The same files, no more and no fewer.
    diff <(rows file | awk '{print $2 "  " $1}' | sort -k 2) <(cd "$folder" && sha256sum -- *) >&2 ||
        fail "what the mirror has (>) is not what $lock names (<)"
    ;;
update)
    while read -r name _ release; do
        for version in $(apt "$release" apt-cache showsrc --only-source "$name" | sed -n 's/^Version: //p' | sort -rVu); do
            folder=$state/$name/$version
            mkdir -p "$folder"
            if download "$release" "$name" "$version" "$folder"; then
                echo "package $name $version $release" >>"$state/packages"
                (cd "$folder" && sha256sum -- *) | awk '{print "file", $2, $1}' >>"$state/files"
                continue 2
            fi
            echo "sources.sh: the mirror lists $name $version but does not have it: $(head -n 1 "$state/error")" >&2
        done
        fail "Debian $release has no $name"
    done < <(rows package)
    { grep '^#' "$lock"; echo "date $(date +%s)"; cat "$state/packages"; sort "$state/files"; } >"$state/lock"
    cat "$state/lock" >"$lock"
    ;;
*) fail "$usage" 64 ;;
esac
