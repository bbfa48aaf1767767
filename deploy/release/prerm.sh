#!/bin/sh
# Of both packages, before the program is removed: warns where the kubelet would not start again without it. An update
# calls it with another argument. It changes nothing, and never fails.
set -e
trap 'exit 0' EXIT
case $1 in
remove | 0) ;; # of dpkg, of rpm
*) exit ;;
esac
name=aliyun-acr-credential-provider
default=/etc/kubernetes/credential-provider.yaml
{
    [ ! -e "$default" ] || echo "$default"
    # Anyone can start a process with these flags, so it must be root's; one in a container has other files.
    for process in /proc/[0-9]*; do
        comm=''
        { read -r comm <"$process/comm"; } 2>/dev/null || continue
        [ "$comm" != kubelet ] || [ ! -O "$process" ] ||
            [ "$(readlink "$process/ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ] ||
            tr '\0' '\n' <"$process/cmdline" | sed -n \
                's/^--image-credential-provider-config=//p; /^--image-credential-provider-config$/{n;p;}'
    done
} | sort -u | while IFS= read -r path; do
    [ -n "$path" ] || continue
    [ -e "$path" ] || echo "$name: the kubelet's flags name $path, which is missing" >&2
    for file in "$path" "$path"/*.yaml "$path"/*.yml "$path"/*.json; do
        # Another kind of file could be without end.
        [ ! -f "$file" ] || ! grep -qs -- "name.*$name" "$file" ||
            echo "$name: $file still has its entry: a kubelet that looks for the program in /usr/bin will not start" \
            "again. Before it is restarted, install the package again, start the kubelet without its two flags if the" \
            "following with --dry-run shows '+++ /dev/null', and run: $name config --remove $file" >&2
    done
done
