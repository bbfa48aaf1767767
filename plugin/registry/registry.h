/* Which registry an image belongs to, and whether its host may have a token: from the name and the
 * configuration alone, then, where that is not enough, from the registry's challenge and the API.
 */
#ifndef REGISTRY_REGISTRY_H
#define REGISTRY_REGISTRY_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/error.h"
#include "cloud/endpoints.h"
#include "config/run.h"
#include "registry/challenge.h"
#include "registry/host.h"

struct api;
struct settings_registry;

/* `{0}` is empty. */
struct registry {
    struct host host;
    const struct settings_registry *entry; /* of the configuration; borrowed, NULL if none fits */
    const char *matched_path;              /* of the entry's pattern, "" if it has none; borrowed */
    bool depends_on_path;                  /* other paths of this host may have other answers */
    bool is_anonymous;
    bool is_personal;
    char region[CHALLENGE_REGION_SIZE];
    char instance_id[CHALLENGE_ID_SIZE]; /* "" if not known yet, and for Personal Edition */
    bool is_recalled;                    /* the instance id is what an earlier run found */
    char cache_key[DIGEST_HEX_SIZE];     /* under which the instance id is kept, "" if it is not */
    struct endpoints endpoints;          /* of the API, once complete */
};

void registry_clear(struct registry *registry);

/* Everything that needs no network. The image must outlive the registry. */
CHECKED bool registry_resolve(struct registry *out, const struct run *run, const char *image,
                              struct error *err);

/* Appends what makes this registry and its API this one and no other. */
void registry_describe(struct buf *out, const struct registry *registry, const struct run *run);

/* Asks the registry what it is, in the background, if that is not known yet, not even to an earlier
 * run. */
void registry_start_challenge(struct registry *registry, const struct run *run);

/* Forgets the instance id that was kept, since the API does not know it. True if an earlier run
 * found it, so that it is worth to ask again. */
bool registry_forget(struct registry *registry, const struct run *run);

/* The API endpoint that will most likely be asked first, "" if nobody can tell yet. `node_region`
 * is "" if not known; `is_ecs` that the node most likely is an ECS instance. */
void registry_guess_endpoint(char url[ENDPOINTS_URL_SIZE], const struct registry *registry,
                             const struct run *run, const char *node_region, bool is_ecs);

/* Fills in what is missing and settles that the host may have a token (challenge, ListInstance,
 * ListInstanceEndpoint). `node_region` is "" if not known; `api` has
 * the endpoints of this registry. */
CHECKED bool registry_complete(struct registry *registry, const struct run *run,
                               const char *node_region, const struct api *api, struct error *err);

#endif
