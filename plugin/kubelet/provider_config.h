/* The kubelet's CredentialProviderConfig, read and checked by the kubelet's own rules
 * (kubernetes/kubernetes pkg/credentialprovider/plugin/config.go, kubernetes/kubelet
 * config/{v1,v1beta1,v1alpha1}/types.go). */
#ifndef KUBELET_PROVIDER_CONFIG_H
#define KUBELET_PROVIDER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/error.h"
#include "kubelet/yaml_tree.h"

#define PROVIDER_CONFIG_NAME "aliyun-acr-credential-provider"

enum { PROVIDER_CONFIG_MAX_PROVIDERS = 256 };

/* The minor version of Kubernetes 1 from which on a kubelet has something. */
enum {
    PROVIDER_CONFIG_BETA_MINOR = 24,
    PROVIDER_CONFIG_V1_MINOR = 26,
    PROVIDER_CONFIG_STRICT_MINOR = 32, /* before, unknown and repeated fields are ignored */
    PROVIDER_CONFIG_TOKENS_MINOR = 33, /* tokenAttributes; off by default there */
    PROVIDER_CONFIG_CACHE_TYPE_MINOR = 34,
    PROVIDER_CONFIG_DIRECTORY_MINOR = 34,
    PROVIDER_CONFIG_ONE_COLON_MINOR = 37, /* hosts with several are refused */
    PROVIDER_CONFIG_NEWEST_MINOR = 1000,  /* one that has everything */
};

/* An entry of "providers". Everything is borrowed from the file; NULL where it says nothing. */
struct provider_config_entry {
    const struct yaml_node *node;
    const char *name; /* "" if missing, as the next */
    const char *api_version;
    const struct yaml_node *matches; /* sequences of scalars, if the file is valid */
    const struct yaml_node *args;
    const struct yaml_node *env; /* a sequence of mappings with name and value */
    const struct yaml_node *cache_duration;
    const struct yaml_node *tokens; /* tokenAttributes */
};

/* What is wrong with a file. */
struct provider_config_problem {
    bool is_fatal;    /* the kubelet does not start; else it starts, but this has no effect */
    struct error err; /* with the place in the file and with advice */
};

/* `{0}` is empty. */
struct provider_config {
    struct yaml_node tree; /* owned */
    const char *api_version;
    const struct yaml_node *providers;
    struct provider_config_entry *entries; /* owned */
    size_t count;
    struct provider_config_problem *problems; /* owned */
    size_t problem_count;
};

/* Reads a file and finds all that is wrong with it by the rules of a kubelet of version 1.`minor`,
 * of the newest known one if that is 0. A file without providers is no problem here: a kubelet
 * needs one in all its files together. False if it cannot be parsed at all; err then says why, and
 * `is_unsupported` whether only this program cannot. `out` is to be cleared then too. */
CHECKED bool provider_config_read(struct provider_config *out, bool *is_unsupported,
                                  const void *bytes, size_t length, int minor, struct error *err);

void provider_config_clear(struct provider_config *config);

/* The newest version of the API that a kubelet knows, "v1". */
const char *provider_config_version(int minor);

/* The first problem with which a kubelet does not start; NULL if it starts. */
const struct provider_config_problem *provider_config_fatal(const struct provider_config *config);

/* The entry of this name, NULL if there is none. */
const struct provider_config_entry *provider_config_find(const struct provider_config *config,
                                                         const char *name);

/* Whether one of the entry's patterns matches an image reference, by the kubelet's rules. */
bool provider_config_matches(const struct provider_config_entry *entry, const char *image);

/* The index of the pattern that would match the image if a star stood for several labels or for a
 * path; -1 if none would. */
int provider_config_almost_matches(const struct provider_config_entry *entry, const char *image);

/* Reads "1.34", "v1.34.2" or "1.34.2+k3s1"; the minor version. Fails with ERROR_USAGE. */
CHECKED bool provider_config_parse_version(int *minor, const char *text, struct error *err);

/* Whether the name is that of a file that counts in a directory of configurations. */
bool provider_config_is_file_name(const char *name);

#endif
