/* The sources that stand in environment variables: an AccessKey, an OIDC role (RRSA), a credentials
 * URI. Names and order are those of the official SDKs. */
#ifndef IDENTITY_ENVIRONMENT_H
#define IDENTITY_ENVIRONMENT_H

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "identity/recipe.h"

/* The value of a variable, or of an older name of it that ack-ram-tool knows; "" if none is set. */
const char *environment_value(const char *name);

/* Whether a variable says "true" in any case, as the SDKs read ALIBABA_CLOUD_..._DISABLED. */
bool environment_is_true(const char *name);

/* Whether a variable is true for Go (strconv.ParseBool), as ack-ram-tool and the CLI read theirs.
 */
bool environment_is_go_true(const char *name);

/* Appends all variables and the current folder: what a command's doing may depend on. It holds
 * secrets: for a digest only. */
void environment_describe(struct buf *out);

/* ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, with
 * ALIBABA_CLOUD_SECURITY_TOKEN for STS credentials; where neither of the first two is set, the
 * older names that ack-ram-tool knows, of which the first that is set counts. */
CHECKED enum recipe_outcome environment_key(struct recipe *out, struct error *err);

/* ALIBABA_CLOUD_ROLE_ARN, ALIBABA_CLOUD_OIDC_PROVIDER_ARN and ALIBABA_CLOUD_OIDC_TOKEN_FILE, with
 * ALIBABA_CLOUD_ROLE_SESSION_NAME. Absent without a token file: a profile
 * may complete the others. */
CHECKED enum recipe_outcome environment_oidc(struct recipe *out, struct error *err);

/* ALIBABA_CLOUD_CREDENTIALS_URI. */
CHECKED enum recipe_outcome environment_uri(struct recipe *out, struct error *err);

/* ALIBABA_CLOUD_STS_REGION, where the recipe names no region, and
 * ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED. */
CHECKED bool environment_sts(struct recipe *recipe, struct error *err);

#endif
