#include "identity/uri.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"
#include "net/http.h"
#include "net/resend.h"
#include "proto-json/credentials_reply.h"

enum { URI_MAX_BYTES = 2048, CONNECT_TIMEOUT_MS = 5000, EXCHANGE_TIMEOUT_MS = 10000, TRIES = 3 };

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

/* Takes the host out of "HOST[:PORT][/...]", IPv6 without its brackets and without the zone that a
 * link-local address needs, "[fe80::1%25eth0]" (RFC 6874). */
static bool take_host(char *host, size_t size, const char *authority)
{
    size_t length = strcspn(authority, "/?#");
    char *end;

    if (length >= size || memchr(authority, '@', length) != NULL)
        return false;
    memcpy(host, authority, length);
    host[length] = '\0';
    if (host[0] == '[') {
        end = strchr(host, ']');
        if (end == NULL || (end[1] != '\0' && end[1] != ':'))
            return false;
        *end = '\0';
        host[strcspn(host, "%")] = '\0';
        memmove(host, host + 1, strlen(host));
        return true;
    }
    host[strcspn(host, ":")] = '\0';
    return host[0] != '\0';
}

static bool classify(enum http_kind *kind, const char *uri, struct error *err)
{
    static const char secure[] = "https://";
    static const char plain[] = "http://";
    bool is_secure = text_starts_with(uri, secure);
    char host[256];

    if (strlen(uri) > URI_MAX_BYTES || !text_is_visible(uri) || strchr(uri, '#') != NULL ||
        !(is_secure || text_starts_with(uri, plain)) ||
        !take_host(host, sizeof host, uri + strlen(is_secure ? secure : plain)))
        return error_set(err, ERROR_CONFIG,
                         "it must be https://HOST[:PORT]/..., without user and fragment");
    if (!is_secure && !is_local(host))
        return error_set(err, ERROR_CONFIG,
                         "it must be https: http is for loopback and link-local addresses only");
    *kind = is_secure ? HTTP_SECURE : HTTP_LINK_LOCAL;
    return true;
}

static bool fetch(struct credentials *out, struct http *http, const char *uri, struct error *err)
{
    struct http_response response AUTO(http_response_clear) = {0};
    struct http_request request = {.method = "GET",
                                   .url = uri,
                                   .body_max_bytes = CREDENTIALS_REPLY_MAX_BYTES,
                                   .connect_timeout_ms = CONNECT_TIMEOUT_MS,
                                   .timeout_ms = EXCHANGE_TIMEOUT_MS};

    if (!classify(&request.kind, uri, err))
        return false;
    if (!resend(http, &request, TRIES, &response, err))
        return false;
    if (response.status != 200)
        return error_set(err, ERROR_UNAVAILABLE, "HTTP status %ld", response.status);
    /* Whether they have expired is for the API to say: this node's clock may be wrong. */
    return credentials_reply_decode_uri(out, response.body.bytes, response.body.length, err);
}

bool uri_fetch(struct credentials *out, struct http *http, const char *uri, struct error *err)
{
    if (fetch(out, http, uri, err))
        return true;
    if (err->advice[0] == '\0')
        (void)error_advise(err, "Check ALIBABA_CLOUD_CREDENTIALS_URI or the profile's "
                                "credentials_uri, and the service behind it");
    return error_wrap(err, "credentials URI");
}
