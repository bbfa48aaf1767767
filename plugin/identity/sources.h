/* Where identities come from, a file for each source: X_plan() makes a plan of it without the
 * network, and fails with plan_absent() if it is not configured; X_fetch() carries the plan out. */
#ifndef IDENTITY_SOURCES_H
#define IDENTITY_SOURCES_H

#include "base/auto.h"
#include "base/error.h"
#include "cloud/endpoints.h"
#include "config/run.h"
#include "config/settings.h"
#include "identity/identity.h"

/* -- the official chain: environment, OIDC (RRSA), CLI profile, credentials file, ECS metadata,
 * credentials URI; as the default providers of the Alibaba Cloud SDKs have it -- */

/* Finds what the configuration asks for: one source, or the first of the chain that is configured.
 * Only a request shows whether there is a metadata service: as a link of the chain it counts as
 * configured, and the credentials URI, if configured, is the second plan. `out->reasons` lists
 * why the sources before the first plan are not configured; without a plan, err->retry is
 * ERROR_RETRY_NEXT_SOURCE if that is all. */
CHECKED bool chain_find(struct identity_plans *out, const struct system *system,
                        const struct settings_identity *settings, struct error *err);

/* -- pods (KEP-4412): with the token of its service account a pod's own role is assumed -- */

/* Absent if the service account names no role and the configuration lets such pods be served with
 * the node's identity. A role that is named and cannot be assumed is an error. */
CHECKED bool pod_plan(struct plan *out, const struct system *system,
                      const struct settings_pod *settings, const struct kubelet_request *request,
                      struct error *err);

/* -- an AccessKey or STS credentials that are given as they are -- */

/* ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, with
 * ALIBABA_CLOUD_SECURITY_TOKEN for STS credentials; where neither of the first two is set, the
 * older names that ack-ram-tool knows, of which the first that is set counts. */
CHECKED bool static_plan(struct plan *out, const struct system *system,
                         const struct settings_identity *settings, struct error *err);

void static_fetch(struct credentials *out, const struct plan *plan);

/* -- a role that is assumed with a token of an OIDC provider: of a file, or a pod's -- */

/* ALIBABA_CLOUD_ROLE_ARN, ALIBABA_CLOUD_OIDC_PROVIDER_ARN and ALIBABA_CLOUD_OIDC_TOKEN_FILE, with
 * ALIBABA_CLOUD_ROLE_SESSION_NAME. Absent without a token file: a profile may complete the others.
 */
CHECKED bool oidc_plan(struct plan *out, const struct system *system,
                       const struct settings_identity *settings, struct error *err);

/* Appends the token of a token file, if there is one: another token may be another subject's. */
void oidc_append_token(struct buf *out, const struct system *system, const struct plan *plan);

CHECKED bool oidc_fetch(struct identity *out, const struct run *run, const struct plan *plan,
                        struct error *err);

/* -- profiles -- */

/* The profile that the configuration names, else ALIBABA_CLOUD_PROFILE, else the file's own choice:
 * of ALIBABA_CLOUD_CONFIG_FILE, else ~/.aliyun/config.json of the Alibaba Cloud CLI; or of
 * ALIBABA_CLOUD_CREDENTIALS_FILE, else ~/.alibabacloud/credentials of the SDKs. Absent if there is
 * no home directory, no file, no such profile, or one that is still empty; the first also if
 * ALIBABA_CLOUD_CLI_PROFILE_DISABLED is true. */
CHECKED bool profile_plan_cli(struct plan *out, const struct system *system,
                              const struct settings_identity *settings, struct error *err);
CHECKED bool profile_plan_file(struct plan *out, const struct system *system,
                               const struct settings_identity *settings, struct error *err);

/* -- the metadata service: the RAM role of this ECS instance, and the place of this node -- */

/* Absent if ALIBABA_CLOUD_ECS_METADATA_DISABLED is true. */
CHECKED bool ecs_plan(struct plan *out, const struct system *system,
                      const struct settings_identity *settings, struct error *err);

/* Makes it the source of a plan, with ALIBABA_CLOUD_ECS_METADATA as the role's name if the plan has
 * none. Whether the service is disabled is up to the caller. */
CHECKED bool ecs_use(struct plan *out, const struct system *system, struct error *err);

/* Reads from the environment how the service is used: ALIBABA_CLOUD_ECS_METADATA_DISABLED,
 * ALIBABA_CLOUD_IMDSV1_DISABLED and ALIBABA_CLOUD_IMDSV2_DISABLED. */
void ecs_read_environment(struct plan_ecs *out, const struct system *system);

/* Fetches role name (unless given) and credentials, and, beside them, the region of this node.
 * err->retry is ERROR_RETRY_NEXT_SOURCE if nothing answers at the address or the instance has no
 * role, and the plan lets the service be absent. `cache` may be NULL. */
CHECKED bool ecs_fetch(struct identity *out, const struct run *run, const struct plan *plan,
                       const struct store *cache, struct error *err);

/* Fetches region and owner account of this node. Fails if the service does not answer, after
 * several tries only if the place is `needed`; a single item that is missing stays "". */
CHECKED bool ecs_locate(struct node_place *out, const struct run *run, const struct plan_ecs *ecs,
                        bool needed, struct error *err);

/* -- a local service -- */

#define URI_VARIABLE "ALIBABA_CLOUD_CREDENTIALS_URI"

CHECKED bool uri_plan(struct plan *out, const struct system *system,
                      const struct settings_identity *settings, struct error *err);

/* Asks `uri`, which must be https, or http to a loopback or link-local address: plain text on a
 * wire that others share would show the credentials. Fails with ERROR_CONFIG for another one. */
CHECKED bool uri_fetch(struct credentials *out, const struct http *http, const char *uri,
                       struct error *err);

/* -- roles, assumed by STS on top of a source -- */

/* Completes a plan by ALIBABA_CLOUD_STS_REGION, where it names no region, and by
 * ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED. */
CHECKED bool assume_read_environment(struct plan *plan, const struct system *system,
                                     struct error *err);

/* The endpoints of STS. `node_region` is "" if unknown. */
CHECKED bool assume_choose_endpoints(struct endpoints *out, const struct run *run,
                                     const struct plan *plan, const char *node_region,
                                     struct error *err);

/* Assumes the roles of a plan, each as the one before it, the first as `identity`, which becomes
 * the last. */
CHECKED bool assume_roles(struct identity *identity, const struct run *run, const struct plan *plan,
                          struct error *err);

#endif
