#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

void *alloc_zeroed(size_t count, size_t size)
{
    static const char message[] = "aliyun-acr-credential-provider: out of memory\n";
    void *memory = calloc(count == 0 ? 1 : count, size == 0 ? 1 : size);

    if (memory == NULL) {
        ssize_t written = write(STDERR_FILENO, message, sizeof message - 1);

        _exit(written < 0 ? EX_SOFTWARE : EX_OSERR);
    }
    return memory;
}

char *alloc_string_of(const char *bytes, size_t length)
{
    char *copy = alloc_zeroed(length + 1, 1);

    memcpy(copy, bytes, length);
    return copy;
}

char *alloc_string(const char *text)
{
    return alloc_string_of(text, strlen(text));
}

char *alloc_string_or_null(const char *text)
{
    return text == NULL ? NULL : alloc_string(text);
}
