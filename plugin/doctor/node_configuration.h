/* The kubelet's configuration: a file, or those of a directory. */
#ifndef DOCTOR_NODE_CONFIGURATION_H
#define DOCTOR_NODE_CONFIGURATION_H

struct node;
struct report;

/* Reads the files into the node, and reports what is wrong with them. */
void node_configuration_read(struct node *node, struct report *report);

#endif
