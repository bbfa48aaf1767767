#include "cmd/get.h"

#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/text.h"
#include "cmd/kubelet.h"
#include "cmd/options.h"
#include "proto-json/docker_login.h"
#include "proto-json/kubelet_request.h"
#include "provide.h"

/* A variable in single quotes, in which only the quote itself has a meaning to a shell. */
static void append_variable(struct buf *out, const char *name, const char *value)
{
    buf_append_format(out, "%s='", name);
    for (; *value != '\0'; value++) {
        if (*value == '\'')
            buf_append_text(out, "'\\''");
        else
            buf_append(out, value, 1);
    }
    buf_append_text(out, "'\n");
}

static bool print(const struct answer *answer, enum get_output output, struct error *err)
{
    struct buf text AUTO(buf_clear) = {0};
    const char *password = secret_reveal(&answer->token.password);

    switch (output) {
    case GET_KUBELET:
        return kubelet_print("credentialprovider.kubelet.k8s.io/v1", answer, err);
    case GET_DOCKER:
        docker_login_append_auths(&text, answer->has_credentials ? answer->key : NULL,
                                  &answer->token);
        break;
    case GET_ENV:
        append_variable(&text, "ACR_REGISTRY", answer->host);
        append_variable(&text, "ACR_USERNAME", answer->token.user);
        append_variable(&text, "ACR_PASSWORD", password);
        break;
    case GET_PASSWORD:
        buf_append_format(&text, "%s\n", password);
        break;
    }
    return file_write_all(STDOUT_FILENO, text.bytes, text.length, err);
}

bool get_run(struct answer *out, const struct run *run, const struct options *options,
             struct error *err)
{
    struct kubelet_request request AUTO(kubelet_request_clear) = {0};
    bool needs_credentials = options->output == GET_ENV || options->output == GET_PASSWORD;

    if (!text_copy(request.image, sizeof request.image, options->image))
        return error_set_advised(
            err, ERROR_REQUEST,
            ADVICE("An image is HOST[:PORT]/PATH, of less than %zu bytes", sizeof request.image),
            "the image is too long");
    if (!provide(out, run, &request, err))
        return error_wrap(err, "image %.200s", request.image);
    if (needs_credentials && !out->has_credentials)
        return error_set_advised(err, ERROR_REQUEST, "Leave the log-in out",
                                 "%.200s is pulled without a password", request.image);
    return print(out, options->output, err);
}
