#include "net/explain.h"

#include <openssl/ssl3.h>
#include <openssl/tls1.h>
#include <openssl/x509_vfy.h>

#define DNS_ADVICE "Check the node's DNS (/etc/resolv.conf)"
#define ADVICE_CA(variable)                                                                        \
    variable " replaces the node's CA certificates: add the CA's certificate there, or unset it"
#define ROUTE_ADVICE "Check routes, security groups and proxy variables of the node"

static bool explain_certificate(const struct failure *failure, const char *detail,
                                struct error *err)
{
    const char *advice;

    switch (failure->verify_result) {
    case X509_V_OK: /* of the chain: libcurl compares the name when that is done */
    case X509_V_ERR_UNSPECIFIED:
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        advice = "Check what answers under this name: DNS, /etc/hosts and proxy variables";
        break;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        advice = "Check the node's clock (NTP); if it is right, the certificate must be renewed";
        break;
    default:
        advice = failure->ca_file[0] != '\0' ? ADVICE_CA("SSL_CERT_FILE")
                 : failure->ca_directories[0] != '\0'
                     ? ADVICE_CA("SSL_CERT_DIR")
                     : "Update the node's CA certificates, and add that of a private CA or of a "
                       "TLS-intercepting proxy";
    }
    return error_set_advised(err, ERROR_UNAVAILABLE, advice, "%s: TLS certificate not accepted: %s",
                             failure->host, detail);
}

/* The same password again might lock an account. A host that is not admitted may have another
 * beside it that is: the public endpoint beside that of the VPC. */
static bool explain_proxy_refusal(const struct failure *failure, struct error *err)
{
    bool wants_password = failure->proxy_status == 407;

    return error_set_advised(
        err, wants_password ? ERROR_UNAVAILABLE : ERROR_TEMPORARY,
        wants_password
            ? ADVICE("Put its user and password into %s, percent-encoded", failure->proxy_variable)
            : "Let the proxy admit this host, or name the host in NO_PROXY",
        "%s: the proxy refuses with HTTP status %ld", failure->host, failure->proxy_status);
}

static bool is_proxy_refusal(const struct failure *failure)
{
    return failure->proxy_status >= 400 && failure->proxy_status < 500 &&
           failure->proxy_status != 408 && failure->proxy_status != 429;
}

/* Whether libcurl gave up on the proxy variable. NO_PROXY may have spared it that. */
static bool is_proxy_unusable(const struct failure *failure)
{
    return failure->has_unusable_proxy && !failure->is_resolved &&
           failure->result != CURLE_COULDNT_RESOLVE_HOST &&
           failure->result != CURLE_OPERATION_TIMEDOUT;
}

/* Whether the two sides have no protocol or cipher in common, which no other try would change. */
static bool is_tls_disagreement(const struct failure *failure)
{
    return failure->result == CURLE_SSL_CONNECT_ERROR &&
           (failure->is_peer_without_tls || failure->tls_alert == SSL3_AD_HANDSHAKE_FAILURE ||
            failure->tls_alert == TLS1_AD_PROTOCOL_VERSION ||
            failure->tls_alert == TLS1_AD_INSUFFICIENT_SECURITY);
}

/* What needs no more than the result; the last row is for all others. */
static const struct row {
    CURLcode result;
    enum error_kind kind;
    const char *what;
    const char *advice;
} rows[] = {
    {CURLE_COULDNT_RESOLVE_HOST, ERROR_TEMPORARY, "name not resolved", DNS_ADVICE},
    {CURLE_COULDNT_RESOLVE_PROXY, ERROR_TEMPORARY, "name not resolved", DNS_ADVICE},
    {CURLE_COULDNT_CONNECT, ERROR_TEMPORARY, "no connection", ROUTE_ADVICE},
    {CURLE_OPERATION_TIMEDOUT, ERROR_TEMPORARY, "no answer in time", ROUTE_ADVICE},
    {CURLE_UNSUPPORTED_PROTOCOL, ERROR_UNAVAILABLE, "not an HTTP answer", ""},
    {CURLE_WEIRD_SERVER_REPLY, ERROR_UNAVAILABLE, "not an HTTP answer", ""},
    {CURLE_SSL_CACERT_BADFILE, ERROR_CONFIG, "the node's CA certificates cannot be read",
     "Check /etc/ssl and SSL_CERT_DIR"},
    {CURLE_OK, ERROR_TEMPORARY, "connection failed",
     "Retry; if the error persists, check firewalls and proxies between the node and the service"},
};

static bool explain_result(CURLcode result, const struct failure *failure, const char *detail,
                           struct error *err)
{
    const struct row *row = rows;

    while (row->result != result && row->result != CURLE_OK)
        row++;
    return error_set_advised(err, row->kind, row->advice, "%s: %s: %s", failure->host, row->what,
                             detail);
}

bool explain_failure(const struct failure *failure, struct error *err)
{
    CURLcode result = failure->result;
    const char *detail =
        failure->message[0] != '\0' ? failure->message : curl_easy_strerror(result);

    if (result == CURLE_WRITE_ERROR || result == CURLE_FILESIZE_EXCEEDED)
        return error_set(err, ERROR_UNAVAILABLE, "%s: answer larger than %zu bytes", failure->host,
                         failure->body_max_bytes);
    /* libcurl quotes the proxy variable, with its password. */
    if (is_proxy_unusable(failure))
        return error_set_advised(err, ERROR_CONFIG,
                                 ADVICE("Write %s as http://[USER:PASSWORD@]HOST[:PORT], user "
                                        "and password percent-encoded",
                                        failure->proxy_variable),
                                 "%s: %s is not the URL of a proxy", failure->host,
                                 failure->proxy_variable);
    if (is_proxy_refusal(failure))
        return explain_proxy_refusal(failure, err);
    if (result == CURLE_PEER_FAILED_VERIFICATION || result == CURLE_SSL_ISSUER_ERROR)
        return explain_certificate(failure, detail, err);
    if (result == CURLE_SSL_CACERT_BADFILE && failure->ca_file[0] != '\0')
        return error_set_advised(err, ERROR_CONFIG, "Set it to a readable PEM file, or unset it",
                                 "%s: the certificates in SSL_CERT_FILE cannot be read: %s",
                                 failure->host, failure->ca_file);
    if (is_tls_disagreement(failure))
        return error_set(err, ERROR_UNAVAILABLE, "%s: no TLS 1.2 or later: %s", failure->host,
                         detail);
    if (result == CURLE_OPERATION_TIMEDOUT && !failure->is_resolved)
        result = CURLE_COULDNT_RESOLVE_HOST;
    return explain_result(result, failure, detail, err);
}

bool explain_deadline(struct error *err)
{
    const struct error known = *err;

    return error_advise(err, "Retry, or raise --deadline%s%s",
                        known.advice[0] != '\0' ? "; if that does not help: " : "", known.advice);
}

bool explain_temporary_status(long status, struct error *err)
{
    return error_set_advised(err, ERROR_TEMPORARY,
                             "The service is temporarily unavailable; try again later",
                             "HTTP status %ld", status);
}
