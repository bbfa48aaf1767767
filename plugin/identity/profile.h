/* A profile of the Alibaba Cloud CLI (~/.aliyun/config.json) or of the SDKs' credentials file
 * (~/.alibabacloud/credentials), as a recipe. */
#ifndef IDENTITY_PROFILE_H
#define IDENTITY_PROFILE_H

#include "base/auto.h"
#include "base/error.h"
#include "identity/recipe.h"

/* A profile by name; NULL: the one that ALIBABA_CLOUD_PROFILE names, else the file's own choice.
 * Absent: no file, no such profile, or one that is still empty. */

/* Of ALIBABA_CLOUD_CONFIG_FILE, else ~/.aliyun/config.json. */
CHECKED enum recipe_outcome profile_of_cli(struct recipe *out, const char *name, struct error *err);

/* Of ALIBABA_CLOUD_CREDENTIALS_FILE, else ~/.alibabacloud/credentials. */
CHECKED enum recipe_outcome profile_of_file(struct recipe *out, const char *name,
                                            struct error *err);

#endif
