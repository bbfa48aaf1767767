#!/bin/bash
# Makes all that the page of a release holds, on Debian 12 as root. The same executables give the same bytes.
#
# Usage: build.sh VERSION OUTPUT_FOLDER [EXECUTABLES]. EXECUTABLES is a folder into which deploy/static/build.sh has
# built both architectures; without it they are built now. The environment may have
#   OWNER         the project's account on GitHub, which packages and images name
#   MINISIGN_KEY  the file of the secret key that signs the checksums; its password, if any, is read from stdin
set -euo pipefail
umask 022
export LC_ALL=C TZ=UTC
exec 3<&0 </dev/null

usage='usage: build.sh VERSION OUTPUT_FOLDER [EXECUTABLES]'
version=${1:?$usage}
output=${2:?$usage}
executables=${3:-}
root=$(cd "$(dirname "$0")/../.." && pwd)
name=aliyun-acr-credential-provider
owner=${OWNER:-OWNER}
maintainer="$owner <$owner@users.noreply.github.com>"
url=https://github.com/$owner/$name
summary='Kubelet image credential provider for Alibaba Cloud Container Registry'
description='Exchanges the RAM role of a node or pod for a temporary registry
password, with which the kubelet and container clients pull private images,
so that nobody stores one. On an ECS or ACK node with a RAM role it needs no
configuration.'
text=${description//$'\n'/ } # in one line
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { echo "build.sh: $1" >&2; exit "${2:-1}"; }
step() { echo "== $*"; }
quietly() { "$@" >"$work/log" 2>&1 || { tail -n 40 "$work/log" >&2; exit 1; }; }

# -- what is released

built=$(sed -n 's/^project(.* VERSION \([0-9.]*\) .*/\1/p' "$root/CMakeLists.txt")
[ "$version" = "$built" ] || fail "CMakeLists.txt has version $built, not $version" 64
awk -v heading="## $version" '/^## / {is_in = index($0 " ", heading " ") == 1; next} is_in' "$root/CHANGELOG.md" |
    sed '/./,$!d' >"$work/notes"
[ -s "$work/notes" ] || fail "CHANGELOG.md has no section $version" 64
mkdir -p "$output"
output=$(cd "$output" && pwd)
[ -z "$(ls -A "$output")" ] || fail "$output is not empty" 64

sh "$root/deploy/static/packages.sh" rpm squashfs-tools minisign python3 xz-utils
if [ -z "$executables" ]; then
    executables=$work/static
    for arch in x86_64 aarch64; do
        bash "$root/deploy/static/build.sh" "$arch" "$executables"
    done
fi
said=$("$executables/$name-x86_64" version | head -n 1)
[ "$said" = "$name $version" ] || fail "the executable calls itself $said"
# created ARCH: the time that its bill of materials bears, which is no older than the commit that was built.
created() { date -d "$(sed -n 's/.*"created": "\(.*\)".*/\1/p' "$executables/$name-$1.spdx.json")" +%s; }
# A version lasts longer than what was built of it: executables of an earlier commit may lack what the files that are
# released with them use. Commits that were merged count from when they were.
changed=$(git -c "safe.directory=$root" -C "$root" log -1 --first-parent --format=%ct \
    -- CMakeLists.txt plugin proto-json deploy/static 2>/dev/null) ||
    echo 'build.sh: git fails here: whether the executables are older than their sources is not checked' >&2
for arch in x86_64 aarch64; do
    sum=$(sha256sum <"$executables/$name-$arch")
    grep -q "${sum%% *}" "$executables/$name-$arch.spdx.json" || fail "the bill of materials is not that of $name-$arch"
    [ "$(created $arch)" -ge "${changed:-0}" ] || fail "$name-$arch is older than its sources: build it again"
done
# All times in what is made are this one.
SOURCE_DATE_EPOCH=$(created x86_64)
export SOURCE_DATE_EPOCH

# -- trees of files

put() { install -D -m 0644 /dev/stdin "$1"; }
stamp() { find "$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +; }
# pack FOLDER NAME...: a tar archive of these, on stdout.
pack() {
    stamp "$1"
    tar -C "$1" --sort=name --format=ustar --owner=0 --group=0 --numeric-owner -c "${@:2}"
}
# licenses ARCH FOLDER
licenses() {
    install -D -m 0644 "$root/LICENSE" "$2/LICENSE"
    install -D -m 0644 "$executables/$name-$1.licenses.txt" "$2/copyright"
}
# program ARCH PREFIX
program() {
    install -D -m 0755 "$executables/$name-$1" "$2/bin/$name"
    ln -s $name "$2/bin/docker-credential-aliyun-acr"
    licenses "$1" "$2/share/doc/$name"
}
# documents PREFIX ZSH_FOLDER: manual, completions, schemas, pages and examples.
documents() {
    local page pages=$1/share/doc/$name
    for page in "$root"/deploy/man/*.1; do
        gzip -9n <"$page" | put "$1/share/man/man1/${page##*/}.gz"
    done
    "$executables/$name-x86_64" completion bash | put "$1/share/bash-completion/completions/$name"
    "$executables/$name-x86_64" completion zsh | put "$1/share/zsh/$2/_$name"
    "$executables/$name-x86_64" completion fish | put "$1/share/fish/vendor_completions.d/$name.fish"
    install -D -m 0644 -t "$1/share/$name" "$root"/plugin/*/*.schema.json
    (cd "$root" && cp -r --parents README.md CHANGELOG.md plugin/config/README.md deploy "$pages")
    rm -r "$pages"/deploy/{man,static}
    find "$pages/deploy/release" -type f ! -name README.md -delete
    find "$pages" -type f -exec chmod 0644 {} + -o -type d -exec chmod 0755 {} +
}

# -- packages; each function takes the names of the architecture for the kernel, Debian and systemd

deb() {
    local tree=$work/deb-$2 doc=$work/deb-$2/usr/share/doc/$name
    program "$1" "$tree/usr"
    documents "$tree/usr" vendor-completions
    rm "$doc/LICENSE" # which all of Debian's systems have, as the copyright file says
    gzip -9n <<EOF | put "$doc/changelog.gz"
$name ($version) unstable; urgency=medium

  * See CHANGELOG.md.

 -- $maintainer  $(date -R -d "@$SOURCE_DATE_EPOCH")
EOF
    (cd "$tree" && find usr -type f | sort | xargs md5sum) | put "$tree/DEBIAN/md5sums"
    install -D -m 0755 "$root/deploy/release/prerm.sh" "$tree/DEBIAN/prerm"
    put "$tree/DEBIAN/control" <<EOF
Package: $name
Version: $version
Architecture: $2
Maintainer: $maintainer
Installed-Size: $(find "$tree/usr" -type f -printf '%s\n' | awk '{total += $1} END {print int(total / 1024) + 1}')
Recommends: ca-certificates
Section: admin
Priority: optional
Homepage: $url
Description: $summary
 ${description//$'\n'/$'\n' }
EOF
    stamp "$tree"
    quietly dpkg-deb --root-owner-group -Zxz --threads-max=1 --build "$tree" "$output/${name}_${version}_$2.deb"
}
rpm() {
    local tree=$work/rpm-$2
    program "$1" "$tree/usr"
    documents "$tree/usr" site-functions
    stamp "$tree"
    quietly rpmbuild -bb --target "$1-linux" -D "_topdir $work/rpmbuild" -D "_rpmdir $output" \
        -D "release_tree $tree" -D "release_version $version" -D "release_summary $summary" \
        -D "release_text {$description}" -D "release_url $url" -D "release_maintainer $maintainer" \
        -D "release_prerm $root/deploy/release/prerm.sh" \
        -D "release_date $(date -d "@$SOURCE_DATE_EPOCH" '+%a %b %d %Y')" "$root/deploy/release/package.spec"
}
tarball() {
    local folder=$name-$version-linux-$2
    program "$1" "$work/tarball/$folder"
    documents "$work/tarball/$folder" site-functions
    pack "$work/tarball" "$folder" | gzip -9n >"$output/$folder.tar.gz"
}
# A system extension may add to /usr and /opt alone; /usr/local is a link on some systems.
sysext() {
    local tree=$work/sysext-$2
    program "$1" "$tree/usr"
    printf 'ID=_any\nARCHITECTURE=%s\n' "$3" | put "$tree/usr/lib/extension-release.d/extension-release.$name"
    stamp "$tree"
    quietly mksquashfs "$tree" "$output/$name-$version-$3.raw" -all-root -noappend -no-xattrs
}
# Talos' kubelet looks in one folder.
talos() {
    local tree=$work/talos-$2 prefix=$work/talos-$2/rootfs/usr/local
    install -D -m 0755 "$executables/$name-$1" "$prefix/lib/kubelet/credentialproviders/$name"
    licenses "$1" "$prefix/share/doc/$name"
    install -D -m 0644 "$executables/$name-$1.spdx.json" "$prefix/share/spdx/$name.spdx.json"
    put "$tree/manifest.yaml" <<EOF
version: v1alpha1
metadata:
  name: $name
  version: "$version"
  author: $owner
  description: $text
  compatibility:
    talos:
      version: ">= v1.6.0"
EOF
    pack "$tree" manifest.yaml rootfs >"$output/$name-$version-talos-$2.tar"
}
# image KIND NAME TITLE CONFIG: of the trees of both architectures.
image() {
    python3 "$root/deploy/release/oci.py" "$output/$name-$version-$1.tar" "localhost/$2" "{$4 \"Labels\": {
        \"org.opencontainers.image.title\": \"$3\", \"org.opencontainers.image.description\": \"$text\",
        \"org.opencontainers.image.version\": \"$version\", \"org.opencontainers.image.licenses\": \"Apache-2.0\",
        \"org.opencontainers.image.url\": \"$url\", \"org.opencontainers.image.source\": \"$url\"}}" \
        amd64="$work/$1-amd64" arm64="$work/$1-arm64"
}

for architecture in 'x86_64 amd64 x86-64' 'aarch64 arm64 arm64'; do
    read -r arch other _ <<<"$architecture"
    cp -p "$executables/$name-$arch" "$executables/$name-$arch.spdx.json" "$output/"
    ln "$output/$name-$arch" "$output/$name-$other"
    program "$arch" "$work/oci-$other/usr/local"
    for kind in deb rpm tarball sysext talos; do
        step "$kind for $arch"
        # shellcheck disable=SC2086 # three words
        $kind $architecture
    done
    mv "$work/talos-$other" "$work/talos-oci-$other"
done
step images
image oci $name $name \
    "\"User\": \"0:0\", \"Env\": [\"PATH=/usr/local/bin\"], \"Entrypoint\": [\"/usr/local/bin/$name\"],"
image talos-oci $name-talos "$name for Talos" ''

# -- and what belongs to it

cp "$executables/$name-x86_64.licenses.txt" "$output/$name.licenses.txt"
{
    echo "Install, check and remove: $url/blob/v$version/deploy/release/README.md"
    echo
    cat "$work/notes"
} >"$output/RELEASE-NOTES.md"
for file in "$root"/deploy/*.yaml "$root/deploy/install.sh"; do
    [ ! -e "$file" ] || cp "$file" "$output/"
done
(cd "$output" && sha256sum -- *) >"$work/sums"
cp "$work/sums" "$output/SHA256SUMS"
if [ -n "${MINISIGN_KEY:-}" ]; then
    minisign -S -s "$MINISIGN_KEY" -t "$name $version" -m "$output/SHA256SUMS" <&3
else
    echo 'build.sh: MINISIGN_KEY is not set: SHA256SUMS has no signature' >&2
fi
ls -l "$output"
