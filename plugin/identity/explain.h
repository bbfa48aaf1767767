/* What to do about the errors of this room. Pure: each function takes what is known about a failure
 * and fills, or only advises about, an error. Those that return bool return false. */
#ifndef IDENTITY_EXPLAIN_H
#define IDENTITY_EXPLAIN_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"

/* -- the chain -- */

/* Appends why a source does not exist to the list of reasons. */
void explain_add_reason(struct buf *reasons, const char *source, const char *cause);

/* No source is configured: none of the chain, or not the one that was asked for. */
bool explain_no_source(const struct buf *reasons, bool is_chain, struct error *err);

/* No source of the chain exists; err is that of the metadata service: ERROR_TEMPORARY if it cannot
 * be reached, else it has no role. */
bool explain_no_identity(const char *reasons, const char *metadata_url, struct error *err);

/* -- the environment -- */

/* A variable has a value that cannot be used, as err says. */
bool explain_variable(struct error *err);

bool explain_token_without_key(const char *token_variable, struct error *err);
bool explain_half_key(const char *missing_variable, struct error *err);
bool explain_half_oidc(const char *missing_variable, struct error *err);

/* -- OIDC -- */

/* A token file cannot be used, as err says. Keeps an advice that err has. */
bool explain_token_file(struct error *err);

/* The account is needed to write out ARNs: it cannot be asked for, or there was no answer. */
bool explain_account_lookup(struct error *err);
bool explain_account_unknown(struct error *err);

/* -- the metadata service -- */

bool explain_ecs_disabled(struct error *err);
bool explain_no_role(struct error *err);
bool explain_not_a_role_name(const char *metadata_url, struct error *err);

/* `named_by` is NULL if the service named the role. */
bool explain_role_not_attached(const char *role, const char *named_by, struct error *err);

/* The answer is not credentials: err has the service's code if there is one. */
bool explain_ecs_credentials(const char *role, const char *metadata_url, struct error *err);

/* -- profiles -- */

/* ALIBABA_CLOUD_PROFILE names a profile that no file has. */
bool explain_profile_variable(const char *name, struct error *err);

/* A file that a variable names cannot be used, as err says. Keeps an advice that err has. */
bool explain_named_file(const char *variable, struct error *err);

bool explain_external_disabled(const char *mode, struct error *err);
bool explain_sign_in(const char *mode, struct error *err);

/* -- commands and URIs; they keep an advice that err has -- */

bool explain_command_line(struct error *err);
bool explain_command(struct error *err);
bool explain_uri(struct error *err);

/* -- pods -- */

#define EXPLAIN_ARN_ANNOTATION "acr.aliyun.com/role-arn"

bool explain_pod_without_role(struct error *err);
bool explain_pod_without_token(struct error *err);
bool explain_pod_without_provider(struct error *err);

#endif
