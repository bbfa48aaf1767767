/* A PEM bundle of CA certificates as part of an X509_STORE, without loading it: OpenSSL asks for an
 * issuer by name, and only that one is decoded, in a walk through the file. Loading costs more CPU
 * than all the rest of a run. */
#ifndef NET_BUNDLE_H
#define NET_BUNDLE_H

#include <stdbool.h>

struct x509_store_st;

/* Adds the bundle. `path` must outlive the store. */
bool bundle_add(struct x509_store_st *store, const char *path);

#endif
