/* Credentials from a local service: a credentials URI. */
#ifndef IDENTITY_URI_H
#define IDENTITY_URI_H

#include "base/auto.h"
#include "base/credentials.h"
#include "base/error.h"

struct http;

/* Asks `uri`, which must be https, or http to a loopback or link-local address: plain text on a
 * wire that others share would show the credentials. Fails with ERROR_CONFIG for another one. */
CHECKED bool uri_fetch(struct credentials *out, const struct http *http, const char *uri,
                       struct error *err);

#endif
