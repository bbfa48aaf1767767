/* The configuration of a kubelet that needs this program alone: the one text from which all that is
 * printed or put into a file is made. */
#ifndef KUBELET_PROVIDER_ENTRY_H
#define KUBELET_PROVIDER_ENTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "kubelet/provider_config.h"

struct provider_entry {
    const char *version;        /* of both apiVersions: v1, v1beta1 or v1alpha1 */
    const char *const *matches; /* by CHECK_MATCH */
    size_t match_count;         /* 0: all registries of ACR */
    bool is_for_pods;           /* with tokenAttributes */
    bool has_cache_type;        /* among these; Kubernetes 1.34 or later */
};

/* Appends the configuration as YAML. */
void provider_entry_append(struct buf *out, const struct provider_entry *entry);

/* Reads that text. `out` is to be cleared after a failure too, which would be a defect. */
CHECKED bool provider_entry_read(struct provider_config *out, const struct provider_entry *entry,
                                 struct error *err);

#endif
