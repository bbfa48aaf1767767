/* Credentials from a local service: a credentials URI. */
#ifndef IDENTITY_URI_H
#define IDENTITY_URI_H

#include "base/auto.h"
#include "base/credentials.h"
#include "base/error.h"
#include "identity/plan.h"

struct http;
struct system;

#define URI_VARIABLE "ALIBABA_CLOUD_CREDENTIALS_URI"

/* ALIBABA_CLOUD_CREDENTIALS_URI. */
CHECKED bool uri_plan(struct plan *out, const struct system *system, struct error *err);

/* Asks `uri`, which must be https, or http to a loopback or link-local address: plain text on a
 * wire that others share would show the credentials. Fails with ERROR_CONFIG for another one. */
CHECKED bool uri_fetch(struct credentials *out, const struct http *http, const char *uri,
                       struct error *err);

#endif
