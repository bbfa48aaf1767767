/* The keys of a document, gathered while it is scanned, to find one that is given twice. */
#ifndef PROTO_JSON_DOC_SCAN_KEYS_H
#define PROTO_JSON_DOC_SCAN_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct doc_scan_key {
    const char *text; /* decoded; set by doc_scan_keys_find_twice() */
    size_t text_at;   /* its place in `decoded` */
    size_t length;    /* decoded */
    size_t object;    /* number of the object it stands in */
    size_t offset;    /* in the document */
};

/* `{0}` is empty. */
struct doc_scan_keys {
    struct doc_scan_key *list; /* owned */
    size_t count;
    size_t capacity;
    struct buf decoded;
};

/* Frees and returns to `{0}`. */
void doc_scan_keys_clear(struct doc_scan_keys *keys);

/* Adds a key whose decoded text is all of `keys->decoded` from `text_at` on. */
void doc_scan_keys_add(struct doc_scan_keys *keys, size_t text_at, size_t object, size_t offset);

/* True when an object has a key twice; `offset` is where one of them stands the second time. Sorts,
 * so that a hostile document costs no more than n log n. */
bool doc_scan_keys_find_twice(struct doc_scan_keys *keys, size_t *offset);

#endif
