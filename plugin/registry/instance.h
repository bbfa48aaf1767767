/* The ACR instance that serves a registry host, and whether the host may have a token: by the
 * configuration, an earlier run, the registry's challenge or the API. */
#ifndef REGISTRY_INSTANCE_H
#define REGISTRY_INSTANCE_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/error.h"
#include "cache/store.h"
#include "cloud/endpoints.h"
#include "cloud/openapi.h"
#include "config/run.h"
#include "registry/registry.h"

/* `{0}` is not identified yet. */
struct instance {
    bool is_prepared;   /* what identifying it needs was started in the background */
    bool is_identified; /* region and edition are known; the id may be missing, see confirm */
    bool is_remembered; /* the id comes from an earlier run */
    bool is_personal;
    char region[REGISTRY_REGION_SIZE];
    char id[REGISTRY_INSTANCE_ID_SIZE]; /* "" for Personal Edition, and until it is looked up */
    char cache_key[DIGEST_HEX_SIZE];    /* of the id, "" if it is not kept */
    bool may_ask_again;                 /* the challenge failed for a temporary reason */
    struct endpoints endpoints;         /* of the API */
};

/* Takes what name, configuration and earlier runs say, and starts in the background what will be
 * needed while the identity is fetched: the connection to the API, and the challenge if the
 * instance is not identified. `is_ecs`: the node is most likely an ECS instance, and so in the
 * registry's region. Does nothing the second time. */
void instance_prepare(struct instance *instance, const struct run *run,
                      const struct registry *registry, const struct store *cache, bool is_ecs);

/* Identifies the instance by the registry's challenge, if it is not identified yet. An Enterprise
 * host's name is enough if the challenge fails. */
CHECKED bool instance_identify(struct instance *instance, const struct run *run,
                               const struct registry *registry, struct error *err);

/* Chooses the API endpoints. `node_region` is "" if unknown. */
CHECKED bool instance_choose_endpoints(struct instance *instance, const struct run *run,
                                       const struct registry *registry, const char *node_region,
                                       struct error *err);

/* Completes what needs an identity: looks the id up by the instance's name if it is missing
 * (ListInstance), and demands proof that an unknown host belongs to the instance
 * (ListInstanceEndpoint). Keeps a new id in the cache. */
CHECKED bool instance_confirm(struct instance *instance, const struct api *api,
                              const struct registry *registry, const struct store *cache,
                              struct error *err);

/* Forgets an id that the API does not know, so that it is identified again. False if it was not
 * that of an earlier run: identifying again would find the same. */
CHECKED bool instance_forget(struct instance *instance, const struct store *cache);

#endif
