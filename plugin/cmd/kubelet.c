#include "cmd/kubelet.h"

#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "cmd/options.h"
#include "proto-json/kubelet_request.h"
#include "proto-json/login.h"
#include "provide.h"

static bool print_response(const char *api_version, const struct answer *answer, struct error *err)
{
    struct buf document AUTO(buf_clear) = {0};
    const struct login_response response = {
        .api_version = api_version,
        .auth_key = answer->has_credentials ? answer->key : NULL,
        .token = &answer->token,
        .cache_key_type = answer->depends_on_path ? "Image" : "Registry",
        .cache_duration_s = answer->cache_s,
    };

    login_append_response(&document, &response);
    return file_write_all(STDOUT_FILENO, document.bytes, document.length, err);
}

bool kubelet_run(struct answer *out, const struct run *run, const struct options *options,
                 struct error *err)
{
    struct buf input AUTO(buf_clear) = {0};
    struct kubelet_request request AUTO(kubelet_request_clear) = {0};

    (void)options;
    if (!file_read_stream(&input, STDIN_FILENO, KUBELET_REQUEST_MAX_BYTES, run->http.deadline_ms,
                          err) ||
        !kubelet_request_decode(&request, input.bytes, input.length, err))
        return error_wrap(err, "request on stdin");
    if (!provide(out, run, &request, err))
        return error_wrap(err, "image %.200s", request.image);
    return print_response(request.api_version, out, err);
}

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

static bool print_for_script(const struct answer *answer, enum get_output output, struct error *err)
{
    struct buf text AUTO(buf_clear) = {0};
    const char *password = secret_reveal(&answer->token.password);

    switch (output) {
    case GET_KUBELET:
        return print_response("credentialprovider.kubelet.k8s.io/v1", answer, err);
    case GET_DOCKER:
        login_append_auths(&text, answer->has_credentials ? answer->key : NULL, &answer->token);
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

bool kubelet_get(struct answer *out, const struct run *run, const struct options *options,
                 struct error *err)
{
    struct kubelet_request request AUTO(kubelet_request_clear) = {0};
    bool needs_credentials = options->output == GET_ENV || options->output == GET_PASSWORD;

    if (!text_copy(request.image, sizeof request.image, options->words.values[0]))
        return error_set_advised(
            err, ERROR_REQUEST,
            ADVICE("An image is HOST[:PORT]/PATH, of less than %zu bytes", sizeof request.image),
            "the image is too long");
    if (!provide(out, run, &request, err))
        return error_wrap(err, "image %.200s", request.image);
    if (needs_credentials && !out->has_credentials)
        return error_set_advised(err, ERROR_REQUEST, "No login is needed",
                                 "images of %s are public", out->host);
    return print_for_script(out, options->output, err);
}
