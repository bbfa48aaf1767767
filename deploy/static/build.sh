#!/bin/bash
# Builds the release: one static executable that needs only a resolver configuration and CA certificates on the node.
# musl, OpenSSL, libcurl, json-c and libyaml are built from Debian's source packages in the versions of sources.lock,
# without the parts that the program does not use. Two builds give the same bytes.
#
# Usage: build.sh x86_64|aarch64 OUTPUT_FOLDER [LOCK], on Debian 12; LOCK replaces sources.lock. Writes
# aliyun-acr-credential-provider-ARCH, its software bill of materials, and the licenses of what it contains.
set -euo pipefail

usage='usage: build.sh x86_64|aarch64 OUTPUT_FOLDER [LOCK]'
arch=${1:?$usage}
output=${2:?$usage}
root=$(cd "$(dirname "$0")/../.." && pwd)
lock=$(realpath "${3:-$root/deploy/static/sources.lock}")
mkdir -p "$output"
output=$(cd "$output" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix
jobs=$(nproc)

case $arch in
x86_64) openssl_target=linux-x86_64 cflags='-fcf-protection=full' compiler=x86_64-linux-gnu-gcc headers=/usr/include
    asm=/usr/include/x86_64-linux-gnu/asm packages=libc6-dev ;;
aarch64) openssl_target=linux-aarch64 cflags='-mbranch-protection=standard -mno-outline-atomics'
    compiler=aarch64-linux-gnu-gcc headers=/usr/aarch64-linux-gnu/include asm=/usr/aarch64-linux-gnu/include/asm
    packages='gcc-aarch64-linux-gnu libc6-dev-arm64-cross' ;;
*) echo "build.sh: $arch is neither x86_64 nor aarch64" >&2; exit 64 ;;
esac
cflags="$cflags -O2 -fPIE -fstack-protector-strong -ffunction-sections -fdata-sections"

# shellcheck disable=SC2086 # a list of words
sh "$root/deploy/static/packages.sh" cmake make gcc dpkg-dev perl pkg-config python3 debian-archive-keyring $packages

step() { echo "== $arch: $*"; }
quietly() { "$@" >"$work/log" 2>&1 || { tail -n 40 "$work/log" >&2; exit 1; }; }
# describe MODULE LIBRARY VERSION: for pkg-config, where a library's own build does not do it.
describe() {
    printf 'Name: %s\nDescription: %s\nVersion: %s\nLibs: -L%s/lib -l%s\nCflags: -I%s/include\n' \
        "$1" "$1" "$3" "$prefix" "$2" "$prefix" >"$prefix/lib/pkgconfig/$1.pc"
}

# -- sources

