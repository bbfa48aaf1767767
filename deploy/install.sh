#!/bin/sh
# Installs aliyun-acr-credential-provider on a node, or into the tree of an image that is being built.
set -eu
umask 022
export LC_ALL=C

usage() {
    cat <<'EOF'
usage: install.sh --from URL_OR_FILE [--sha256 HEX] [--minisign-key KEY] [--no-config] [FOLDERS]
       install.sh --uninstall [--no-config] [FOLDERS]

Puts the program into a folder, with its link docker-credential-aliyun-acr, and its entry into the kubelet's
CredentialProviderConfig. Restarts nothing. A second run changes nothing.

  --from URL_OR_FILE  the executable for this machine; a URL must begin with https://
  --sha256 HEX        its checksum; without it SHA256SUMS beside the executable counts, and a URL needs one of them
  --minisign-key KEY  the public key of the signature SHA256SUMS.minisig, or a file that has it
  --uninstall         remove what an installation with the same folders has put there
  --no-config         leave the kubelet's configuration as it is

FOLDERS, by default those that the flags of the running kubelet name, else those of k3s and RKE2 where one is there:
  --bin-dir DIR       else /usr/local/bin
  --config PATH       else /etc/kubernetes/credential-provider.yaml; a name without .yaml, .yml or .json is that of a
                      folder, which the kubelet can read since Kubernetes 1.34
  --root DIR          the tree of an image, in which the other folders are

Exit status: 0, or of sysexits.h 64 wrong command line, 65 wrong file, 66 no such file, 69 failed download or missing
tool, 73 and 74 cannot write, 78 refused configuration.
EOF
}

name=aliyun-acr-credential-provider
link=docker-credential-aliyun-acr
rancher=/var/lib/rancher/credentialprovider
from='' sha256='' key='' root='' bin='' config='' is_url='' is_uninstall='' has_config=yes work=''
newline='
'

fail() {
    echo "install.sh: $2" >&2
    exit "$1"
}

