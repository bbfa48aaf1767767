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

enum check_type {
    CHECK_REGION,      /* text_is_region(): it becomes part of host names */
    CHECK_INSTANCE_ID, /* of the Enterprise Edition */
    CHECK_ACCOUNT_ID,
    CHECK_CLUSTER_ID, /* of ACK */
    CHECK_ROLE_NAME,
    CHECK_ROLE_ARN,
    CHECK_OIDC_PROVIDER_ARN,
    CHECK_SESSION_NAME, /* this and the next two as AssumeRole takes them */
    CHECK_EXTERNAL_ID,
    CHECK_POLICY,
    CHECK_PROFILE_NAME,
    CHECK_DIRECTORY,     /* an absolute path */
    CHECK_ENDPOINT_HTTP, /* as check_split_url() has it, without a zone and with nothing after it */
    CHECK_ENDPOINT_HTTPS,
    /* A pattern of the kubelet, HOST[:PORT][/PATH]. Refuses what the kubelet accepts and never
     * matches: a scheme, ?, [, upper case in the host, a * in the path, an empty host or label, a
     * path that begins with the registry API's /v1/ or /v2/. */
    CHECK_MATCH,
};

CHECKED bool check_text(enum check_type type, const char *text, const char *what,
                        struct error *err);

/* One of `count` words; writes its index. Entries that are NULL are no words. */
CHECKED bool check_word(unsigned *out, const char *text, const char *const *words, size_t count,
                        const char *what, struct error *err);

#endif
