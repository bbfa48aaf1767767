/* Credentials from the standard variables ALIBABA_CLOUD_ACCESS_KEY_ID,
 * ALIBABA_CLOUD_ACCESS_KEY_SECRET and, for STS credentials, ALIBABA_CLOUD_SECURITY_TOKEN. */
#ifndef IDENTITY_SOURCE_ENV_H
#define IDENTITY_SOURCE_ENV_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/credentials.h"
#include "base/error.h"

/* Whether any of the two needed variables is set and not empty. */
bool source_env_is_present(void);

/* Fails with ERROR_CONFIG if one is missing, too long, or has bytes no header can carry. */
CHECKED bool source_env_fetch(struct credentials *out, struct error *err);

#endif