parse() {
    while [ $# -gt 0 ]; do
        case $1 in
        --help) usage && exit ;;
        --uninstall) is_uninstall=yes ;;
        --no-config) has_config='' ;;
        --from | --sha256 | --minisign-key | --bin-dir | --config | --root)
            [ -n "${2:-}" ] || fail 64 "$1 requires an argument. See --help"
            case $1=$2 in
            --from=https://*) from=$2 is_url=yes ;;
            --from=*://*) fail 64 "the URL must begin with https://" ;;
            --from=/*) from=$2 ;;
            --from=*) from=./$2 ;;
            --sha256=*[!0-9A-Fa-f]*) fail 64 "--sha256 requires 64 hexadecimal digits" ;;
            --sha256=*)
                sha256=$(echo "$2" | tr A-F a-f)
                [ "${#sha256}" = 64 ] || fail 64 "--sha256 requires 64 hexadecimal digits"
                ;;
            --minisign-key=*) key=$2 ;;
            --root=*) root=$(cd "$2" && pwd -P) || fail 66 "there is no folder $2" ;;
            --bin-dir=/?*) bin=${2%/} ;;
            --config=/?*) config=${2%/} ;;
            *) fail 64 "$1 requires an absolute path" ;;
            esac
            shift
            ;;
        *) fail 64 "unexpected argument: $1. See --help" ;;
        esac
        shift
    done
    root=${root%/}
    [ -n "$is_uninstall$from" ] || fail 64 "--from is missing. See --help"
}

# Prints the value of a flag of this system's kubelet; those in containers have another mount namespace.
kubelet_flag() {
    for process in /proc/[0-9]*; do
        comm=''
        { read -r comm <"$process/comm"; } 2>/dev/null || continue
        [ "$comm" != kubelet ] || [ "$(readlink "$process/ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ] ||
            tr '\0' '\n' <"$process/cmdline" | sed -n "s/^--$1=//p; /^--$1\$/{n;p;}"
    done | tail -n 1
}

choose_folders() {
    live_config='' live_bin=''
    if [ -z "$root" ]; then
        live_config=$(kubelet_flag image-credential-provider-config)
        live_bin=$(kubelet_flag image-credential-provider-bin-dir)
        live_config=${live_config%/} live_bin=${live_bin%/}
    fi
    if [ -n "$live_config" ] && [ -n "$live_bin" ]; then
        : "${bin:=$live_bin}" "${config:=$live_config}"
        [ "$config" != "$live_config" ] || [ "$bin" = "$live_bin" ] ||
            fail 78 "the kubelet that runs looks for the programs of $config in $live_bin, not in $bin"
    fi
    # An agent without settings of its own has nothing in /etc.
    for each in /etc/rancher/k3s /etc/rancher/rke2 /var/lib/rancher/k3s /var/lib/rancher/rke2; do
        [ ! -d "$root$each" ] || : "${bin:=$rancher/bin}" "${config:=$rancher/config.yaml}"
    done
    : "${bin:=/usr/local/bin}" "${config:=/etc/kubernetes/credential-provider.yaml}"
    program=$root$bin/$name
    config_folder=$root$config
    case $config in *.yaml | *.yml | *.json) config_folder=${config_folder%/*} ;; esac
    check_inside "$root$bin"
    check_inside "$config_folder"
    [ -z "$root" ] || [ ! -L "$root$config" ] || fail 78 "$root$config is a symbolic link"
    if [ -z "$root" ] && { dpkg-query -S "$program" || rpm -qf "$program"; } >/dev/null 2>&1; then
        fail 78 "$program is a package's: update and remove it by that, and its entry by its own command config"
    fi
}

# The links in the tree of an image are meant for its own root, and would lead out of it.
check_inside() {
    part=$1
    while [ ! -d "$part/" ]; do part=${part%/*}; done
    case "$(cd "$part/" && pwd -P)/" in "$root"/*) ;; *) fail 78 "$part leads out of $root" ;; esac
}

# fetch URL_OR_FILE TARGET
fetch() {
    if [ -z "$is_url" ]; then
        [ -r "$1" ] || fail 66 "cannot read $1"
        cp "$1" "$2" || fail 74 "cannot write $2"
    elif command -v curl >/dev/null; then
        curl -gfsSL --proto =https --connect-timeout 20 --max-time 600 --retry 3 -o "$2" "$1" || fail 69 "cannot get $1"
    else
        command -v wget >/dev/null || fail 69 "a URL needs curl or wget"
        wget -q -T 60 -O "$2" "$1" || fail 69 "cannot get $1"
    fi
}

# Prints the checksum that SHA256SUMS beside the executable has for it.
listed_sum() {
    listed=''
    fetch "${from%/*}/SHA256SUMS" "$work/SHA256SUMS"
    if [ -n "$key" ]; then
        fetch "${from%/*}/SHA256SUMS.minisig" "$work/SHA256SUMS.minisig"
        case $key in
        RW*) flag=-P ;;
        *) flag=-p ;;
        esac
        [ ! -f "$key" ] || flag=-p
        [ "$flag" = -P ] || [ -r "$key" ] || fail 66 "cannot read the key $key"
        minisign -V -q -m "$work/SHA256SUMS" "$flag" "$key" >&2 || fail 65 "wrong signature of SHA256SUMS beside $from"
    fi
    while read -r sum file; do
        [ "${file#\*}" != "${from##*/}" ] || listed=$sum
    done <"$work/SHA256SUMS"
    [ -n "$listed" ] || fail 65 "SHA256SUMS beside $from does not list it"
    echo "$listed"
}

check_sum() {
    wanted=$sha256
    if [ -n "$key" ]; then
        command -v minisign >/dev/null || fail 69 "minisign, which --minisign-key needs, is not installed"
        wanted="$(listed_sum) $sha256"
    elif [ -z "$sha256" ] && { [ -n "$is_url" ] || [ -f "${from%/*}/SHA256SUMS" ]; }; then
        # Some kinds of wget do not check certificates, or follow a redirection to http.
        [ -z "$is_url" ] || command -v curl >/dev/null || fail 69 "without curl, a URL needs --sha256"
        wanted=$(listed_sum)
    fi
    sum=$(sha256sum <"$new")
    for each in $wanted; do
        [ "${sum%% *}" = "$each" ] || fail 65 "wrong checksum: $from has ${sum%% *}, not $each"
    done
    if [ -z "$wanted" ]; then
        echo "install.sh: not checked: no --sha256, and no SHA256SUMS beside $from" >&2
    elif [ -z "$key" ]; then
        echo "install.sh: the signature is not checked without --minisign-key" >&2
    fi
}

