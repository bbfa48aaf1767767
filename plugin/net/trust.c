#include "net/trust.h"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/system.h"
#include "net/bundle.h"

/* Hashed directories (c_rehash names): Debian, Ubuntu, SUSE, Alpine; newer RHEL and Fedora. */
static const char *const system_directories[] = {
    "/etc/ssl/certs",
    "/etc/pki/ca-trust/extracted/pem/directory-hash",
};

/* Bundles, of which the first that exists is used: Debian, Ubuntu, Alpine, distroless; RHEL,
 * Fedora, Alibaba Cloud Linux; their newer layout; SUSE, old and new; Alpine without the
 * ca-certificates package. */
static const char *const system_bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/var/lib/ca-certificates/ca-bundle.pem",
    "/etc/ssl/cert.pem",
};

static bool add_directories(X509_STORE *store, const char *directories)
{
    X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_hash_dir());

    return lookup != NULL && X509_LOOKUP_add_dir(lookup, directories, X509_FILETYPE_PEM) == 1;
}

/* The first of these files or directories that exists, NULL if none does. */
static const char *first_readable(const char *const *paths, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (access(paths[i], R_OK) == 0)
            return paths[i];
    }
    return NULL;
}

static bool add_system(X509_STORE *store)
{
    const char *bundle = first_readable(system_bundles, COUNT_OF(system_bundles));

    for (size_t i = 0; i < COUNT_OF(system_directories); i++) {
        if (!add_directories(store, system_directories[i]))
            return false;
    }
    return bundle == NULL || bundle_add(store, bundle);
}

bool trust_install(struct ssl_ctx_st *context, const struct system *system)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    const char *file = system->variable("SSL_CERT_FILE");
    const char *directories = system->variable("SSL_CERT_DIR");

    if (file[0] == '\0' && directories[0] == '\0')
        return add_system(store);
    return (file[0] == '\0' || (access(file, R_OK) == 0 && bundle_add(store, file))) &&
           (directories[0] == '\0' || add_directories(store, directories));
}

bool trust_describe(struct buf *out, const struct system *system)
{
    const char *file = system->variable("SSL_CERT_FILE");
    const char *directories = system->variable("SSL_CERT_DIR");
    const char *found = first_readable(system_bundles, COUNT_OF(system_bundles));

    if (file[0] != '\0')
        buf_append_format(out, "SSL_CERT_FILE=%s", file);
    if (directories[0] != '\0')
        buf_append_format(out, "%sSSL_CERT_DIR=%s", file[0] == '\0' ? "" : ", ", directories);
    if (file[0] != '\0' && access(file, R_OK) != 0) {
        buf_append_text(out, ", which cannot be read");
        return false;
    }
    if (out->length > 0)
        return true;
    if (found == NULL)
        found = first_readable(system_directories, COUNT_OF(system_directories));
    buf_append_text(out, found == NULL ? "no CA certificates were found on this system" : found);
    return found != NULL;
}
