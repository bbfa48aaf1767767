/* The process that runs a node's kubelet, as /proc has it. */
#ifndef KUBELET_PROCESS_H
#define KUBELET_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"

enum { PROCESS_PROGRAM_SIZE = 16 };

/* `{0}` is none. */
struct process {
    long pid;                           /* 0: none runs */
    char program[PROCESS_PROGRAM_SIZE]; /* "kubelet", or "k3s", "rke2", "microshift" */
    int64_t started_s;                  /* Unix seconds, up to two too early; 0 if unknown */
    bool is_contained;       /* in another mount namespace: what it says is not this node's word */
    struct buf command_line; /* arguments with a NUL after each */
    int folder; /* of it in /proc, open while pid is not 0, so that no other takes its number */
};

/* Looks below ROOT/proc for one that root or this user has started: one of this mount namespace if
 * there is one, the kubelet itself rather than k3s, RKE2 or MicroShift. */
void process_find(struct process *out, const char *root);

void process_clear(struct process *process);

/* Appends a file of such a folder. False if this user cannot read it. */
CHECKED bool process_read(struct buf *out, int folder, const char *file);

#endif
