/* Checks of single values of the configuration, pure. Each fails with ERROR_CONFIG in words that
 * begin with `what`, the place of the value as the user knows it ("endpoints.acr", or the name of a
 * flag or environment variable). */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#include "base/auto.h"
#include "base/error.h"

/* SCHEME://HOST[:PORT] with nothing after it: `scheme` is "http" or "https"; the host is a DNS
 * name, an IPv4 address or an IPv6 address in brackets; the port is 1 to 65535. */
CHECKED bool check_endpoint(const char *text, const char *scheme, const char *what,
                            struct error *err);

/* A region id, as text_is_region() has it: it becomes part of host names. */
CHECKED bool check_region(const char *text, const char *what, struct error *err);

/* An Enterprise Edition instance id: "cri-" and 1 to 60 of [a-z0-9]. */
CHECKED bool check_instance_id(const char *text, const char *what, struct error *err);

/* A RAM role name: 1 to 64 of [A-Za-z0-9._-]. */
CHECKED bool check_role_name(const char *text, const char *what, struct error *err);

/* "acs:ram::ACCOUNT:role/NAME", and the same with "oidc-provider". */
CHECKED bool check_role_arn(const char *text, const char *what, struct error *err);
CHECKED bool check_oidc_provider_arn(const char *text, const char *what, struct error *err);

/* An Alibaba Cloud account: 8 to 20 digits. */
CHECKED bool check_account_id(const char *text, const char *what, struct error *err);

/* An ACK cluster: 1 to 64 of [a-z0-9-]. */
CHECKED bool check_cluster_id(const char *text, const char *what, struct error *err);

/* RoleSessionName of AssumeRole: 2 to 64 of [A-Za-z0-9.@_-]. */
CHECKED bool check_session_name(const char *text, const char *what, struct error *err);

/* ExternalId of AssumeRole: 2 to 1224 of [A-Za-z0-9_+=,.@:/-]. */
CHECKED bool check_external_id(const char *text, const char *what, struct error *err);

/* Policy of AssumeRole: 1 to 2048 bytes. */
CHECKED bool check_policy(const char *text, const char *what, struct error *err);

/* The name of a profile: 1 to 256 bytes without control bytes. */
CHECKED bool check_profile_name(const char *text, const char *what, struct error *err);

/* An absolute path of at most 1024 bytes without control bytes. */
CHECKED bool check_directory(const char *text, const char *what, struct error *err);

/* A pattern of the kubelet, HOST[:PORT][/PATH]. Refuses what the kubelet takes without a word and
 * never matches: a scheme, ?, [, upper case in the host, a * in the path, an empty host or label, a
 * path that begins with the registry API's /v1/ or /v2/. */
CHECKED bool check_match(const char *text, const char *what, struct error *err);

#endif
