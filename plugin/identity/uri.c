#include "identity/uri.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "net/http.h"
#include "net/retry.h"
#include "proto-json/credentials_reply.h"

enum {
    URI_MAX_BYTES = 2048,
    ORIGIN_SIZE = 320,
    CONNECT_TIMEOUT_MS = 5000,
    EXCHANGE_TIMEOUT_MS = 10000,
    TRIES = 3
};

/* An address that never leaves this machine or its link (RFC 1122, 3927, 4291). */
static bool is_local(const char *host)
{
    struct in_addr four;
    struct in6_addr six;

    if (strcmp(host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, host, &four) == 1) {
        uint32_t address = ntohl(four.s_addr);

        return address >> 24 == 127 || address >> 16 == (169U << 8 | 254U);
    }
    return inet_pton(AF_INET6, host, &six) == 1 &&
           (IN6_IS_ADDR_LOOPBACK(&six) || IN6_IS_ADDR_LINKLOCAL(&six));
}

/* Takes "SCHEME://HOST[:PORT]" out of a URI, without the zone that a link-local IPv6 address needs,
 * "[fe80::1%25eth0]" (RFC 6874). */
static bool take_origin(char *origin, size_t size, const char *uri)
{
    const char *authority = strstr(uri, "://");
    size_t length;
    char *zone;
    char *behind;

    if (authority == NULL)
        return false;
    authority += strlen("://");
    length = (size_t)(authority - uri) + strcspn(authority, "/?#");
    if (length >= size)
        return false;
    memcpy(origin, uri, length);
    origin[length] = '\0';
    zone = strstr(origin, "%25");
    if (zone == NULL)
        return true;
    /* Whatever else stands there may be read otherwise by who goes by the URI. */
    behind = zone + strlen("%25");
    behind += strspn(behind, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-");
    if (*behind != ']')
        return false;
    memmove(zone, behind, strlen(behind) + 1);
    return true;
}

/* Whether the host of an origin never leaves this machine or its link. */
static bool is_origin_local(const char *origin)
{
    char host[256];
    const char *at = strstr(origin, "://") + strlen("://");
    size_t length = *at == '[' ? strcspn(++at, "]") : strcspn(at, ":");

    if (length >= sizeof host)
        return false;
    memcpy(host, at, length);
    host[length] = '\0';
    return is_local(host);
}

static bool classify(enum http_kind *kind, const char *uri, struct error *err)
{
    const char *scheme = text_starts_with(uri, "http://") ? "http" : "https";
    char origin[ORIGIN_SIZE];

    if (strlen(uri) > URI_MAX_BYTES || !text_is_visible(uri) || strchr(uri, '#') != NULL ||
        !take_origin(origin, sizeof origin, uri) || !check_endpoint(origin, scheme, "it", err))
        return error_set(err, ERROR_CONFIG,
                         "it must be https://HOST[:PORT]/..., without user and fragment");
    *kind = strcmp(scheme, "https") == 0 ? HTTP_SECURE : HTTP_LINK_LOCAL;
    if (*kind == HTTP_LINK_LOCAL && !is_origin_local(origin))
        return error_set(err, ERROR_CONFIG,
                         "it must be https: http is for loopback and link-local addresses only");
    return true;
}

static bool fetch(struct credentials *out, const struct http *http, const char *uri,
                  struct error *err)
{
    struct http_response response AUTO(http_response_clear) = {0};
    struct http_request request = {.method = "GET",
                                   .url = uri,
                                   .body_max_bytes = CREDENTIALS_REPLY_MAX_BYTES,
                                   .connect_timeout_ms = CONNECT_TIMEOUT_MS,
                                   .timeout_ms = EXCHANGE_TIMEOUT_MS};

    if (!classify(&request.kind, uri, err))
        return false;
    if (!retry_send(http, &request, TRIES, &response, err))
        return false;
    if (response.status != 200)
        return error_set(err, ERROR_UNAVAILABLE, "HTTP status %ld", response.status);
    /* Whether they have expired is for the API to say: this node's clock may be wrong. */
    return credentials_reply_decode_uri(out, response.body.bytes, response.body.length, err);
}

bool uri_fetch(struct credentials *out, const struct http *http, const char *uri, struct error *err)
{
    if (fetch(out, http, uri, err))
        return true;
    if (err->advice[0] == '\0')
        (void)error_advise(err, "Check ALIBABA_CLOUD_CREDENTIALS_URI or the profile's "
                                "credentials_uri, and the service behind it");
    return error_wrap(err, "credentials URI");
}