step sources
mkdir "$work/sources"
bash "$root/deploy/static/sources.sh" fetch "$lock" "$work/sources"
SOURCE_DATE_EPOCH=$(awk '$1 == "date" {print $2}' "$lock")
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC
for description in "$work"/sources/*.dsc; do
    name=$(sed -n 's/^Source: //p' "$description" | head -n 1)
    dpkg-source --no-check -x "$description" "$work/$name" >/dev/null
done

# -- a compiler for musl and the kernel's headers, whose name is the same in every build

step musl
cd "$work/musl"
quietly env CC="$compiler" AR="$arch-linux-gnu-ar" RANLIB="$arch-linux-gnu-ranlib" CFLAGS="$cflags -ffile-prefix-map=$work=." ./configure --prefix="$prefix" \
    --target="$arch-linux-musl" --disable-shared --enable-wrapper=gcc
quietly make -j"$jobs"
quietly make install
mkdir -p "$work/tools" "$work/kernel"
ln -s "$headers/linux" "$headers/asm-generic" "$work/kernel/"
ln -s "$asm" "$work/kernel/asm"
# Paths go in here and not into flags, which OpenSSL writes into its version.
printf '#!/bin/sh\nexec %s/bin/musl-gcc -isystem %s/kernel -ffile-prefix-map=%s=. -ffile-prefix-map=%s=. "$@"\n' \
    "$prefix" "$work" "$work" "$root" >"$work/tools/acr-cc"
for tool in ar ranlib strip nm ld; do
    ln -s "$(command -v "$arch-linux-gnu-$tool")" "$work/tools/acr-$tool"
done
chmod +x "$work/tools/acr-cc"
export PATH=$work/tools:$PATH CC=acr-cc AR=acr-ar RANLIB=acr-ranlib NM=acr-nm STRIP=acr-strip

step OpenSSL
cd "$work/openssl"
quietly env CFLAGS="$cflags" ./Configure "$openssl_target" --prefix=/usr --libdir=lib --openssldir=/etc/ssl no-shared no-tests no-engine no-dso \
    no-module no-legacy no-ssl3 no-comp no-srp no-psk no-dtls no-async no-ct no-cms no-ts no-cmp no-ocsp no-srtp \
    no-rfc3779 no-gost no-idea no-seed no-camellia no-aria no-bf no-cast no-des no-rc2 no-rc4 no-rmd160 no-whirlpool no-md4 \
    no-mdc2 no-sm2 no-sm3 no-sm4 no-siphash no-scrypt no-blake2 no-ec2m no-dsa no-nextprotoneg no-autoload-config \
    no-ui-console
quietly make -j"$jobs" build_generated
quietly make -j"$jobs" libcrypto.a libssl.a libcrypto.pc
mkdir -p "$prefix/lib/pkgconfig"
cp libcrypto.a libssl.a "$prefix/lib/"
cp -r include/openssl "$prefix/include/"
version=$(sed -n 's/^Version: //p' libcrypto.pc)
describe libcrypto crypto "$version"
describe libssl ssl "$version"
printf 'Name: OpenSSL\nDescription: OpenSSL\nVersion: %s\nRequires: libssl libcrypto\n' "$version" >"$prefix/lib/pkgconfig/openssl.pc"
export PKG_CONFIG_LIBDIR=$prefix/lib/pkgconfig

for name in json-c libyaml; do
    step "$name"
    quietly cmake -S "$work/$name" -B "$work/$name-build" -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR="$arch" -DCMAKE_C_COMPILER=acr-cc \
        -DCMAKE_AR="$work/tools/acr-ar" -DCMAKE_RANLIB="$work/tools/acr-ranlib" -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS="$cflags -DNDEBUG" \
        -DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_INSTALL_LIBDIR=lib -DBUILD_SHARED_LIBS=OFF -DBUILD_APPS=OFF -DBUILD_TESTING=OFF \
        -DDISABLE_WERROR=ON
    quietly cmake --build "$work/$name-build" --parallel "$jobs" --target install
done
describe yaml-0.1 yaml "$(sed -n 's/^#define YAML_VERSION_STRING "\(.*\)"/\1/p' "$work/libyaml-build/include/config.h")"

step libcurl
cd "$work/curl"
quietly env CFLAGS="$cflags" CPPFLAGS="-I$prefix/include" LDFLAGS="-L$prefix/lib -static" LIBS=-lcrypto ./configure --host="$arch-linux-musl" --prefix="$prefix" \
    --disable-shared --enable-static --with-openssl --without-zlib --without-brotli --without-zstd --without-nghttp2 --without-libpsl \
    --without-libidn2 --without-librtmp --without-libssh2 --without-gssapi --without-ca-bundle --without-ca-path --without-libgsasl \
    --disable-openssl-auto-load-config \
    --disable-{ldap,ldaps,rtsp,dict,telnet,tftp,pop3,imap,smb,smtp,gopher,mqtt,ftp,file,manual,ntlm,ntlm-wb,tls-srp,unix-sockets,cookies} \
    --disable-{alt-svc,hsts,netrc,progress-meter,dateparse,doh,aws,libcurl-option,headers-api,bindlocal,form-api,mime,websockets}
quietly make -j"$jobs" -C lib
quietly make -C lib install
quietly make -C include install
cp libcurl.pc "$prefix/lib/pkgconfig/"

step the program
name=aliyun-acr-credential-provider-$arch
quietly cmake -S "$root" -B "$work/build" -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR="$arch" -DCMAKE_C_COMPILER=acr-cc \
    -DCMAKE_AR="$work/tools/acr-ar" -DCMAKE_RANLIB="$work/tools/acr-ranlib" -DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY -DCMAKE_BUILD_TYPE=None -DBUILD_TESTING=OFF \
    -DCMAKE_C_FLAGS="$cflags -DNDEBUG" \
    -DCMAKE_EXE_LINKER_FLAGS="-nostdlib -Wl,-static,-pie,--no-dynamic-linker,-z,text,-z,noexecstack,--gc-sections,--build-id=none,-s,-Map,$work/link.map $prefix/lib/rcrt1.o $prefix/lib/crti.o" \
    -DCMAKE_C_STANDARD_LIBRARIES="-L$prefix/lib -lcurl -lssl -lcrypto -lc -lgcc -lc $prefix/lib/crtn.o"
quietly cmake --build "$work/build" --parallel "$jobs"
bash "$root/deploy/static/hardened.sh" "$arch" "$work"/build/lib{base,proto-json,net,config,cache,cloud,registry,identity,provide,kubelet,cmd,doctor}.a "$prefix"/lib/lib{curl,ssl,json-c,yaml}.a
cp "$work/build/aliyun-acr-credential-provider" "$output/$name"

# -- the bill of materials: names the installed tools too, and is no older than anything in it

# installed RELATIONSHIP FILE: the Debian package that FILE belongs to.
installed() {
    local package
    package=$(dpkg-query -S "$(realpath "$2")" | sed 's/: .*//')
    dpkg-query -W -f "$1 \${Package} \${Version} \${Architecture}\n" "$package"
}
committed=$(git -c "safe.directory=$root" -C "$root" log -1 --format=%ct 2>/dev/null || echo 0)
{
    installed BUILD_TOOL_OF "$(command -v "$compiler")"
    installed BUILD_TOOL_OF "$(command -v "$arch-linux-gnu-ld")"
    # Only if the program needs it, which differs by architecture.
    ! grep -q 'libgcc\.a(' "$work/link.map" || installed STATIC_LINK "$("$compiler" -print-libgcc-file-name)"
} | python3 "$root/deploy/static/sbom.py" "$lock" "$work" "$output/$name" "$root/CMakeLists.txt" \
    $((committed > SOURCE_DATE_EPOCH ? committed : SOURCE_DATE_EPOCH)) >"$output/$name.spdx.json"

# -- the licenses that copies of the executable must carry

{
    echo 'aliyun-acr-credential-provider is licensed under the Apache License 2.0 (on Debian'
    echo '/usr/share/common-licenses/Apache-2.0). It contains these libraries:'
    printf '\n== OpenSSL, under the same license\n\n'
    sed -n '/^Copyright (c)/p' "$work/openssl/README.md"
    for file in curl/COPYING json-c/COPYING libyaml/License musl/COPYRIGHT; do
        printf '\n== %s\n\n' "${file%/*}"
        cat "$work/$file"
    done
} >"$output/$name.licenses.txt"
ls -l "$output/$name"
