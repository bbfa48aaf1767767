#!/bin/bash
# Makes the kubelet of an ACK node use the program. For "User Data" of a node pool, which runs when the kubelet is
# there. Adds two flags to those in ACK's file. Where they are in the file and in use, another run changes nothing.

acr_program=/usr/local/bin/aliyun-acr-credential-provider
acr_file=/etc/aliyun-acr-credential-provider/kubelet.yaml
acr_conf=/etc/kubernetes/kubelet-customized-args.conf
acr_flags="--image-credential-provider-config=$acr_file --image-credential-provider-bin-dir=${acr_program%/*}"

refuse_acr_flags() {
    echo "aliyun-acr-credential-provider: $1: the kubelet is left as it is" >&2
}

# Whether the kubelet that runs has the flags, once: of a flag that is given twice, the last one counts.
has_acr_flags() {
    acr_pid=$(systemctl show -p MainPID kubelet)
    acr_running=$(tr '\0' ' ' <"/proc/${acr_pid#MainPID=}/cmdline")
    acr_others=${acr_running/"$acr_flags"/}
    [[ $acr_others != "$acr_running" && $acr_others != *--image-credential-provider-* ]]
} 2>/dev/null

# Whether the same process has them now and 20 seconds later: systemd starts a kubelet that fails again and again.
acr_flags_last() {
    acr_first=$(systemctl show -p MainPID kubelet)
    sleep 20 && has_acr_flags && [ "$acr_pid" = "$acr_first" ]
}

# In the form that ACK documents. Not straight into the file, which a full disk would leave empty.
write_acr_arguments() {
    mkdir -p "${acr_conf%/*}" && printf 'KUBELET_CUSTOMIZED_ARGS="%s"\n' "$1" >"$acr_conf.new" &&
        mv -f "$acr_conf.new" "$acr_conf" && return
    rm -f "$acr_conf.new"
    refuse_acr_flags "cannot write $acr_conf"
    return 1
}

restart_kubelet_for_acr() {
    # systemd may have given up on a kubelet that failed too often, and would refuse.
    systemctl reset-failed kubelet 2>/dev/null
    systemctl daemon-reload && systemctl restart kubelet
}

add_acr_flags() {
    # The kubelet does not start with flags that name what is not there.
    if [ ! -x "$acr_program" ] || [ ! -s "$acr_file" ]; then
        refuse_acr_flags "$acr_program or $acr_file is missing"
        return
    fi
    acr_given=
    if [ -s "$acr_conf" ]; then
        acr_given=$(cat "$acr_conf")
        if [[ ! $acr_given =~ ^KUBELET_CUSTOMIZED_ARGS=\"([^\"]*)\"$ ]]; then
            refuse_acr_flags "kubelet-customized-args.conf is not one line KUBELET_CUSTOMIZED_ARGS=\"...\""
            return
        fi
        acr_given=${BASH_REMATCH[1]}
    fi
    # A run that was killed may have left them in the file alone.
    acr_old=${acr_given/" $acr_flags"/}
    if has_acr_flags && [ "$acr_old" != "$acr_given" ] && acr_flags_last; then return; fi
    if [[ "$acr_old $acr_others $(systemctl cat kubelet 2>/dev/null)" == *--image-credential-provider-* ]]; then
        refuse_acr_flags "the kubelet, its unit or kubelet-customized-args.conf has flags for a credential provider"
        return
    fi
    write_acr_arguments "$acr_old $acr_flags" || return 0
    if restart_kubelet_for_acr && acr_flags_last; then return; fi
    acr_why="the kubelet does not run with its flags"
    # Of a file that the unit reads: only the new kubelet shows them.
    if [[ $acr_others == *--image-credential-provider-* ]]; then acr_why="the flags are given elsewhere too"; fi
    echo "aliyun-acr-credential-provider: $acr_why: they are taken away again" >&2
    write_acr_arguments "$acr_old" || return 0
    restart_kubelet_for_acr
}

add_acr_flags || echo "aliyun-acr-credential-provider: the kubelet could not be restarted" >&2
