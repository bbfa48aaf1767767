/* A profile of the Alibaba Cloud CLI (~/.aliyun/config.json) or of the SDKs' credentials file
 * (~/.alibabacloud/credentials), as a plan. */
#ifndef IDENTITY_PROFILE_H
#define IDENTITY_PROFILE_H

#include "base/auto.h"
#include "base/error.h"
#include "identity/plan.h"

struct system;

/* A profile by name; NULL: the one that ALIBABA_CLOUD_PROFILE names, else the file's own choice.
 * Both fail with plan_absent() if there is no home directory, no file, no such profile, or one that
 * is still empty. */

/* Of ALIBABA_CLOUD_CONFIG_FILE, else ~/.aliyun/config.json; none if
 * ALIBABA_CLOUD_CLI_PROFILE_DISABLED is true. */
CHECKED bool profile_plan_cli(struct plan *out, const struct system *system, const char *name,
                              struct error *err);

/* Of ALIBABA_CLOUD_CREDENTIALS_FILE, else ~/.alibabacloud/credentials. */
CHECKED bool profile_plan_file(struct plan *out, const struct system *system, const char *name,
                               struct error *err);

#endif
