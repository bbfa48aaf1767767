#include "config/settings.h"

#include "base/alloc.h"
#include "config/keys.h"
#include "proto-json/doc.h"

void settings_clear(struct settings *settings)
{
    keys_clear(settings);
    *settings = (struct settings){0};
}

void settings_default(struct settings *settings)
{
    settings_clear(settings);
    settings->endpoints.metadata = alloc_string("http://100.100.100.200");
    settings->cache.is_enabled = true;
    settings->cache.directory = alloc_string("/run/aliyun-acr-credential-provider");
    settings->deadline_s = SETTINGS_DEADLINE_DEFAULT_S;
    settings->refresh_margin_s = 900;
}

bool settings_decode(struct settings *out, const void *bytes, size_t length, struct error *err)
{
    struct doc doc AUTO(doc_clear) = {0};
    struct settings fresh AUTO(settings_clear) = {0};

    if (!doc_parse(&doc, ERROR_CONFIG, bytes, length, SETTINGS_MAX_BYTES, err))
        return false;
    settings_default(&fresh);
    if (!keys_decode(&fresh, &doc.root, err))
        return false;
    settings_clear(out);
    *out = TAKE(fresh);
    return true;
}
