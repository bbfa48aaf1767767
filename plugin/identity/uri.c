#include <arpa/inet.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "identity/environment.h"
#include "identity/explain.h"
#include "identity/sources.h"
#include "net/http.h"
#include "net/retry.h"
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

static bool classify(enum http_kind *kind, const char *uri, struct error *err)
{
    const bool is_plain = text_starts_with(uri, "http://");
    char host[CHECK_HOST_SIZE];

    if (strlen(uri) > URI_MAX_BYTES || !text_is_visible(uri) || strchr(uri, '#') != NULL ||
        check_split_url(host, uri, is_plain ? "http" : "https") == NULL)
        return error_set(err, ERROR_CONFIG,
                         "it must be https://HOST[:PORT]/..., without user and fragment");
    *kind = is_plain ? HTTP_LINK_LOCAL : HTTP_SECURE;
    return !is_plain || is_local(host) ||
           error_set(err, ERROR_CONFIG,
                     "it must be https: http is for loopback and link-local addresses only");
}

bool uri_plan(struct plan *out, const struct system *system,
              const struct settings_identity *settings, struct error *err)
{
    (void)settings;
    out->uri = environment_copy(system, URI_VARIABLE);
    if (out->uri == NULL)
        return plan_absent(err, URI_VARIABLE " is not set");
    out->source = PLAN_URI;
    text_copy(out->principal, sizeof out->principal, "the credentials of " URI_VARIABLE);
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

    if (!classify(&request.kind, uri, err) || !retry_send(http, &request, TRIES, &response, err))
        return false;
    if (response.status != 200)
        return error_set(err, ERROR_UNAVAILABLE, "HTTP status %ld", response.status);
    /* The API decides whether they have expired: this node's clock may be wrong. */
    return credentials_reply_decode(out, CREDENTIALS_REPLY_URI, response.body.bytes,
                                    response.body.length, err);
}

bool uri_fetch(struct credentials *out, const struct http *http, const char *uri, struct error *err)
{
    if (fetch(out, http, uri, err))
        return true;
    error_wrap(err, "credentials URI");
    return explain_unless_advised(ADVICE_URI, err);
}
