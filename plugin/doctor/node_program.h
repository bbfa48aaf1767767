/* The programs that the kubelet's configuration names. */
#ifndef DOCTOR_NODE_PROGRAM_H
#define DOCTOR_NODE_PROGRAM_H

#include <stdbool.h>

struct node;
struct provider_config_entry;
struct report;

/* Checks the file that an entry runs. True if it is this program. */
bool node_program_check(const struct node *node, struct report *report,
                        const struct provider_config_entry *entry);

#endif
