#!/bin/bash
# Puts the program and the kubelet's file for it on a node. For "Pre-defined Custom Data" of an ACK node pool, which
# runs before the kubelet is there. It neither exits nor changes shell options: ACK may run its own script after it
# in the same shell.

URL=    # of aliyun-acr-credential-provider-x86_64 (or -aarch64), where nodes can download it
SHA256= # of that file

acr_bin=/usr/local/bin
acr_new=$acr_bin/aliyun-acr-credential-provider.new
# Not in /etc/kubernetes, which ACK's script writes.
acr_folder=/etc/aliyun-acr-credential-provider

install_acr_provider() {
    mkdir -p "$acr_bin" "$acr_folder" &&
        curl -fsSL --retry 5 --max-time 120 -o "$acr_new" "$URL" &&
        echo "$SHA256  $acr_new" | sha256sum -c - >/dev/null &&
        chmod 0755 "$acr_new" &&
        # An entry that is there stays as it is; for custom domains see config --help. It says to
        # restart the kubelet, which is too early here.
        "$acr_new" config --install "$acr_folder/kubelet.yaml" --bin-dir "$acr_bin" >/dev/null
}

install_acr_provider || echo "aliyun-acr-credential-provider was not installed" >&2
rm -f "$acr_new"
