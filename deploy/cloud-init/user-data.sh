#!/bin/sh
# Prints user data with which cloud-init runs install.sh at the first boot of a node.
#
# Usage: user-data.sh ARGUMENTS_OF_INSTALL >user-data.yaml
set -eu

if [ $# -eq 0 ]; then
    echo 'usage: user-data.sh --from URL --sha256 HEX [OPTION_OF_INSTALL]... >user-data.yaml' >&2
    exit 64
fi

cat <<EOF
#cloud-config
write_files:
- path: /run/aliyun-acr/install.sh
  encoding: gz+b64
  content: $(gzip -9n <"$(dirname "$0")/../install.sh" | base64 | tr -d '\n')
# In this order: what starts or joins the kubelet belongs to the end.
runcmd:
- - sh
  - /run/aliyun-acr/install.sh
EOF
for argument; do
    printf "  - '%s'\n" "$(printf '%s\n' "$argument" | sed "s/'/''/g")"
done
