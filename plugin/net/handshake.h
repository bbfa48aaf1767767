/* Observes a TLS handshake, and makes it wait. */
#ifndef NET_HANDSHAKE_H
#define NET_HANDSHAKE_H

#include <openssl/types.h>
#include <stdbool.h>

struct handshake {
    bool waits; /* set before it begins: after its ClientHello it reads nothing until released */
    bool client_hello_sent;
    bool is_peer_without_tls; /* what it sent is no TLS record */
    int alert;                /* sent or received, 0 if none */
    SSL *waiting;             /* borrowed from libcurl; NULL if it does not wait */
};

/* Watches the handshakes of an SSL_CTX, each until the peer has accepted the first two messages. */
void handshake_watch(struct handshake *handshake, SSL_CTX *context);

/* Lets a waiting handshake read again. */
void handshake_release(struct handshake *handshake);

#endif
