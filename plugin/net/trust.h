/* Which certificate authorities TLS trusts. */
#ifndef NET_TRUST_H
#define NET_TRUST_H

#include <stdbool.h>

struct ssl_ctx_st;
struct system;

/* Makes an SSL_CTX trust SSL_CERT_FILE and SSL_CERT_DIR (colon-separated) and nothing else if one
 * of them is set, else the places where Linux distributions keep their certificate authorities.
 * False if OpenSSL cannot take them or SSL_CERT_FILE cannot be read. A directory that does not
 * exist holds no certificate. */
bool trust_install(struct ssl_ctx_st *context, const struct system *system);

#endif
