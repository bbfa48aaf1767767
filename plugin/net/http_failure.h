/* Why an exchange had no answer, in words for the operator. Pure. */
#ifndef NET_HTTP_FAILURE_H
#define NET_HTTP_FAILURE_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct http_failure {
    const char *host; /* with its port */
    CURLcode result;
    const char *complaint; /* CURLOPT_ERRORBUFFER */
    bool is_too_large;     /* the body was cut at `body_max_bytes` */
    size_t body_max_bytes;
    bool is_name_unknown; /* there was no address to connect to */
    long proxy_status;    /* of its refusal to connect us; 0 if there was none */
};

/* Fills err. Returns false. ERROR_TEMPORARY: network or time; ERROR_UNAVAILABLE: certificate,
 * protocol, size or a proxy that wants a password; ERROR_CONFIG: a variable of the environment that
 * cannot be used. */
bool http_failure_tell(const struct http_failure *failure, struct error *err);

#endif
