/* What went wrong with an HTTP exchange, and what to do about it: facts in, error out. Pure. */
#ifndef NET_EXPLAIN_H
#define NET_EXPLAIN_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* An exchange without a response. */
struct failure {
    const char *host;    /* with its port */
    CURLcode result;     /* CURLE_WRITE_ERROR: the body is larger than body_max_bytes */
    const char *message; /* libcurl's own, "" if none */
    size_t body_max_bytes;
    bool is_resolved;        /* there was an address to connect to */
    bool has_unusable_proxy; /* the proxy variable is not the URL of a proxy */
    const char *proxy_variable;
    const char *ca_file;        /* SSL_CERT_FILE and */
    const char *ca_directories; /* SSL_CERT_DIR, "" if unset */
    long proxy_status;          /* CURLINFO_HTTP_CONNECTCODE */
    long verify_result;         /* CURLINFO_SSL_VERIFYRESULT, X509_V_... */
    int tls_alert;              /* of a handshake, 0 if none */
    bool is_peer_without_tls;   /* it did not answer the handshake by TLS */
};

/* Fills err and returns false. ERROR_TEMPORARY: network or time; ERROR_UNAVAILABLE: certificate,
 * protocol, size or a proxy that wants a password; ERROR_CONFIG: a variable of the environment that
 * cannot be used. */
bool explain_failure(const struct failure *failure, struct error *err);

/* An exchange that the end of the deadline has ended: adds that to the advice. */
bool explain_deadline(struct error *err);

/* As explain_failure(), for a response of which only the status is known, and that may be another
 * one later. */
bool explain_temporary_status(long status, struct error *err);

#endif
