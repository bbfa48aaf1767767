/* Fuzzes the grammar of image references, the registry's challenge and the comparison of patterns.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "registry/challenge.h"
#include "registry/host.h"
#include "registry/match.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_image(const char *text)
{
    struct host host;
    struct error err = {0};

    if (!host_parse(&host, text, &err))
        return;
    if ((host.kind == HOST_ENTERPRISE || host.kind == HOST_PERSONAL) != text_is_region(host.region))
        abort();
    /* A host fits itself as a pattern. */
    if (strchr(host.as_asked, '.') != NULL && host.port[0] == '\0' &&
        !match_host(host.name, host.name))
        abort();
}

static void check_challenge(const char *text)
{
    struct challenge challenge;

    if (challenge_parse(&challenge, text) && !text_is_region(challenge.region))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char *text = alloc_string_of((const char *)bytes, length);

    check_image(text);
    check_challenge(text);
    free(text);
    return 0;
}
