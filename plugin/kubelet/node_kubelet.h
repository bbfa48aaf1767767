/* The kubelet of a node: the process that runs it, and where it has its credential providers. */
#ifndef KUBELET_NODE_KUBELET_H
#define KUBELET_NODE_KUBELET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "kubelet/process.h"

/* A flag that names a path. */
struct node_kubelet_path {
    char *value;     /* owned; NULL: not given */
    char *overruled; /* owned: another value that it was given before; NULL: none */
};

/* `{0}` is empty. Strings are owned; NULL if unknown. */
struct node_kubelet {
    struct process process;             /* pid 0: none runs */
    char program[PROCESS_PROGRAM_SIZE]; /* its name, or that of those whose files name the paths */
    bool is_optional; /* k3s, RKE2: unless `config` is a file and `bin_dir` a directory, the kubelet
                         is started without them and nobody is told */
    char *named_by;   /* what names the two paths: "its flags", a file, "the defaults of k3s" */
    char *dropped_by; /* k3s, RKE2: the file whose kubelet-arg replaces one that names them */
    char *closed;     /* a file that may name them, which this user may not read */
    struct node_kubelet_path config;
    struct node_kubelet_path bin_dir;
    char *node_name;          /* --hostname-override */
    struct buf feature_gates; /* as all such flags list them, with a comma after each */
};

/* Finds the process by process_find(). Its paths come from its command line; for k3s, RKE2 and
 * MicroShift from their configuration, else from their defaults if these exist. Without a kubelet,
 * from the files of which distributions make its command line; `program` is then what these files
 * are for. */
void node_kubelet_find(struct node_kubelet *out, const char *root);

void node_kubelet_clear(struct node_kubelet *kubelet);

/* Appends the process's environment, NAME=VALUE and a NUL each. False if it cannot be read, or must
 * not be trusted. */
CHECKED bool node_kubelet_environment(struct buf *out, const struct node_kubelet *kubelet);

#endif
