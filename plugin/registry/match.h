/* The kubelet's way to compare a pattern of the configuration with an image (kubernetes/kubernetes
 * pkg/credentialprovider/keyring.go). */
#ifndef REGISTRY_MATCH_H
#define REGISTRY_MATCH_H

#include <stdbool.h>

/* True when `pattern`, HOST[:PORT][/PATH], fits an image: the ports are equal, where none is equal
 * to none only; the number of labels is the same; in a label `*` is any run of characters; the
 * pattern's path is a literal prefix of the image's. `host` is "name[:port]", already lower-cased;
 * `path` is what follows it, "/team/app" or "team/app", and "" for a bare host. Pure; takes time
 * proportional to pattern times label at worst. */
bool match_image(const char *pattern, const char *host, const char *path);

#endif
