/* The ECS instance metadata service: session token first, normal mode where there is no token
 * service, never by a proxy. Source: ECS user guide, "Instance metadata". */
#ifndef CLOUD_METADATA_H
#define CLOUD_METADATA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/secret.h"

struct http;

enum { METADATA_TOKEN_LIFE_MAX_S = 21600 };

enum metadata_modes { METADATA_BOTH, METADATA_TOKEN_ONLY, METADATA_NORMAL_ONLY };

/* `{0}` is empty. */
struct metadata {
    const struct http *http; /* borrowed */
    const char *base_url;    /* borrowed, "http://100.100.100.200" */
    enum metadata_modes modes;
    unsigned tries;      /* of each request, while another try can help */
    int token_life_s;    /* to ask for; at most METADATA_TOKEN_LIFE_MAX_S */
    struct secret token; /* empty in normal mode */
    bool token_is_new;   /* fetched here, and not set by the caller */
    bool was_reached;    /* something accepted a connection at the address */
};

void metadata_clear(struct metadata *metadata);

/* Gets a session token if `modes` allows and the caller has set none. The caller has set http,
 * base_url, modes, tries and token_life_s. Only 403 and 404 mean that there is no token service;
 * any other failure is an error. */
CHECKED bool metadata_open(struct metadata *metadata, struct error *err);

enum metadata_outcome { METADATA_FOUND, METADATA_ABSENT, METADATA_FAILED };

/* Reads the item at "/latest/meta-data/" + item. ABSENT when the service says 404. A failure fills
 * err. */
CHECKED enum metadata_outcome metadata_read(struct buf *out, struct metadata *metadata,
                                            const char *item, struct error *err);

/* Starts reading an item in the background, for metadata_read_optional(). Only a hint. */
void metadata_prefetch(const struct metadata *metadata, const char *item);

/* Reads an item that can be missing, in one try: true with the item, trimmed; false if there is
 * none, for whatever reason, or it does not fit `size`. */
bool metadata_read_optional(const struct metadata *metadata, const char *item, char *out,
                            size_t size);

#endif
