/* What to do about the errors of this module. Pure: each function advises in err on what it is
 * given, and returns false. */
#ifndef IDENTITY_EXPLAIN_H
#define IDENTITY_EXPLAIN_H

#include <stdbool.h>

#include "base/error.h"

/* -- advice that depends on nothing -- */

#define EXPLAIN_KEY_VARIABLES "ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET"

#define ADVICE_CHAIN_EMPTY                                                                         \
    "Unset ALIBABA_CLOUD_ECS_METADATA_DISABLED, or set " EXPLAIN_KEY_VARIABLES
#define ADVICE_SOURCE_NOT_SET_UP                                                                   \
    "Set it up, or let the configuration name another source: it asks for this one alone"
#define ADVICE_PROFILE           "Correct this file, or name another source in identity.source"
#define ADVICE_ANNOTATION        "Correct the annotation of the pod's service account"
#define ADVICE_VARIABLE          "Correct or unset it"
#define ADVICE_TOKEN_WITHOUT_KEY "Unset it, or set the AccessKey that it belongs to"
#define ADVICE_HALF_KEY          "Set both " EXPLAIN_KEY_VARIABLES ", or neither"
#define ADVICE_HALF_OIDC                                                                           \
    "Set ALIBABA_CLOUD_ROLE_ARN, ALIBABA_CLOUD_OIDC_PROVIDER_ARN and "                             \
    "ALIBABA_CLOUD_OIDC_TOKEN_FILE together, or none"
#define ADVICE_TOKEN_FILE        "Correct ALIBABA_CLOUD_OIDC_TOKEN_FILE, or the profile's oidc_token_file"
#define ADVICE_ACCOUNT           "Set podIdentity.accountId"
#define ADVICE_NO_ROLE           "Attach one that allows cr:GetAuthorizationToken and cr:PullRepository"
#define ADVICE_EXTERNAL_DISABLED "Unset it, or use a profile of another mode"
#define ADVICE_SIGN_IN                                                                             \
    "Use a profile of another mode; to use the node's RAM role, set "                              \
    "ALIBABA_CLOUD_CLI_PROFILE_DISABLED=true"
#define ADVICE_COMMAND_LINE "Correct process_command; no shell reads it"
#define ADVICE_COMMAND                                                                             \
    "Run the command by hand, as the user and in the environment of this program: what it writes " \
    "to stderr is not shown here"
#define ADVICE_URI                                                                                 \
    "Check ALIBABA_CLOUD_CREDENTIALS_URI or the profile's credentials_uri, and the service there"

#define EXPLAIN_ARN_ANNOTATION "acr.aliyun.com/role-arn"
#define ADVICE_POD_WITHOUT_ROLE                                                                    \
    "Annotate it with " EXPLAIN_ARN_ANNOTATION ", or set podIdentity.withoutRole to \"node\""
#define ADVICE_POD_WITHOUT_TOKEN                                                                   \
    "Set tokenAttributes.serviceAccountTokenAudience to sts.aliyuncs.com in the kubelet's "        \
    "CredentialProviderConfig"
#define ADVICE_POD_WITHOUT_PROVIDER                                                                \
    "Set podIdentity.oidcProviderArn, or podIdentity.clusterId on ACK"

/* Advises, unless what failed has given its own advice. */
bool explain_unless_advised(const char *advice, struct error *err);

/* No source of the chain exists; err is that of the metadata service: ERROR_TEMPORARY if it cannot
 * be reached, else it has no role. */
bool explain_no_identity(const char *metadata_url, struct error *err);

/* Fills err: a profile, or the place of the node, needs the metadata service. */
bool explain_ecs_disabled(struct error *err);

/* `named_by` is NULL if the service named the role. */
bool explain_role_not_attached(const char *named_by, struct error *err);

/* The metadata service answered nonsense; with a service code in err, it has no credentials. */
bool explain_ecs_answer(const char *role, const char *metadata_url, struct error *err);

/* ALIBABA_CLOUD_PROFILE names a profile that no file has. */
bool explain_profile_variable(const char *name, struct error *err);

/* A file that a variable names cannot be used, as err says. Keeps the advice that err has. */
bool explain_named_file(const char *variable, struct error *err);

#endif
