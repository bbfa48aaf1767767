#!/bin/bash
# Makes the kubelet of an ACK node use the program. For "User Data" of a node pool, which runs when the kubelet is
# there. Adds two flags to those that ACK's file has already; a second run changes nothing.

acr_program=/usr/local/bin/aliyun-acr-credential-provider
acr_file=/etc/aliyun-acr-credential-provider/kubelet.yaml

refuse_acr_flags() {
    echo "aliyun-acr-credential-provider: $1: the kubelet is left as it is" >&2
}

add_acr_flags() {
    # The kubelet does not start with flags that name what is not there.
    if [ ! -x "$acr_program" ] || [ ! -s "$acr_file" ]; then
        refuse_acr_flags "$acr_program or $acr_file is missing"
        return
    fi
    acr_old=
    if [ -s /etc/kubernetes/kubelet-customized-args.conf ]; then
        acr_old=$(cat /etc/kubernetes/kubelet-customized-args.conf)
        if [[ ! $acr_old =~ ^KUBELET_CUSTOMIZED_ARGS=\"([^\"]*)\"$ ]]; then
            refuse_acr_flags "kubelet-customized-args.conf is not one line KUBELET_CUSTOMIZED_ARGS=\"...\""
            return
        fi
        acr_old=${BASH_REMATCH[1]}
    fi
    if [[ $acr_old == *--image-credential-provider-* ]]; then
        refuse_acr_flags "kubelet-customized-args.conf has flags for a credential provider"
        return
    fi
    mkdir -p /etc/kubernetes &&
        # ACK documents this form alone, with ">" and the path.
        printf 'KUBELET_CUSTOMIZED_ARGS="%s %s %s"\n' "$acr_old" "--image-credential-provider-config=$acr_file" \
            "--image-credential-provider-bin-dir=${acr_program%/*}" \
            > /etc/kubernetes/kubelet-customized-args.conf &&
        systemctl daemon-reload && systemctl restart kubelet
}

add_acr_flags || echo "aliyun-acr-credential-provider: the kubelet could not be given its flags, or not restarted" >&2
