/* The kubelet's way to compare a pattern of the configuration with an image (kubernetes/kubernetes
 * pkg/credentialprovider/keyring.go). Pure; takes time proportional to pattern times label at
 * worst. */
#ifndef REGISTRY_MATCH_H
#define REGISTRY_MATCH_H

#include <stdbool.h>

/* Whether host and port of `pattern`, HOST[:PORT][/PATH], match those of an image: the ports are
 * equal, where none is equal to none only; the number of labels is the same; in a label `*` is any
 * run of characters. `authority` is "name[:port]" in lower case. */
bool match_host(const char *pattern, const char *authority);

/* Whether the pattern's path is a literal prefix of the image's, "/team/app" or "". */
bool match_path(const char *pattern, const char *path);

#endif