# What is not an executable for this machine must not be run: a shell would take it for a script.
check_machine() {
    head=$(od -An -v -tx1 -N20 "$new" | tr -d ' \n')
    case "$(uname -m) $head" in
    "x86_64 7f454c46"*3e00 | "aarch64 7f454c46"*b700) ;;
    *) fail 65 "$from is not an executable for this machine, which is $(uname -m)" ;;
    esac
    chmod 0755 "$new"
    version=$("$new" version 2>&1) || fail 65 "$from does not run on this machine: $version"
    version=${version%%"$newline"*}
    case $version in "$name "*) ;; *) fail 65 "$from is not $name" ;; esac
}

# Prints what the program said about the kubelet's configuration, without what does not apply: the program is in its
# folder already, k3s has no flags, and no kubelet runs in the tree of an image.
say() {
    said=${1#"$root$bin: nothing to change$newline"}
    [ "$bin $config" != "$rancher/bin $rancher/config.yaml" ] || said=$(echo "$said" | sed 's/remove the flags .*, and //')
    [ -z "$root" ] || said=${said%; restart the kubelet} said=${said%, and restart the kubelet}
    echo "$said"
}

install() {
    mkdir -p "$root$bin" || fail 73 "cannot make $root$bin"
    [ ! -d "$program" ] || fail 73 "$program is a folder"
    # Here, so that it can be renamed, and gets the label that SELinux has for the folder.
    work=$(mktemp -d "$root$bin/.$name.XXXXXX") || fail 73 "cannot write to $root$bin"
    new=$work/$name
    fetch "$from" "$new"
    check_sum
    check_machine
    if [ -n "$has_config" ]; then
        mkdir -p "$config_folder" || fail 73 "cannot make $config_folder"
        probe=$(mktemp "$config_folder/.$name.XXXXXX") || fail 73 "cannot write to $config_folder"
        rm -f "$probe"
        "$new" config --install "$root$config" --bin-dir "$root$bin" --dry-run >/dev/null || exit
    fi
    if [ -x "$program" ] && [ "$(sha256sum <"$program")" = "$sum" ]; then
        echo "$program: nothing to change, version ${version#* }"
    else
        # So that after a power failure it is not empty. Some kinds of sync take no file.
        sync "$new" 2>/dev/null || sync
        mv -f "$new" "$program" || fail 73 "cannot write $program"
        echo "$program: written, version ${version#* }"
    fi
    [ ! -e "$root$bin/$link" ] || [ -L "$root$bin/$link" ] || fail 73 "$root$bin/$link is not a link"
    [ "$(readlink "$root$bin/$link" || :)" = "$name" ] || ln -sf "$name" "$root$bin/$link" ||
        fail 73 "cannot write $root$bin/$link"
    [ -n "$has_config" ] || return 0
    change=$("$program" config --install "$root$config" --bin-dir "$root$bin") || exit
    say "$change"
    if [ "$bin $config" = "$rancher/bin $rancher/config.yaml" ]; then
        echo "k3s and RKE2 look into $rancher when they start, and need no flags"
    elif [ "$bin $config" != "$live_bin $live_config" ]; then
        echo "Left to do: start the kubelet with --image-credential-provider-config=$config" \
            "--image-credential-provider-bin-dir=$bin, then check with $bin/$name doctor"
    fi
}

uninstall() {
    # The kubelet does not start if its flags name a file, or an entry of it a program, that is missing.
    if [ -n "$has_config" ] && [ -x "$program" ]; then
        change=$("$program" config --remove "$root$config" --dry-run) || exit
        case "$live_config$newline$change" in
        "$config$newline"*"$newline+++ /dev/null"*)
            fail 78 "the kubelet that runs has flags that name $config, which would go: start it without them first"
            ;;
        esac
        change=$("$program" config --remove "$root$config") || exit
        say "$change"
    fi
    if grep -qs "name.*$name" "$root$config" "$root$config"/*.yaml "$root$config"/*.json; then
        fail 78 "$root$config still has the entry, which only the program's config --remove takes out"
    fi
    [ "$(readlink "$root$bin/$link" || :)" != "$name" ] || rm -f "$root$bin/$link"
    rm -f "$program"
    rm -rf "$root$bin/.$name."?????? "$root/run/$name"
    rmdir "$root$rancher/bin" "$root$rancher" "$root/etc/$name" 2>/dev/null || :
    [ ! -e "$root/etc/$name" ] || echo "$root/etc/$name: left as it is"
}

trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM
parse "$@"
choose_folders
if [ -n "$is_uninstall" ]; then
    uninstall
else
    install
fi
