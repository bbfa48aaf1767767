#include "cache/record.h"

#include <string.h>

#include "proto-json/doc.h"

enum { VERSION = 1, VALUE_MAX_BYTES = 32 * 1024 };

static const int64_t time_max = INT64_MAX / 4;

void record_clear(struct record *record)
{
    for (size_t i = 0; i < RECORD_VALUES; i++)
        secret_clear(&record->values[i]);
    *record = (struct record){0};
}

bool record_encode(struct buf *out, const struct record *record, struct error *err)
{
    struct buf document AUTO(buf_clear) = {0};
    char digest[DIGEST_HEX_SIZE];

    buf_append_format(&document, "{\"version\":%d,\"key\":", VERSION);
    doc_append_string(&document, record->key);
    buf_append_text(&document, ",\"bootId\":");
    doc_append_string(&document, record->boot_id);
    buf_append_format(&document, ",\"madeAtMs\":%lld,\"lifeSeconds\":%lld,\"values\":[",
                      (long long)record->made_at_ms, (long long)record->life_s);
    for (size_t i = 0; i < RECORD_VALUES; i++) {
        buf_append_text(&document, i == 0 ? "" : ",");
        doc_append_string(&document, secret_reveal(&record->values[i]));
    }
    buf_append_text(&document, "]}\n");
    if (!digest_sha256(digest, document.bytes, document.length, err))
        return false;
    buf_append_format(out, "%s\n%s", digest, document.bytes);
    return true;
}

/* Whether the first line is the digest of all that follows. */
static bool is_whole(const char *bytes, size_t length)
{
    char digest[DIGEST_HEX_SIZE];
    struct error ignored;

    return length > sizeof digest && bytes[sizeof digest - 1] == '\n' &&
           digest_sha256(digest, bytes + sizeof digest, length - sizeof digest, &ignored) &&
           memcmp(digest, bytes, sizeof digest - 1) == 0;
}

static bool decode_values(struct record *out, const struct doc_node *root, struct error *err)
{
    struct doc_node values = doc_member(root, "values");
    size_t count = 0;

    if (!doc_array(&count, RECORD_VALUES, values, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!doc_secret(&out->values[i], VALUE_MAX_BYTES, doc_element(&values, i), err))
            return false;
    }
    return true;
}

bool record_decode(struct record *out, const void *bytes, size_t length, struct error *err)
{
    struct doc doc AUTO(doc_clear) = {0};
    struct record fresh AUTO(record_clear) = {0};
    struct doc_node root;
    int64_t version = 0;

    if (!is_whole(bytes, length))
        return error_set(err, ERROR_INTERNAL, "its digest is not that of the rest");
    if (!doc_parse(&doc, ERROR_INTERNAL, (const char *)bytes + DIGEST_HEX_SIZE,
                   length - DIGEST_HEX_SIZE, RECORD_MAX_BYTES, err))
        return false;
    root = doc.root;
    if (!doc_integer(&version, VERSION, VERSION, doc_member(&root, "version"), err) ||
        !doc_text(fresh.key, sizeof fresh.key, doc_member(&root, "key"), err) ||
        !doc_text(fresh.boot_id, sizeof fresh.boot_id, doc_member(&root, "bootId"), err) ||
        !doc_integer(&fresh.made_at_ms, 0, time_max, doc_member(&root, "madeAtMs"), err) ||
        !doc_integer(&fresh.life_s, 0, time_max / 1000, doc_member(&root, "lifeSeconds"), err) ||
        !decode_values(&fresh, &root, err))
        return false;
    record_clear(out);
    *out = TAKE(fresh);
    return true;
}
