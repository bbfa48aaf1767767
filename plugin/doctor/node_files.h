/* What the checks of a node share: its files, as this process reaches them. */
#ifndef DOCTOR_NODE_FILES_H
#define DOCTOR_NODE_FILES_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/error.h"

struct node;
struct report;

/* False, with errno, if there is no such file, or this user cannot see it. */
bool node_files_status(struct stat *out, const struct node *node, const char *path);

/* Whether it needs root to read it. */
bool node_files_is_hidden(const struct node *node, const char *path);
void node_files_report_hidden(struct node *node, struct report *report, const char *path);

/* Whether none but root and this user can write it. */
bool node_files_is_trusted(const struct stat *status);
void node_files_report_writable(struct report *report, const char *path);

/* Writes a text as a shell reads it as one word. A very long one is cut. */
struct node_files_quoted {
    char text[600];
};
const char *node_files_quote(struct node_files_quoted *out, const char *text);

/* How this program gets into the kubelet's configuration; valid as long as `out`. */
const char *node_files_advise(const struct node *node, struct error_advice *out);

#endif
