#!/bin/bash
# Puts the program and the kubelet's file for it on a node. For "Pre-defined Custom Data" of an ACK node pool, which
# runs before the kubelet is there. It neither exits nor changes shell options: ACK may run its own script after it in
# the same shell.

URL=    # of aliyun-acr-credential-provider-x86_64 (or -aarch64), where nodes can download it
SHA256= # of that file

acr_program=/usr/local/bin/aliyun-acr-credential-provider
# Not in /etc/kubernetes, which ACK's script writes.
acr_folder=/etc/aliyun-acr-credential-provider

install_acr_provider() {
    mkdir -p "${acr_program%/*}" "$acr_folder" &&
        curl -fsSL --retry 5 --max-time 120 -o "$acr_program.new" "$URL" &&
        echo "$SHA256  $acr_program.new" | sha256sum -c - >/dev/null &&
        chmod 0755 "$acr_program.new" && mv "$acr_program.new" "$acr_program" &&
        "$acr_program" config >"$acr_folder/kubelet.yaml.new" && # for custom domains see config --help
        mv "$acr_folder/kubelet.yaml.new" "$acr_folder/kubelet.yaml"
}

if ! install_acr_provider; then
    rm -f "$acr_program.new" "$acr_folder/kubelet.yaml.new"
    echo "aliyun-acr-credential-provider was not installed" >&2
fi
