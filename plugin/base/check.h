/* Checks of single values, pure. Each fails with ERROR_CONFIG and a cause that begins with `what`,
 * the name of the value as the user knows it ("endpoints.acr", a flag, an environment variable). */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/error.h"

/* The longest host name (RFC 1035, section 2.3.4, without the root) and its NUL. */
enum { CHECK_HOST_SIZE = 254 };

/* Whether it is labels of letters, digits and inner hyphens (RFC 1123, section 2.1); an IPv4
 * address is, too. */
bool check_is_host_name(const char *text);

/* Splits SCHEME://HOST[:PORT] off a URL. Writes HOST, a DNS name or an IP address, without brackets
 * and without the zone of "[fe80::1%25eth0]" (RFC 6874). Returns what follows, which is empty or
 * begins with /, ? or #; NULL for anything else: another scheme, a user, an abbreviated IPv4
 * address such as 127.1, a port that is not 1 to 65535. */
const char *check_split_url(char host[CHECK_HOST_SIZE], const char *url, const char *scheme);

/* SCHEME://HOST[:PORT] as check_split_url() has it, without a zone and with nothing after it. */
CHECKED bool check_endpoint(const char *text, const char *scheme, const char *what,
                            struct error *err);
CHECKED bool check_endpoint_http(const char *text, const char *what, struct error *err);
CHECKED bool check_endpoint_https(const char *text, const char *what, struct error *err);

/* One of `count` words; writes its index. Entries that are NULL are no words. */
CHECKED bool check_word(unsigned *out, const char *text, const char *const *words, size_t count,
                        const char *what, struct error *err);

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

/* A pattern of the kubelet, HOST[:PORT][/PATH]. Refuses what the kubelet accepts and never matches:
 * a scheme, ?, [, upper case in the host, a * in the path, an empty host or label, a path that
 * begins with the registry API's /v1/ or /v2/. */
CHECKED bool check_match(const char *text, const char *what, struct error *err);

#endif
