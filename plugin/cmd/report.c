#include "cmd/report.h"

#include "provide.h"

/* Quotes are for the reader of the line, which they would end too early. */
static void append_quoted(struct buf *out, const char *name, const char *value)
{
    if (value[0] == '\0')
        return;
    buf_append_format(out, "%s=\"", name);
    for (; *value != '\0'; value++)
        buf_append(out, *value == '"' ? "'" : value, 1);
    buf_append_text(out, "\" ");
}

void report_append(struct buf *out, const struct answer *answer, const struct error *err,
                   int status, int64_t duration_ms)
{
    const char *request_id = status == 0 ? answer->token.request_id : err->request_id;
    const char *source = answer->is_from_cache ? "cache" : "api";

    if (answer->host[0] != '\0')
        buf_append_format(out, "host=%s ", answer->host);
    append_quoted(out, "identity", answer->principal);
    buf_append_format(out, "source=%s duration_ms=%lld ", answer->has_credentials ? source : "none",
                      (long long)duration_ms);
    if (request_id[0] != '\0')
        buf_append_format(out, "request_id=%s ", request_id);
    buf_append_format(out, "status=%d", status);
}
