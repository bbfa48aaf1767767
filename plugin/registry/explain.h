/* Errors about a registry host, with their advice. Pure: facts in, a filled error out.
 * All return false. */
#ifndef REGISTRY_EXPLAIN_H
#define REGISTRY_EXPLAIN_H

#include <stdbool.h>

#include "base/error.h"
#include "registry/registry.h"

/* Not an image reference that begins with a registry host; `cause` says why. */
bool explain_image(const char *cause, struct error *err);

/* The host is not ACR's; `cause` says why, "" if its name alone does. */
bool explain_not_acr(const struct registry *registry, const char *cause, struct error *err);

/* The challenge reports another value of `key` ("region") than the configuration or the host's
 * name.
 */
bool explain_mismatch(const char *key, const char *reported, const char *expected,
                      bool is_configured, struct error *err);

/* `err` is why the challenge did not identify the instance, and nothing else does. */
bool explain_no_challenge(const struct registry *registry, struct error *err);

/* `err` is why ListInstanceEndpoint, called as `principal`, did not show that the host belongs to
 * the instance. */
bool explain_unproven(const struct registry *registry, const char *instance_id,
                      const char *principal, struct error *err);

/* ListInstanceEndpoint does not list the host. */
bool explain_not_listed(const struct registry *registry, const char *instance_id,
                        struct error *err);

/* `err` is why GetAuthorizationToken failed. `instance_id` is NULL for Personal Edition. */
bool explain_no_token(const struct registry *registry, const char *instance_id, const char *region,
                      const char *principal, struct error *err);

/* The token had expired when it was issued. */
bool explain_expired_token(struct error *err);

#endif
