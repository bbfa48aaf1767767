#include "doctor/node.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cloud/explain.h"
#include "doctor/node_configuration.h"
#include "doctor/node_files.h"
#include "doctor/node_process.h"
#include "doctor/node_program.h"
#include "doctor/report.h"
#include "identity/explain.h"

#define TOKENS_GATE "KubeletServiceAccountTokenForCredentialProviders"

void node_clear(struct node *node)
{
    for (size_t i = 0; i < node->file_count; i++) {
        free(node->files[i].path);
        provider_config_clear(&node->files[i].config);
    }
    free(node->files);
    node_kubelet_clear(&node->kubelet);
    *node = (struct node){.root = node->root};
}

/* False, with errno set, if there is no such file. */

/* -- tokens of pods -- */

static bool lists(const struct yaml_node *keys, const char *key)
{
    for (size_t i = 0; keys != NULL && keys->kind == YAML_SEQUENCE && i < keys->count; i++) {
        if (keys->children[i].kind == YAML_SCALAR && strcmp(keys->children[i].text, key) == 0)
            return true;
    }
    return false;
}

/* Whether the gate that a kubelet was started with is off; it is on by default since 1.34. The last
 * of its values counts (Go's ParseBool), else that of all beta gates. */
static bool is_gate_off(const char *gates, bool *is_named)
{
    bool is_off = false;

    *is_named = false;
    for (const char *gate = gates; *gate != '\0'; gate += strcspn(gate, ",") + 1) {
        const char *value = strchr(gate, '=');
        const bool is_own = text_starts_with(gate, TOKENS_GATE "=");

        if (value == NULL || (!is_own && (*is_named || !text_starts_with(gate, "AllBeta="))))
            continue;
        *is_named = *is_named || is_own;
        is_off = strchr("0fF", value[1]) != NULL;
    }
    return is_off;
}

static void check_gate(const struct node *node, struct report *report)
{
    bool is_named;
    const bool is_off = is_gate_off(buf_text(&node->kubelet.feature_gates), &is_named);

    if (is_off)
        report_line(report, REPORT_FAILED, "kubelet.tokens", "Remove it from --feature-gates",
                    "the feature gate " TOKENS_GATE " is off, without which the kubelet refuses "
                    "tokenAttributes");
    else if (node->minor == PROVIDER_CONFIG_TOKENS_MINOR && !is_named)
        report_line(report, REPORT_WARNING, "kubelet.tokens",
                    "Set it to true in --feature-gates or KubeletConfiguration",
                    "Kubernetes 1.33 refuses tokenAttributes unless the feature gate " TOKENS_GATE
                    " is on");
}

static void check_attributes(const struct node *node, struct report *report)
{
    static const char *const read_keys[] = {EXPLAIN_ARN_ANNOTATION,
                                            "pod-identity.alibabacloud.com/role-name",
                                            "pod-identity.alibabacloud.com/role-arn"};
    const struct yaml_node *tokens = node->own->tokens;
    const struct yaml_node *audience = yaml_tree_member(tokens, "serviceAccountTokenAudience");

    check_gate(node, report);
    if (audience != NULL && audience->kind == YAML_SCALAR && audience->text[0] != '\0' &&
        strcmp(audience->text, EXPLAIN_AUDIENCE) != 0)
        report_line(report, REPORT_WARNING, "kubelet.tokens",
                    "Write " EXPLAIN_AUDIENCE
                    ", unless the OIDC provider in RAM has this client id",
                    "serviceAccountTokenAudience is %.80s", audience->text);
    for (size_t i = 0; i < COUNT_OF(read_keys); i++) {
        if (!lists(yaml_tree_member(tokens, "optionalServiceAccountAnnotationKeys"),
                   read_keys[i]) &&
            !lists(yaml_tree_member(tokens, "requiredServiceAccountAnnotationKeys"), read_keys[i]))
            report_line(report, REPORT_WARNING, "kubelet.tokens",
                        "Add it to optionalServiceAccountAnnotationKeys",
                        "the kubelet does not send the annotation %s: pods that have it alone are "
                        "served as the node",
                        read_keys[i]);
    }
}

/* Older kubelets ignore the field. */
static bool has_tokens(const struct node *node)
{
    return node->own != NULL && node->own->tokens != NULL &&
           (node->minor == 0 || node->minor >= PROVIDER_CONFIG_TOKENS_MINOR);
}

