/* A registry login in the documents of those who use it. All strings are borrowed UTF-8; each
 * document ends with a newline. */
#ifndef PROTO_JSON_LOGIN_H
#define PROTO_JSON_LOGIN_H

#include <stdint.h>

#include "base/buf.h"
#include "base/credentials.h"

/* The answer to the kubelet: CredentialProviderResponse in the version of the request. The kubelet
 * refuses unknown fields, so it has no others. */
struct login_response {
    const char *api_version;
    const char *auth_key;       /* the host, with its port or path; NULL: no credentials */
    const struct token *token;  /* with auth_key only */
    const char *cache_key_type; /* "Registry" or "Image" */
    int64_t cache_duration_s;   /* not negative; 0: the kubelet keeps nothing */
};
void login_append_response(struct buf *out, const struct login_response *response);

/* The output of a docker credential helper (docker-credential-helpers). */
void login_append_helper(struct buf *out, const char *server, const struct token *token);

/* The "auths" of docker's config.json; empty if `host` is NULL. */
void login_append_auths(struct buf *out, const char *host, const struct token *token);

#endif
