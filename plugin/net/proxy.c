#include "net/proxy.h"

#include <curl/curl.h>
#include <strings.h>

#include "base/auto.h"
#include "base/system.h"

/* The name of the one that is set; `upper` if none is. */
static const char *either(const struct system *system, const char *lower, const char *upper)
{
    return system->variable(lower)[0] != '\0' ? lower : upper;
}

/* Parsed as libcurl does it: "HOST:PORT" is an HTTP proxy. */
static bool is_url_of_proxy(const char *text)
{
    static const char *const schemes[] = {"http",    "https",  "socks4",
                                          "socks4a", "socks5", "socks5h"};
    CURLU *url = curl_url();
    char *scheme = NULL;
    bool is_known = false;

    if (curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME) ==
            CURLUE_OK &&
        curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK) {
        for (size_t i = 0; i < COUNT_OF(schemes); i++)
            is_known = is_known || strcasecmp(scheme, schemes[i]) == 0;
    }
    curl_free(scheme);
    curl_url_cleanup(url);
    return is_known;
}

struct proxy proxy_of_environment(const struct system *system)
{
    const char *variable = either(system, "https_proxy", "HTTPS_PROXY");
    const char *url = system->variable(variable);

    if (url[0] == '\0') {
        variable = either(system, "all_proxy", "ALL_PROXY");
        url = system->variable(variable);
    }
    return (struct proxy){.variable = variable,
                          .url = url,
                          .exceptions = system->variable(either(system, "no_proxy", "NO_PROXY")),
                          .is_usable = url[0] == '\0' || is_url_of_proxy(url)};
}
