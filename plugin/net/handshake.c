#include "net/handshake.h"

#include <openssl/ssl.h>

/* Reading an empty memory BIO means "try again", so SSL_connect() returns; otherwise it might read
 * a fast server's answer in the same call. The write side keeps its reference to libcurl's BIO. */
static void make_wait(struct handshake *handshake, SSL *tls)
{
    BIO *nothing = SSL_get_rbio(tls) == SSL_get_wbio(tls) ? BIO_new(BIO_s_mem()) : NULL;

    if (nothing == NULL)
        return;
    SSL_set0_rbio(tls, nothing);
    handshake->waiting = tls;
}

void handshake_release(struct handshake *handshake)
{
    BIO *peer = handshake->waiting == NULL ? NULL : SSL_get_wbio(handshake->waiting);

    if (peer != NULL && BIO_up_ref(peer) == 1)
        SSL_set0_rbio(handshake->waiting, peer);
    handshake->waiting = NULL;
    handshake->waits = false;
}

/* Removes itself before the handshake ends, since a connection that libcurl keeps outlives its
 * exchange. */
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
        SSL_set_msg_callback(tls, NULL);
    } else if (type == SSL3_RT_HANDSHAKE && is_written != 0) {
        handshake->client_hello_sent = true;
        if (handshake->waits)
            make_wait(handshake, tls);
    } else if (type == SSL3_RT_HANDSHAKE && message[0] != SSL3_MT_SERVER_HELLO) {
        SSL_set_msg_callback(tls, NULL);
    }
}

void handshake_watch(struct handshake *handshake, SSL_CTX *context)
{
    SSL_CTX_set_msg_callback(context, on_message);
    SSL_CTX_set_msg_callback_arg(context, handshake);
}
