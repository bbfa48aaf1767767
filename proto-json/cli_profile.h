/* The profiles of the Alibaba Cloud CLI, ~/.aliyun/config.json. Unknown keys are ignored, since the
 * CLI keeps its own in the same file; an empty string counts as an absent key. */
#ifndef PROTO_JSON_CLI_PROFILE_H
#define PROTO_JSON_CLI_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/credentials.h"
#include "base/error.h"
#include "base/secret.h"

enum { CLI_PROFILE_FILE_MAX_BYTES = 1024 * 1024, CLI_PROFILE_NAME_SIZE = 257 };

/* One profile; strings are owned and NULL if absent. `{0}` is empty. */
struct cli_profile {
    char *mode; /* "AK", "StsToken", "RamRoleArn", ... */
    char *access_key_id;
    struct secret access_key_secret;
    struct secret sts_token;
    char *ram_role_name; /* of the ECS instance */
    struct role role;    /* to assume */
    char *oidc_provider_arn;
    char *oidc_token_file;
    char *source_profile; /* another profile of the file */
    char *process_command;
    char *credentials_uri;
    char *sts_region;
    bool enable_vpc;
};

/* Wipes, frees and returns to `{0}`. */
void cli_profile_clear(struct cli_profile *profile);

enum cli_profile_outcome { CLI_PROFILE_FOUND, CLI_PROFILE_ABSENT, CLI_PROFILE_BROKEN };

/* Finds the profile `name`; if that is "", the file's current profile, whose name is then written
 * there. ABSENT: the file has no such profile. BROKEN: err is filled (ERROR_CONFIG). */
CHECKED enum cli_profile_outcome cli_profile_find(struct cli_profile *out,
                                                  char name[CLI_PROFILE_NAME_SIZE],
                                                  const void *bytes, size_t length,
                                                  struct error *err);

#endif
