/* The first part of doctor: the node's kubelet, and whether it runs this program. */
#ifndef DOCTOR_NODE_H
#define DOCTOR_NODE_H

#include <stdbool.h>
#include <stddef.h>

#include "kubelet/node_kubelet.h"
#include "kubelet/provider_config.h"

struct report;

/* A file of the kubelet's configuration. */
struct node_file {
    char *path;      /* owned; as the node sees it */
    bool is_trusted; /* none but root or this user can write it */
    struct provider_config config;
};

/* What was found; `{0}` with `root` set is empty. */
struct node {
    const char *root; /* borrowed; "" for this machine */
    int minor;        /* the kubelet's version is 1.minor; 0: unknown */
    struct node_kubelet kubelet;
    struct node_file *files; /* owned; in the order in which the kubelet reads them */
    size_t file_count;
    bool is_incomplete; /* a file could not be read, and may have our entry */
    /* The first entry that runs this program; NULL if there is none. Borrowed. */
    const struct provider_config_entry *own;
    bool own_is_trusted; /* its file is */
};

void node_clear(struct node *node);

/* Finds the kubelet and checks its configuration. `minor` is what the user says of its version, 0
 * for nothing. */
void node_check(struct node *node, struct report *report, int minor);

/* Which of the kubelet's providers an image is for. */
void node_check_image(const struct node *node, struct report *report, const char *image);

/* Whether the kubelet may request tokens of pods' service accounts: what to run, since a node
 * cannot see it. */
void node_check_tokens(const struct node *node, struct report *report);

#endif