void node_check_tokens(const struct node *node, struct report *report)
{
    char name[256] = "";
    struct node_files_quoted quoted;
    struct node_files_quoted quoted_name;
    const struct yaml_node *audience;

    if (!has_tokens(node))
        return;
    audience = yaml_tree_member(node->own->tokens, "serviceAccountTokenAudience");
    if (node->kubelet.node_name != NULL)
        text_copy(name, sizeof name, node->kubelet.node_name);
    else if (gethostname(name, sizeof name - 1) != 0)
        text_copy(name, sizeof name, "NODE");
    text_lower(name);
    report_line(
        report, REPORT_SKIPPED, "pods.rbac",
        ADVICE("Run where kubectl is: kubectl auth can-i request-serviceaccounts-token-audience %s "
               "--as=system:node:%s --as-group=system:nodes (its warning about the resource type "
               "does not matter). If it says no: kubectl apply -f token-audience.yaml",
               node_files_quote(&quoted, audience == NULL || audience->kind != YAML_SCALAR
                                             ? EXPLAIN_AUDIENCE
                                             : audience->text),
               node_files_quote(&quoted_name, name)),
        "a node cannot see whether RBAC lets it request these tokens; if not, the kubelet logs "
        "\"Error getting service account token\", since 1.35 \"failed to get service account "
        "token\", and runs no provider");
}

/* -- all of it -- */

void node_check(struct node *node, struct report *report, int minor)
{
    struct error_advice advice;
    struct stat status;
    const char *bin_dir;

    node->minor = minor;
    node_kubelet_find(&node->kubelet, node->root);
    node_process_check(node, report);
    if (!node_process_check_flags(node, report))
        return;
    node_configuration_read(node, report);
    bin_dir = node->kubelet.bin_dir.value;
    if (bin_dir != NULL && node_files_status(&status, node, bin_dir) &&
        !node_files_is_trusted(&status))
        node_files_report_writable(report, bin_dir);
    for (size_t i = 0; i < node->file_count; i++) {
        for (size_t j = 0; j < node->files[i].config.count; j++) {
            const struct provider_config_entry *entry = &node->files[i].config.entries[j];

            if (node_program_check(node, report, entry) && node->own == NULL) {
                node->own = entry;
                node->own_is_trusted = node->files[i].is_trusted;
            }
        }
    }
    if (has_tokens(node))
        check_attributes(node, report);
    if (node->own == NULL && node->file_count > 0 && !node->is_incomplete)
        report_line(report, REPORT_FAILED, "kubelet.provider", node_files_advise(node, &advice),
                    "none of the providers is this program");
}

static void explain_pattern(const struct node *node, struct report *report, const char *image)
{
    const int almost = provider_config_almost_matches(node->own, image);

    if (almost < 0 || node->own->matches == NULL)
        report_line(report, REPORT_FAILED, "match.entry",
                    ADVICE("Add \"%.*s\" to the matchImages of %s, and restart the kubelet",
                           (int)strcspn(image, "/"), image, node->own->name),
                    "no pattern of matchImages matches: the kubelet does not run this program");
    else
        report_line(
            report, REPORT_FAILED, "match.entry",
            ADVICE("Correct it, or add \"%.*s\": a * stands for a part of one label, a path is "
                   "a literal prefix, a port must be the image's, and letters are in lower "
                   "case",
                   (int)strcspn(image, "/"), image),
            "no pattern of matchImages matches; matchImages[%d], \"%.120s\", was probably meant to",
            almost, node->own->matches->children[almost].text);
}

static void explain_no_match(const struct node *node, struct report *report, const char *image)
{
    const struct yaml_node *matches = node->own->matches;
    bool has_path = false;

    for (size_t i = 0; matches != NULL && i < matches->count; i++)
        has_path = has_path || (matches->children[i].kind == YAML_SCALAR &&
                                strchr(matches->children[i].text, '/') != NULL);
    if (has_path && strchr(image, '/') == NULL)
        report_line(report, REPORT_SKIPPED, "match.entry", "Name an image",
                    "some patterns of matchImages have paths: whether one matches depends on the "
                    "image");
    else
        explain_pattern(node, report, image);
}

void node_check_image(const struct node *node, struct report *report, const char *image)
{
    struct buf names AUTO(buf_clear) = {0};
    size_t count = 0;
    bool is_ours = false;

    if (node->own == NULL)
        return;
    for (size_t i = 0; i < node->file_count; i++) {
        for (size_t j = 0; j < node->files[i].config.count; j++) {
            const struct provider_config_entry *entry = &node->files[i].config.entries[j];

            if (!provider_config_matches(entry, image))
                continue;
            is_ours = is_ours || entry == node->own;
            buf_append_format(&names, "%s%s", count++ == 0 ? "" : ", ", entry->name);
        }
    }
    if (!is_ours)
        explain_no_match(node, report, image);
    else if (count == 1)
        report_ok(report, "match.entry", "the entry %s of the kubelet matches", node->own->name);
    else
        report_ok(report, "match.entry",
                  "the entries %s of the kubelet match; it tries their passwords in this order",
                  buf_text(&names));
}
