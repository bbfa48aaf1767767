#include "net/handshake.h"

#include <openssl/ssl.h>

static void stop(SSL *tls)
{
    SSL_set_msg_callback(tls, NULL);
    SSL_set_msg_callback_arg(tls, NULL);
}

/* Ends before the handshake does: libcurl keeps the connection for longer than there is somebody
 * who watches. */
static void on_message(int is_written, int version, int type, const void *bytes, size_t length,
                       SSL *tls, void *context)
{
    struct handshake *handshake = context;
    const unsigned char *message = bytes;

    (void)version;
    if (length < 2)
        return;
    if (type == SSL3_RT_HEADER) {
        handshake->is_peer_without_tls = is_written == 0 && message[1] != SSL3_VERSION_MAJOR;
    } else if (type == SSL3_RT_ALERT) {
        handshake->alert = message[1];
        stop(tls);
    } else if (type == SSL3_RT_HANDSHAKE && is_written != 0) {
        handshake->client_hello_sent = true;
    } else if (type == SSL3_RT_HANDSHAKE && message[0] != SSL3_MT_SERVER_HELLO) {
        stop(tls);
    }
}

void handshake_watch(struct handshake *handshake, struct ssl_ctx_st *context)
{
    SSL_CTX_set_msg_callback(context, on_message);
    SSL_CTX_set_msg_callback_arg(context, handshake);
}
