/* Fuzzes cache entries. The digest would reject every changed byte, so it is computed anew for the
 * fuzzed document; a record that was read must be the same when it is written and read again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cache/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_again(const struct record *record)
{
    struct record again AUTO(record_clear) = {0};
    struct buf file AUTO(buf_clear) = {0};
    struct error err = {0};

    if (!record_encode(&file, record, &err) ||
        !record_decode(&again, file.bytes, file.length, &err))
        abort();
    if (strcmp(again.key, record->key) != 0 || again.life_s != record->life_s)
        abort();
    for (size_t i = 0; i < RECORD_VALUES; i++) {
        if (strcmp(secret_reveal(&again.values[i]), secret_reveal(&record->values[i])) != 0)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct record record AUTO(record_clear) = {0};
    struct buf file AUTO(buf_clear) = {0};
    struct error err = {0};
    char digest[DIGEST_HEX_SIZE];

    if (record_decode(&record, bytes, length, &err))
        check_again(&record);
    if (!digest_sha256(digest, bytes, length, &err))
        abort();
    buf_append_format(&file, "%s\n", digest);
    buf_append(&file, bytes, length);
    if (record_decode(&record, file.bytes, file.length, &err))
        check_again(&record);
    return 0;
}
