#include "proto-json/doc_scan_keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { FIRST_CAPACITY = 32 };

void doc_scan_keys_clear(struct doc_scan_keys *keys)
{
    free(keys->list);
    buf_clear(&keys->decoded);
    *keys = (struct doc_scan_keys){0};
}

static void reserve_one(struct doc_scan_keys *keys)
{
    size_t capacity = keys->capacity == 0 ? FIRST_CAPACITY : keys->capacity * 2;
    struct doc_scan_key *grown;

    if (keys->count < keys->capacity)
        return;
    grown = alloc_zeroed(capacity, sizeof *grown);
    if (keys->count > 0)
        memcpy(grown, keys->list, keys->count * sizeof *grown);
    free(keys->list);
    keys->list = grown;
    keys->capacity = capacity;
}

void doc_scan_keys_add(struct doc_scan_keys *keys, size_t text_at, size_t object, size_t offset)
{
    reserve_one(keys);
    keys->list[keys->count++] = (struct doc_scan_key){
        .text_at = text_at,
        .length = keys->decoded.length - text_at,
        .object = object,
        .offset = offset,
    };
}

static int compare_sizes(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

static int compare_names(const struct doc_scan_key *a, const struct doc_scan_key *b)
{
    if (a->object != b->object)
        return compare_sizes(a->object, b->object);
    if (a->length != b->length)
        return compare_sizes(a->length, b->length);
    return memcmp(a->text, b->text, a->length);
}

static int compare_keys(const void *first, const void *second)
{
    const struct doc_scan_key *a = first;
    const struct doc_scan_key *b = second;
    int by_name = compare_names(a, b);

    return by_name != 0 ? by_name : compare_sizes(a->offset, b->offset);
}

bool doc_scan_keys_find_twice(struct doc_scan_keys *keys, size_t *offset)
{
    for (size_t i = 0; i < keys->count; i++)
        keys->list[i].text = buf_text(&keys->decoded) + keys->list[i].text_at;
    if (keys->count > 1)
        qsort(keys->list, keys->count, sizeof *keys->list, compare_keys);
    for (size_t i = 1; i < keys->count; i++) {
        if (compare_names(&keys->list[i - 1], &keys->list[i]) == 0) {
            *offset = keys->list[i].offset;
            return true;
        }
    }
    return false;
}
