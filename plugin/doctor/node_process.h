/* The process of the kubelet, its version and its flags. */
#ifndef DOCTOR_NODE_PROCESS_H
#define DOCTOR_NODE_PROCESS_H

#include <stdbool.h>

struct node;
struct report;

/* Reports the kubelet that was found, and asks it for its version. */
void node_process_check(struct node *node, struct report *report);

/* True if its flags name a configuration. */
bool node_process_check_flags(const struct node *node, struct report *report);

#endif
