#include "net/bundle.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>

/* Whether a DER certificate has this subject, without decoding the rest of it: Certificate,
 * TBSCertificate, then version (optional), serial number, signature, issuer and validity stand
 * before it (RFC 5280, section 4.1). */
static bool has_subject(const unsigned char *der, long length, const X509_NAME *wanted)
{
    enum { FIELDS_BEFORE_SUBJECT = 4 };
    const unsigned char *at = der;
    const unsigned char *end = der + length;
    X509_NAME *subject;
    bool is_same;
    long size = 0;
    int tag = 0;
    int class = 0;

    for (int depth = 0; depth < 2; depth++) {
        if ((ASN1_get_object(&at, &size, &tag, &class, end - at) & 0x80) != 0 ||
            tag != V_ASN1_SEQUENCE)
            return false;
        end = at + size;
    }
    for (int skipped = 0; skipped < FIELDS_BEFORE_SUBJECT; skipped++) {
        if ((ASN1_get_object(&at, &size, &tag, &class, end - at) & 0x80) != 0)
            return false;
        at += size;
        if (class == V_ASN1_CONTEXT_SPECIFIC && skipped == 0)
            skipped--;
    }
    subject = d2i_X509_NAME(NULL, &at, end - at);
    is_same = subject != NULL && X509_NAME_cmp(subject, wanted) == 0;
    X509_NAME_free(subject);
    return is_same;
}

/* Adds the certificate to the store, and names it as the one found. Called with a result that holds
 * nothing. The store keeps the one reference: OpenSSL takes its own from `found` (manual page
 * X509_LOOKUP_meth_new(3), on get_by_subject). */
static bool hand_over(X509_LOOKUP *lookup, X509 *certificate, X509_OBJECT *found)
{
    bool added = X509_STORE_add_cert(X509_LOOKUP_get_store(lookup), certificate) == 1;

    if (added && X509_OBJECT_get_type(found) == X509_LU_NONE &&
        X509_OBJECT_set1_X509(found, certificate) == 1)
        X509_free(certificate);
    X509_free(certificate);
    return added;
}

/* OpenSSL's question "who is this issuer?", answered by a walk through the bundle. All certificates
 * of that name enter the store: a renewed authority keeps its name. */
static int find_in_bundle(X509_LOOKUP *lookup, X509_LOOKUP_TYPE type, const X509_NAME *name,
                          X509_OBJECT *found)
{
    const char *path = X509_LOOKUP_get_method_data(lookup);
    FILE *bundle;
    char *label = NULL;
    char *header = NULL;
    unsigned char *der = NULL;
    long length = 0;
    int matches = 0;

    if (type != X509_LU_X509 || path == NULL || (bundle = fopen(path, "re")) == NULL)
        return 0;
    while (PEM_read(bundle, &label, &header, &der, &length) == 1) {
        if (strcmp(label, PEM_STRING_X509) == 0 && has_subject(der, length, name)) {
            const unsigned char *at = der;
            X509 *certificate = d2i_X509(NULL, &at, length);

            if (certificate != NULL && hand_over(lookup, certificate, found))
                matches++;
        }
        OPENSSL_free(label);
        OPENSSL_free(header);
        OPENSSL_free(der);
    }
    /* Reaching the end of the file leaves "no start line" behind, which is no error here. */
    ERR_clear_error();
    (void)fclose(bundle);
    return matches > 0 ? 1 : 0;
}

bool bundle_add(X509_STORE *store, const char *path)
{
    /* One method for the whole process: a store keeps a pointer to it to its end. */
    static X509_LOOKUP_METHOD *method;
    X509_LOOKUP *lookup;

    if (method == NULL) {
        method = X509_LOOKUP_meth_new("PEM bundle, read on demand");
        if (method == NULL || X509_LOOKUP_meth_set_get_by_subject(method, find_in_bundle) != 1)
            return false;
    }
    lookup = X509_STORE_add_lookup(store, method);
    /* The path lives longer than the store: a constant or a value of the environment. */
    return lookup != NULL && X509_LOOKUP_set_method_data(lookup, (void *)path) == 1;
}
