/* Which certificate authorities TLS trusts. */
#ifndef NET_TRUST_H
#define NET_TRUST_H

#include <stdbool.h>

struct buf;
struct ssl_ctx_st;
struct system;

/* Makes an SSL_CTX trust SSL_CERT_FILE and SSL_CERT_DIR (colon-separated) and nothing else if one
 * of them is set, else the places where Linux distributions keep their certificate authorities.
 * False if OpenSSL cannot take them or SSL_CERT_FILE cannot be read. A directory that does not
 * exist holds no certificate. */
bool trust_install(struct ssl_ctx_st *context, const struct system *system);

/* Appends what is trusted, for people. False if it cannot be used, or no bundle or directory of
 * this system was found; what is appended then says so. */
bool trust_describe(struct buf *out, const struct system *system);

#endif
