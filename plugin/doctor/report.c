#include "doctor/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/system.h"
#include "base/text.h"
#include "proto-json/doc.h"

/* Of lines that are about no image. */
static const struct {
    const char *section;
    const char *heading;
} headings[] = {{"kubelet", "Kubelet of this node"},
                {"program", "This program"},
                {"identity", "Identity"},
                {"registry", "Images"},
                {"pods", "Tokens of pods"}};

static const struct {
    const char *mark;
    const char *color; /* of ECMA-48 */
    const char *word;  /* in JSON */
} statuses[] = {
    [REPORT_OK] = {"\u2713", "\033[32m", "ok"},
    [REPORT_FAILED] = {"\u2717", "\033[31m", "failed"},
    [REPORT_WARNING] = {"!", "\033[33m", "warning"},
    [REPORT_SKIPPED] = {"\u2013", "", "skipped"},
};

void report_clear(struct report *report)
{
    buf_clear(&report->checks);
    buf_clear(&report->failures);
}

static void print(struct report *report, const struct buf *text)
{
    if (!report->is_broken)
        report->is_broken = !file_write_all(STDOUT_FILENO, text->bytes, text->length, &report->err);
}

static void append_heading(struct buf *out, struct report *report, const char *id)
{
    char heading[sizeof report->heading] = "";
    const size_t length = strcspn(id, ".");

    for (size_t i = 0; report->image == NULL && i < COUNT_OF(headings); i++) {
        if (strncmp(id, headings[i].section, length) == 0 && headings[i].section[length] == '\0')
            text_copy(heading, sizeof heading, headings[i].heading);
    }
    if (report->image != NULL)
        text_join(heading, sizeof heading, "Image ", "", report->image);
    text_make_printable(heading);
    if (strcmp(heading, report->heading) == 0)
        return;
    buf_append_format(out, "%s%s\n", report->heading[0] == '\0' ? "" : "\n", heading);
    memcpy(report->heading, heading, sizeof heading);
}

/* `policy` is a RAM policy, "" if none is missing. */
static void append_text(struct buf *out, struct report *report, enum report_status status,
                        const char *id, const char *message, const char *advice, const char *policy,
                        int64_t took_ms)
{
    const char *color = report->is_colored ? statuses[status].color : "";

    append_heading(out, report, id);
    buf_append_format(out, "  %s%s%s %s", color, statuses[status].mark,
                      color[0] == '\0' ? "" : "\033[0m", message);
    if (took_ms > 0)
        buf_append_format(out, " [%lld ms]", (long long)took_ms);
    buf_append_text(out, "\n");
    if (advice[0] != '\0')
        buf_append_format(out, "    %s\n", advice);
    if (policy[0] != '\0')
        buf_append_format(out, "    Policy: %s\n", policy);
}

static void append_json(struct buf *out, const struct report *report, enum report_status status,
                        const char *id, const char *message, const char *advice, const char *policy,
                        int64_t took_ms)
{
    buf_append_text(out, out->length == 0 ? "{" : ",{");
    doc_append_member(out, "id", id);
    doc_append_member(out, "status", statuses[status].word);
    if (report->image != NULL)
        doc_append_member(out, "image", report->image);
    doc_append_member(out, "message", message);
    if (advice[0] != '\0')
        doc_append_member(out, "advice", advice);
    if (policy[0] != '\0')
        buf_append_format(out, ",\"policy\":%s", policy);
    buf_append_format(out, ",\"durationMilliseconds\":%lld}", (long long)took_ms);
}

static void end_step(struct report *report, enum report_status status, const char *id,
                     const char *message, const char *advice, const char *policy)
{
    const int64_t now_ms = report->system->mono_ms();
    const int64_t took_ms = report->began_ms == 0 ? 0 : now_ms - report->began_ms;
    struct buf text AUTO(buf_clear) = {0};

    report->began_ms = now_ms;
    if (status == REPORT_FAILED) {
        report->failed++;
        buf_append_format(&report->failures, "  %s\n", message);
        report->wants_restart = report->wants_restart || text_starts_with(id, "kubelet.") ||
                                text_starts_with(id, "match.");
    }
    report->warned += status == REPORT_WARNING;
    if (report->is_json) {
        append_json(&report->checks, report, status, id, message, advice, policy, took_ms);
        return;
    }
    append_text(&text, report, status, id, message, advice, policy, took_ms);
    print(report, &text);
}

void report_line(struct report *report, enum report_status status, const char *id,
                 const char *advice, const char *format, ...)
{
    char message[ERROR_LINE_SIZE];
    va_list arguments;

    va_start(arguments, format);
    if (vsnprintf(message, sizeof message, format, arguments) < 0)
        message[0] = '\0';
    va_end(arguments);
    text_make_printable(message);
    end_step(report, status, id, message, advice, "");
}

void report_closed(struct report *report, const char *id, const char *path)
{
    report->closed++;
    report_line(report, REPORT_SKIPPED, id, "Run doctor as root", "%s is closed to this user",
                path);
}

static void append_policy(struct buf *out, const char *action, const char *resource)
{
    buf_append_text(out, "{\"Version\":\"1\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":");
    doc_append_string(out, action);
    buf_append_text(out, ",\"Resource\":");
    doc_append_string(out, resource);
    buf_append_text(out, "}]}");
}

void report_error(struct report *report, enum report_status status, const char *id,
                  const struct error *err)
{
    struct buf policy AUTO(buf_clear) = {0};
    char message[ERROR_LINE_SIZE];

    error_describe(err, message, sizeof message);
    if (err->missing_action[0] != '\0')
        append_policy(&policy, err->missing_action,
                      report->resource == NULL ? "*" : report->resource);
    end_step(report, status, id, message, error_advice(err), buf_text(&policy));
}

bool report_finish(struct report *report, struct error *err)
{
    struct buf text AUTO(buf_clear) = {0};

    if (report->is_json)
        buf_append_format(&text,
                          "{\"version\":\"" PROVIDER_VERSION "\",\"healthy\":%s,\"checks\":[%s]}\n",
                          report->failed == 0 ? "true" : "false", buf_text(&report->checks));
    else if (report->failed == 0)
        buf_append_format(&text, "\nHealthy%s%s\n",
                          report->closed == 0 ? "" : " as far as this user can see",
                          report->warned == 0 ? "" : ", but see the lines marked with !");
    else
        buf_append_format(&text, "\n%zu step%s failed:\n%s%s", report->failed,
                          report->failed == 1 ? "" : "s", buf_text(&report->failures),
                          report->wants_restart ? "Then restart the kubelet\n" : "");
    print(report, &text);
    if (report->is_broken)
        *err = report->err;
    return !report->is_broken;
}
