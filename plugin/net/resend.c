#include "net/resend.h"

#include "base/clock.h"
#include "base/random.h"
#include "net/http.h"
#include "net/retry.h"

static bool is_temporary(long status)
{
    return status == 429 || status >= 500;
}

static int64_t asks_ms(const struct http_response *response)
{
    return retry_server_asks_ms(response->retry_after, response->rate_limit,
                                response->date_s != 0 ? response->date_s : clock_wall_s());
}

bool resend(struct http *http, const struct http_request *request, unsigned tries,
            struct http_response *response, struct error *err)
{
    bool connected = false;

    for (unsigned made = 1;; made++) {
        bool answered = http_send(http, request, response, err);
        int64_t delay_ms;

        connected = connected || response->connected;
        response->connected = connected;
        if (answered && !is_temporary(response->status))
            return true;
        if (answered) {
            (void)error_set(err, ERROR_TEMPORARY, "HTTP status %ld", response->status);
            (void)error_advise(err, "The service has trouble; try again later");
        }
        delay_ms =
            retry_delay_ms(made, asks_ms(response), http_left_ms(http), random_below(INT64_MAX));
        if (err->kind != ERROR_TEMPORARY || made >= tries || delay_ms < 0)
            return false;
        http_response_clear(response);
        http_sleep(http, clock_mono_ms() + delay_ms);
    }
}
