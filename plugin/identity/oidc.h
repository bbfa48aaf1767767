/* A role that is assumed with a token of an OIDC provider: RRSA by a token file, or the token of a
 * pod's service account. */
#ifndef IDENTITY_OIDC_H
#define IDENTITY_OIDC_H

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "config/run.h"
#include "identity/identity.h"

struct system;

/* ALIBABA_CLOUD_ROLE_ARN, ALIBABA_CLOUD_OIDC_PROVIDER_ARN and ALIBABA_CLOUD_OIDC_TOKEN_FILE, with
 * ALIBABA_CLOUD_ROLE_SESSION_NAME. Fails with plan_absent() without a token file: a profile may
 * complete the others. */
CHECKED bool oidc_plan(struct plan *out, const struct system *system, struct error *err);

/* Appends the token of a token file, if there is one: another token may be another subject's. */
void oidc_append_token(struct buf *out, const struct system *system, const struct plan *plan);

CHECKED bool oidc_fetch(struct identity *out, const struct run *run, const struct plan *plan,
                        struct error *err);

#endif
