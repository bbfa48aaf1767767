/* kubelet/provider_edit, kubelet/provider_entry: files of kubelets before and after. */
#include <string.h>

#include "kubelet/provider_edit.h"
#include "test.h"

#define V1   "credentialprovider.kubelet.k8s.io/v1"
#define HEAD "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\n"
#define ECR_REST                                                                                   \
    "  apiVersion: " V1 "\n"                                                                       \
    "  matchImages: [\"*.dkr.ecr.*.amazonaws.com\"] # ECR\n"                                       \
    "  defaultCacheDuration: 12h\n"
#define ECR       "- name: ecr-credential-provider\n" ECR_REST
#define OURS_NAME "- name: aliyun-acr-credential-provider\n"
#define OURS_HEAD OURS_NAME "  apiVersion: " V1 "\n  defaultCacheDuration: 0s\n"
#define MATCHES                                                                                    \
    "  matchImages:\n"                                                                             \
    "  - \"a.b\"\n"                                                                                \
    "  - \"c.d:5000\"\n"
#define TOKENS                                                                                     \
    "  tokenAttributes:\n"                                                                         \
    "    serviceAccountTokenAudience: sts.aliyuncs.com\n"                                          \
    "    cacheType: ServiceAccount\n"                                                              \
    "    requireServiceAccount: false\n"                                                           \
    "    optionalServiceAccountAnnotationKeys:\n"                                                  \
    "    - acr.aliyun.com/role-arn\n"                                                              \
    "    - pod-identity.alibabacloud.com/role-name\n"                                              \
    "    - pod-identity.alibabacloud.com/role-arn\n"
#define TOKENS_IN_LINE                                                                             \
    "{\"serviceAccountTokenAudience\": \"sts.aliyuncs.com\", \"cacheType\": \"ServiceAccount\", "  \
    "\"requireServiceAccount\": false, \"optionalServiceAccountAnnotationKeys\": "                 \
    "[\"acr.aliyun.com/role-arn\", \"pod-identity.alibabacloud.com/role-name\", "                  \
    "\"pod-identity.alibabacloud.com/role-arn\"]}"

static const char *const two_matches[] = {"a.b", "c.d:5000"};

static bool install(struct buf *out, const char *text, bool has_matches, bool is_for_pods,
                    struct error *err)
{
    const struct provider_entry entry = {.version = "v1",
                                         .matches = two_matches,
                                         .match_count = has_matches ? 2 : 0,
                                         .is_for_pods = is_for_pods,
                                         .has_cache_type = true};
    struct buf before AUTO(buf_clear) = {0};

    buf_append_text(&before, text);
    return provider_edit_install(out, &before, &entry, 0, err);
}

static void expect(const struct buf *changed, const char *before, const char *after)
{
    if (strcmp(buf_text(changed), after) != 0)
        fail_msg("of\n%s\nhas become\n%s\nand not\n%s", before, buf_text(changed), after);
}

static void prints_configurations(void **state)
{
    const struct provider_entry entry = {
        .version = "v1", .matches = two_matches, .match_count = 2, .is_for_pods = true};
    const struct provider_entry old = {.version = "v1beta1"};
    struct provider_config config AUTO(provider_config_clear) = {0};
    struct buf text AUTO(buf_clear) = {0};
    struct error err;

    (void)state;
    provider_entry_append(&text, &entry);
    assert_non_null(strstr(text.bytes, HEAD "providers:\n" OURS_HEAD "  tokenAttributes:\n"));
    assert_non_null(strstr(text.bytes, "role-arn\n" MATCHES));
    assert_null(strstr(text.bytes, "cacheType"));
    assert_true(provider_entry_read(&config, &old, &err));
    assert_string_equal(config.api_version, "kubelet.config.k8s.io/v1beta1");
    assert_string_equal(config.entries[0].api_version, "credentialprovider.kubelet.k8s.io/v1beta1");
    assert_int_equal(config.entries[0].matches->count, 8);
    assert_int_equal(config.problem_count, 0);
}

