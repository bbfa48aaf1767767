/* The calls of the Container Registry API: 2018-12-01 for Enterprise Edition, 2016-06-07 for
 * Personal Edition. Each fails as openapi_call() does, or on an answer that makes no sense. */
#ifndef CLOUD_CR_H
#define CLOUD_CR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/credentials.h"
#include "base/error.h"

struct api;
struct http;

/* Opens the connection to an endpoint that cr_get_token() will most likely call: a hint. */
void cr_preconnect(const struct http *http, const char *base_url, bool is_personal);

/* GetAuthorizationToken of an instance, or GET /tokens if instance_id is NULL (Personal Edition).
 * `server_time_s` is the service's clock as it answered, Unix seconds. */
CHECKED bool cr_get_token(struct token *out, int64_t *server_time_s, const struct api *api,
                          const char *instance_id, struct error *err);

/* The id of the instance of exactly this name, by ListInstance over all pages. */
CHECKED bool cr_find_instance(char *id, size_t size, const struct api *api, const char *name,
                              struct error *err);

/* Whether ListInstanceEndpoint of an instance names `host` among its domains. */
CHECKED bool cr_has_domain(bool *found, const struct api *api, const char *instance_id,
                           const char *host, struct error *err);

#endif
