/* The least that does the same exchange, for comparison: OpenSSL and sockets, no library for HTTP
 * or JSON, no retries, hardly a check. Usage: minimal_client METADATA_PORT API_PORT CA_FILE
 * INSTANCE_ID */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_SIZE = 65536 };

static void require(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "minimal_client: %s\n", what);
        exit(1);
    }
}

static int connect_to(int port)
{
    int one = 1;
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    require(connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0, "no connection");
    return descriptor;
}

/* Where the body begins, once all of it is there; NULL before. */
static char *body_of(char *answer, size_t length)
{
    char *end = strstr(answer, "\r\n\r\n");
    char *size = strstr(answer, "Content-Length: ");

    if (end == NULL || size == NULL ||
        length < (size_t)(end + 4 - answer) + strtoul(size + 16, NULL, 10))
        return NULL;
    return end + 4;
}

static char *exchange(int descriptor, SSL *tls, const char *request, char *answer)
{
    size_t length = 0;
    char *body = NULL;
    int size = (int)strlen(request);

    require((tls ? SSL_write(tls, request, size) : (int)write(descriptor, request, (size_t)size)) ==
                size,
            "not sent");
    while (body == NULL) {
        int room = (int)(ANSWER_SIZE - 1 - length);
        int got = tls ? SSL_read(tls, answer + length, room)
                      : (int)read(descriptor, answer + length, (size_t)room);

        require(got > 0, "no answer");
        length += (size_t)got;
        answer[length] = '\0';
        body = body_of(answer, length);
    }
    require(strncmp(answer, "HTTP/1.1 200", 12) == 0, answer);
    return body;
}

static void field(char *out, size_t size, const char *json, const char *name)
{
    const char *at = strstr(json, name);
    size_t length;

    require(at != NULL, name);
    at = strchr(at + strlen(name) + 1, ':') + 1;
    at += strspn(at, " \"");
    length = strcspn(at, "\",}");
    require(length < size, "too long");
    memcpy(out, at, length);
    out[length] = '\0';
}

static void hex(char *out, const unsigned char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        (void)sprintf(out + 2 * i, "%02x", bytes[i]);
}

int main(int argc, char **argv)
{
    static char request[16384], answer[ANSWER_SIZE], canonical[16384], headers[12288];
    char token[256], role[128], id[128], secret[256], sts[8192], nonce[33], date[32];
    char hash[65], signature[65], to_sign[128], user[256], password[8192];
    unsigned char digest[32], random[16];
    unsigned length = 0;
    time_t now = time(NULL);
    int metadata, api;
    char *body;
    SSL_CTX *context;
    SSL *tls;
    static const char empty_hash[] =
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    static const char names[] =
        "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-security-token;"
        "x-acs-signature-nonce;x-acs-version";

    /* Without what the program goes without, too: openssl.cnf, and cleaning up at the end. */
    require(OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL) == 1,
            "OpenSSL");
    require(argc == 5, "usage: minimal_client METADATA_PORT API_PORT CA_FILE INSTANCE_ID");
    (void)fread(answer, 1, sizeof answer, stdin);
    metadata = connect_to(atoi(argv[1]));
    body = exchange(metadata, NULL,
                    "PUT /latest/api/token HTTP/1.1\r\nHost: m\r\nContent-Length: 0\r\n"
                    "X-aliyun-ecs-metadata-token-ttl-seconds: 900\r\n\r\n",
                    answer);
    (void)snprintf(token, sizeof token, "%s", body);
    (void)snprintf(request, sizeof request,
                   "GET /latest/meta-data/region-id HTTP/1.1\r\nHost: m\r\n"
                   "X-aliyun-ecs-metadata-token: %s\r\n\r\n",
                   token);
    (void)exchange(metadata, NULL, request, answer);
    (void)snprintf(request, sizeof request,
                   "GET /latest/meta-data/ram/security-credentials/ HTTP/1.1\r\nHost: m\r\n"
                   "X-aliyun-ecs-metadata-token: %s\r\n\r\n",
                   token);
    body = exchange(metadata, NULL, request, answer);
    (void)snprintf(role, sizeof role, "%s", body);
    (void)snprintf(request, sizeof request,
                   "GET /latest/meta-data/ram/security-credentials/%s HTTP/1.1\r\nHost: m\r\n"
                   "X-aliyun-ecs-metadata-token: %s\r\n\r\n",
                   role, token);
    body = exchange(metadata, NULL, request, answer);
    field(id, sizeof id, body, "AccessKeyId");
    field(secret, sizeof secret, body, "AccessKeySecret");
    field(sts, sizeof sts, body, "SecurityToken");

    api = connect_to(atoi(argv[2]));
    context = SSL_CTX_new(TLS_client_method());
    require(SSL_CTX_load_verify_file(context, argv[3]) == 1, "CA file");
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    tls = SSL_new(context);
    require(X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), "127.0.0.1") == 1, "address");
    SSL_set_fd(tls, api);
    require(SSL_connect(tls) == 1, "TLS");

    require(RAND_bytes(random, sizeof random) == 1, "random");
    hex(nonce, random, sizeof random);
    (void)strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
    (void)snprintf(headers, sizeof headers,
                   "host:127.0.0.1:%s\nx-acs-action:GetAuthorizationToken\n"
                   "x-acs-content-sha256:%s\nx-acs-date:%s\nx-acs-security-token:%s\n"
                   "x-acs-signature-nonce:%s\nx-acs-version:2018-12-01\n",
                   argv[2], empty_hash, date, sts, nonce);
    (void)snprintf(canonical, sizeof canonical, "POST\n/\nInstanceId=%s\n%s\n%s\n%s", argv[4],
                   headers, names, empty_hash);
    require(EVP_Digest(canonical, strlen(canonical), digest, &length, EVP_sha256(), NULL), "hash");
    hex(hash, digest, 32);
    (void)snprintf(to_sign, sizeof to_sign, "ACS3-HMAC-SHA256\n%s", hash);
    (void)HMAC(EVP_sha256(), secret, (int)strlen(secret), (unsigned char *)to_sign, strlen(to_sign),
               digest, &length);
    hex(signature, digest, 32);
    (void)snprintf(request, sizeof request,
                   "POST /?InstanceId=%s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nContent-Length: 0\r\n"
                   "x-acs-action: GetAuthorizationToken\r\nx-acs-content-sha256: %s\r\n"
                   "x-acs-date: %s\r\nx-acs-security-token: %s\r\nx-acs-signature-nonce: %s\r\n"
                   "x-acs-version: 2018-12-01\r\nAuthorization: ACS3-HMAC-SHA256 "
                   "Credential=%s,SignedHeaders=%s,Signature=%s\r\n\r\n",
                   argv[4], argv[2], empty_hash, date, sts, nonce, id, names, signature);
    body = exchange(api, tls, request, answer);
    field(user, sizeof user, body, "TempUsername");
    field(password, sizeof password, body, "AuthorizationToken");
    printf("{\"username\":\"%s\",\"password\":\"%s\"}\n", user, password);
    return 0;
}
