#include "net/http.h"

#include "base/system.h"
#include "base/text.h"
#include "net/exchange.h"
#include "net/explain.h"

bool http_send(const struct http *http, const struct http_request *request,
               struct http_response *out, struct error *err)
{
    char host[EXCHANGE_HOST_SIZE];

    http_response_clear(out);
    if (http_remaining_ms(http) > 0) {
        if (http->transport->send(http->transport, request, http->deadline_ms, out, err))
            return true;
        return err->kind == ERROR_TEMPORARY && http_remaining_ms(http) == 0 ? explain_deadline(err)
                                                                            : false;
    }
    exchange_host_of(host, request->url);
    return error_set_advised(err, ERROR_TEMPORARY, "Retry, or raise --deadline",
                             "%s: no time left before the deadline", host);
}

void http_prefetch(const struct http *http, const struct http_request *request)
{
    if (http_remaining_ms(http) > 0)
        http->transport->prefetch(http->transport, request, http->deadline_ms);
}

void http_preconnect(const struct http *http, const struct http_request *request)
{
    if (http_remaining_ms(http) > 0)
        http->transport->preconnect(http->transport, request, http->deadline_ms);
}

void http_sleep_until(const struct http *http, int64_t mono_ms)
{
    http->transport->sleep_until(http->transport,
                                 mono_ms < http->deadline_ms ? mono_ms : http->deadline_ms);
}

int64_t http_remaining_ms(const struct http *http)
{
    int64_t remaining_ms = http->deadline_ms - http->system->mono_ms();

    return remaining_ms > 0 ? remaining_ms : 0;
}

void http_append_proxy_and_ca_environment(struct buf *out, const struct system *system)
{
    static const char *const names[] = {"https_proxy",   "HTTPS_PROXY", "all_proxy",
                                        "ALL_PROXY",     "no_proxy",    "NO_PROXY",
                                        "SSL_CERT_FILE", "SSL_CERT_DIR"};

    for (size_t i = 0; i < COUNT_OF(names); i++)
        buf_append_format(out, "\n%s", system->variable(names[i]));
}
