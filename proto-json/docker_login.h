/* A registry login in docker's documents: the output of a credential helper
 * (docker-credential-helpers), and the "auths" of a config.json or auth.json. */
#ifndef PROTO_JSON_DOCKER_LOGIN_H
#define PROTO_JSON_DOCKER_LOGIN_H

#include "base/buf.h"
#include "base/credentials.h"

/* Appends {"ServerURL":...,"Username":...,"Secret":...} and a newline; `server` is UTF-8. */
void docker_login_append_credentials(struct buf *out, const char *server,
                                     const struct token *token);

/* Appends {"auths":{HOST:{"auth":base64(user:password)}}} and a newline; `{"auths":{}}` if `host`
 * is NULL. */
void docker_login_append_auths(struct buf *out, const char *host, const struct token *token);

#endif
