/* What a TLS handshake shows of itself: when it begins, and how it fails. */
#ifndef NET_HANDSHAKE_H
#define NET_HANDSHAKE_H

#include <stdbool.h>

struct ssl_ctx_st;

struct handshake {
    bool client_hello_sent;
    bool is_peer_without_tls; /* what it sent is no TLS record */
    int alert;                /* sent or received, 0 if none */
};

/* Watches the handshakes of an SSL_CTX, each until the peer has accepted the first two messages. */
void handshake_watch(struct handshake *handshake, struct ssl_ctx_st *context);

#endif