/* What has to be the same after a second time, and gone after the removal. */
static void adds_the_entry(void **state)
{
    static const struct {
        const char *before;
        const char *after;
        bool is_for_pods;
    } rows[] = {
        {HEAD "providers:\n" ECR, HEAD "providers:\n" ECR OURS_HEAD MATCHES, false},
        {HEAD "providers:\n" ECR, HEAD "providers:\n" ECR OURS_HEAD TOKENS MATCHES, true},
        {"# top\n\n---\nproviders:\n" ECR "  # of ECR\n\n# below\n" HEAD,
         "# top\n\n---\nproviders:\n" ECR "  # of ECR\n" OURS_HEAD MATCHES "\n# below\n" HEAD,
         false},
        {"apiVersion: kubelet.config.k8s.io/v1alpha1\nkind: "
         "CredentialProviderConfig\nproviders:\n" ECR,
         "apiVersion: kubelet.config.k8s.io/v1alpha1\nkind: "
         "CredentialProviderConfig\nproviders:\n" ECR OURS_NAME "  apiVersion: " V1
         "alpha1\n  defaultCacheDuration: 0s\n" MATCHES,
         false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf once AUTO(buf_clear) = {0};
        struct buf twice AUTO(buf_clear) = {0};
        struct buf removed AUTO(buf_clear) = {0};
        bool is_only = true;
        bool has_entry = false;
        bool has_providers = false;
        struct error err = {0};

        if (!install(&once, rows[i].before, true, rows[i].is_for_pods, &err))
            fail_msg("%s", err.cause);
        expect(&once, rows[i].before, rows[i].after);
        assert_true(install(&twice, once.bytes, true, rows[i].is_for_pods, &err));
        expect(&twice, once.bytes, once.bytes);
        assert_true(provider_edit_find(&has_entry, &has_providers, &once, &err));
        assert_true(has_entry && has_providers);
        assert_true(provider_edit_remove(&removed, &is_only, &once, &err));
        assert_false(is_only);
        expect(&removed, once.bytes, rows[i].before);
        assert_true(provider_edit_find(&has_entry, &has_providers, &removed, &err));
        assert_false(has_entry);
    }
}

static void fills_an_empty_list(void **state)
{
    static const char *const befores[] = {
        HEAD "providers: []\n",
        "{\"apiVersion\":\"kubelet.config.k8s.io/v1\",\"kind\":\"CredentialProviderConfig\","
        "\"providers\":[]}"};
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(befores); i++) {
        struct buf changed AUTO(buf_clear) = {0};
        struct buf removed AUTO(buf_clear) = {0};
        bool is_only = false;

        assert_true(install(&changed, befores[i], true, false, &err));
        assert_non_null(strstr(
            changed.bytes,
            "[{\"name\": \"aliyun-acr-credential-provider\", \"apiVersion\": \"" V1
            "\", \"defaultCacheDuration\": \"0s\", \"matchImages\": [\"a.b\", \"c.d:5000\"]}]"));
        assert_true(provider_edit_remove(&removed, &is_only, &changed, &err));
        assert_true(is_only);
        assert_int_equal(removed.length, 0);
    }
}

