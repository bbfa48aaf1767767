/* Which registry an image belongs to, by its name and the configuration alone. */
#ifndef REGISTRY_REGISTRY_H
#define REGISTRY_REGISTRY_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "config/run.h"
#include "config/settings.h"
#include "registry/host.h"

enum { REGISTRY_REGION_SIZE = 65, REGISTRY_INSTANCE_ID_SIZE = 80 };

/* Nothing of it changes once it is resolved. */
struct registry {
    struct host host;
    /* Of the configuration; borrowed, NULL if none matches. */
    const struct settings_registry *entry;
    const char *matched_path; /* of the entry's pattern, "" if it has none; borrowed */
    bool depends_on_path;     /* entries match by path: the answer holds for this image alone */
    bool is_anonymous;        /* public images only: there are no credentials for it */
    bool is_personal;         /* Personal Edition by name or entry; the challenge may say so too */
    char region[REGISTRY_REGION_SIZE];           /* by name or entry, "" if unknown */
    char instance_id[REGISTRY_INSTANCE_ID_SIZE]; /* by entry, "" if unknown */
};

/* Resolves an image reference without the network. The image must outlive the registry. Fails with
 * ERROR_REQUEST for what is not an image, ERROR_CONFIG for a host that cannot be ACR's. */
CHECKED bool registry_resolve(struct registry *out, const struct settings *settings,
                              const char *image, struct error *err);

/* Whether neither name nor configuration makes the host ACR's: it must prove itself, see
 * instance.h. */
bool registry_is_unknown(const struct registry *registry);

/* The API endpoint that the configuration sets for it, NULL if it is chosen by region. Borrowed. */
const char *registry_configured_endpoint(const struct registry *registry,
                                         const struct settings *settings);

/* The identity that the configuration sets for it, else that of all registries. Borrowed. */
const struct settings_identity *registry_identity(const struct registry *registry,
                                                  const struct settings *settings);

/* Appends what a token of this registry depends on: two registries with equal texts can share one.
 * For a digest. */
void registry_describe(struct buf *out, const struct registry *registry,
                       const struct settings *settings);

#endif
