/* The system's trust store, asked certificate by certificate. Loading a whole CA bundle costs more
 * CPU than all the rest of a run, so nothing is loaded: OpenSSL asks for an issuer by name, and
 * only that one is read, from a hashed directory or by a walk through the bundle. */
#ifndef NET_TRUST_H
#define NET_TRUST_H

#include <stdbool.h>

struct ssl_ctx_st;

/* Makes an SSL_CTX trust SSL_CERT_FILE and SSL_CERT_DIR (colon-separated) and nothing else if one
 * of them is set, else the places where Linux distributions keep their certificate authorities.
 * False if OpenSSL cannot take them or SSL_CERT_FILE cannot be read. Another place that is not
 * there simply holds no certificate. */
bool trust_install(struct ssl_ctx_st *context);

#endif
