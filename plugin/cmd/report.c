#include "cmd/report.h"

#include "base/log.h"
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

void report_append(struct buf *out, const struct report *report)
{
    const struct answer *answer = report->answer;
    const char *request_id =
        report->status == 0 ? answer->token.request_id : report->err->request_id;
    const char *source = answer->is_from_cache ? "cache" : "api";

    if (answer->host[0] != '\0')
        buf_append_format(out, "host=%s ", answer->host);
    append_quoted(out, "identity", answer->principal);
    buf_append_format(out, "source=%s duration_ms=%lld ", answer->has_credentials ? source : "none",
                      (long long)report->duration_ms);
    if (request_id[0] != '\0')
        buf_append_format(out, "request_id=%s ", request_id);
    buf_append_format(out, "status=%d", report->status);
}

void report_log(const struct report *report)
{
    struct buf line AUTO(buf_clear) = {0};

    report_append(&line, report);
    log_info("%s", line.bytes);
}