/* An entry that is there keeps what it says. */
static void changes_what_is_asked_for(void **state)
{
    static const char own[] =
        HEAD "providers:\n" OURS_NAME "  env: # mine\n  - {name: A, value: b}\n"
             "  matchImages: # these\n    - 'x.y' # x\n    - z.y # z\n"
             "    # - more\n"
             "  args: [--no-cache]\n"
             "  defaultCacheDuration: 1m\n"
             "  apiVersion: " V1 "\n" ECR;
    static const struct {
        const char *before;
        const char *after;
        bool has_matches;
        bool is_for_pods;
    } rows[] = {
        {own, own, false, false},
        {own,
         HEAD "providers:\n" OURS_NAME "  env: # mine\n  - {name: A, value: b}\n"
              "  matchImages: # these\n    - \"a.b\"\n    - \"c.d:5000\" # z\n    # - more\n"
              "  args: [--no-cache]\n  defaultCacheDuration: 1m\n  apiVersion: " V1 "\n" ECR,
         true, false},
        {own,
         HEAD "providers:\n" OURS_NAME "  env: # mine\n  - {name: A, value: b}\n"
              "  matchImages: # these\n    - 'x.y' # x\n    - z.y # z\n    # - more\n"
              "  args: [--no-cache]\n  defaultCacheDuration: 1m\n  apiVersion: " V1 "\n" TOKENS ECR,
         false, true},
        {HEAD "providers:\n" OURS_HEAD "  tokenAttributes:\n  matchImages: [x.y]\n",
         HEAD "providers:\n" OURS_HEAD "  tokenAttributes: " TOKENS_IN_LINE
              "\n  matchImages: [\"a.b\", \"c.d:5000\"]\n",
         true, true},
        {HEAD "providers:\n" OURS_HEAD "  matchImages: [c.d, e.f]\n  tokenAttributes:\n"
              "    serviceAccountTokenAudience: x\n    requireServiceAccount: yes\n"
              "    cacheType: Token # c\n",
         HEAD "providers:\n" OURS_HEAD "  matchImages: [c.d, e.f]\n  tokenAttributes:\n"
              "    serviceAccountTokenAudience: sts.aliyuncs.com\n    cacheType: ServiceAccount\n"
              "    requireServiceAccount: false\n    optionalServiceAccountAnnotationKeys:\n"
              "    - acr.aliyun.com/role-arn\n    - pod-identity.alibabacloud.com/role-name\n"
              "    - pod-identity.alibabacloud.com/role-arn # c\n",
         false, true},
        {HEAD "providers: [{name: aliyun-acr-credential-provider, apiVersion: " V1
              ", defaultCacheDuration: 0s, matchImages: [a.b]}]\n",
         HEAD "providers: [{name: aliyun-acr-credential-provider, apiVersion: " V1
              ", defaultCacheDuration: 0s, matchImages: [\"a.b\", \"c.d:5000\"], "
              "\"tokenAttributes\": " TOKENS_IN_LINE "}]\n",
         true, true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf once AUTO(buf_clear) = {0};
        struct buf twice AUTO(buf_clear) = {0};
        struct error err = {0};

        if (!install(&once, rows[i].before, rows[i].has_matches, rows[i].is_for_pods, &err))
            fail_msg("%zu: %s", i, err.cause);
        expect(&once, rows[i].before, rows[i].after);
        assert_true(install(&twice, once.bytes, rows[i].has_matches, rows[i].is_for_pods, &err));
        expect(&twice, once.bytes, once.bytes);
    }
}

static void refuses_to_install(void **state)
{
    static const struct {
        const char *before;
        const char *cause;
        const char *advice;
    } rows[] = {
        {"", "the file is empty", "The command config prints"},
        {HEAD, "there is no list \"providers\"", "Add the line: providers: []"},
        {HEAD "providers:\n", "there is no list \"providers\"", ""},
        {"kind: CredentialProviderConfig\nproviders: []\n", "apiVersion is missing", "Add it"},
        {HEAD "providers: [x", "did not find expected", ""},
        {HEAD "providers:\n" ECR ECR, "is given to two providers", "Keep one of them"},
        {HEAD "providers:\n" ECR "  x: y\n", "line 8: providers[0].x is not a known field",
         "Remove"},
        {HEAD "providers:\n- &x\n  name: ecr\n" ECR_REST, "an anchor", "by hand; this prints"},
        {HEAD "providers:\n" ECR "  env: [{}]\n  args:\n  - |\n   x",
         "the last line, which belongs to", "Add a line break"},
        {HEAD "providers:\n" ECR "---\n" HEAD, "several documents", "by hand; this prints"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf changed AUTO(buf_clear) = {0};
        struct error err = {0};

        assert_false(install(&changed, rows[i].before, true, false, &err));
        assert_int_equal(err.kind, ERROR_CONFIG);
        assert_int_equal(changed.length, 0);
        if (strstr(err.cause, rows[i].cause) == NULL || strstr(err.advice, rows[i].advice) == NULL)
            fail_msg("%zu: %s. %s", i, err.cause, err.advice);
    }
}

/* What is written must be read again. */
static void refuses_one_more_than_is_read(void **state)
{
    struct buf before AUTO(buf_clear) = {0};
    struct buf changed AUTO(buf_clear) = {0};
    struct error err = {0};

    (void)state;
    buf_append_text(&before, HEAD "providers:\n");
    for (int i = 0; i < 256; i++)
        buf_append_format(&before, "- name: p%d\n" ECR_REST, i);
    assert_false(install(&changed, before.bytes, false, false, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_non_null(strstr(err.cause, "it has 256 providers"));
}

static void refuses_by_version(void **state)
{
    static const char beta[] =
        "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: CredentialProviderConfig\nproviders:\n";
    const struct provider_entry entry = {.version = "v1"};
    struct buf text AUTO(buf_clear) = {0};
    struct buf changed AUTO(buf_clear) = {0};
    struct error err = {0};

    (void)state;
    buf_append_text(&text, HEAD "providers:\n" ECR);
    assert_false(provider_edit_install(&changed, &text, &entry, 25, &err));
    assert_non_null(
        strstr(err.cause, "apiVersion is kubelet.config.k8s.io/v1, which this kubelet"));
    /* A service account's token needs both versions to be v1. */
    buf_clear(&text);
    buf_append_format(&text, "%s%s", beta, ECR);
    assert_false(install(&changed, text.bytes, true, true, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_string_equal(err.advice, "Write v1 in both apiVersions");
    assert_false(install(&changed,
                         HEAD "providers:\n" OURS_NAME "  apiVersion: " V1
                              "beta1\n  defaultCacheDuration: 0s\n" MATCHES,
                         true, true, &err));
    assert_string_equal(err.advice, "Write v1 in both apiVersions");
    assert_int_equal(changed.length, 0);
}

static void removes_the_entry(void **state)
{
    static const char *const rows[][2] = {
        {HEAD "providers:\n# ours\n" OURS_HEAD MATCHES "  # more\n# theirs\n" ECR,
         HEAD "providers:\n# ours\n# theirs\n" ECR},
        {"{\"providers\":[{\"name\":\"aliyun-acr-credential-provider\"},{\"name\":\"x\"}]}",
         "{\"providers\":[{\"name\":\"x\"}]}"},
        /* A kubelet would not start with these either. */
        {HEAD "providers:\n" OURS_NAME "- name: x\n", HEAD "providers:\n- name: x\n"},
        {HEAD "providers:\n" OURS_NAME OURS_NAME "- name: x\n",
         HEAD "providers:\n" OURS_NAME "- name: x\n"},
    };
    static const char shared[] =
        "? providers\n: - name: aliyun-acr-credential-provider\n  - name: x\n";
    struct buf text AUTO(buf_clear) = {0};
    struct buf changed AUTO(buf_clear) = {0};
    struct error err = {0};
    bool is_only;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf before AUTO(buf_clear) = {0};
        struct buf after AUTO(buf_clear) = {0};

        buf_append_text(&before, rows[i][0]);
        assert_true(provider_edit_remove(&after, &is_only, &before, &err));
        assert_false(is_only);
        expect(&after, rows[i][0], rows[i][1]);
    }
    buf_append_text(&text, shared);
    assert_false(provider_edit_remove(&changed, &is_only, &text, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_string_equal(err.cause, "line 2: the entry shares a line with something else");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_configurations), cmocka_unit_test(adds_the_entry),
        cmocka_unit_test(fills_an_empty_list),   cmocka_unit_test(changes_what_is_asked_for),
        cmocka_unit_test(refuses_to_install),    cmocka_unit_test(refuses_by_version),
        cmocka_unit_test(removes_the_entry),     cmocka_unit_test(refuses_one_more_than_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
