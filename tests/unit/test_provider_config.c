/* kubelet/provider_config: the rules of kubelets. Each row was tried with the kubelet's own code.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "kubelet/provider_config.h"
#include "test.h"

#define PROVIDER_REST                                                                              \
    "  apiVersion: credentialprovider.kubelet.k8s.io/v1\n"                                         \
    "  matchImages: [a.b]\n"                                                                       \
    "  defaultCacheDuration: 0s\n"
#define PROVIDER  "- name: acp\n" PROVIDER_REST
#define TOP       "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\n"
#define HEAD      TOP "providers:\n"
#define AUDIENCE  "    serviceAccountTokenAudience: x\n"
#define REQUIRES  "    requireServiceAccount: false\n"
#define CACHED    "    cacheType: ServiceAccount\n"
#define TOKENS    "  tokenAttributes:\n"
#define KEYS(key) "    optionalServiceAccountAnnotationKeys: [" key "]\n"

static bool read(struct provider_config *out, const char *text, int minor, struct error *err)
{
    bool is_unsupported;

    return provider_config_read(out, &is_unsupported, text, strlen(text), minor, err);
}

/* A text, and the first problem with which a kubelet does not start; NULL if it does. */
struct row {
    const char *text;
    const char *problem;
};

static void check(const struct row *rows, size_t count, int minor)
{
    for (size_t i = 0; i < count; i++) {
        struct provider_config config AUTO(provider_config_clear) = {0};
        const struct provider_config_problem *fatal;
        struct error err;

        if (!read(&config, rows[i].text, minor, &err))
            fail_msg("%s: %s", rows[i].text, err.cause);
        fatal = provider_config_fatal(&config);
        if ((fatal == NULL) != (rows[i].problem == NULL) ||
            (fatal != NULL && strstr(fatal->err.cause, rows[i].problem) == NULL))
            fail_msg("1.%d, %s\n%s", minor, rows[i].text, fatal == NULL ? "" : fatal->err.cause);
        if (fatal != NULL) {
            assert_int_equal(fatal->err.kind, ERROR_CONFIG);
            assert_true(fatal->err.advice[0] != '\0');
        }
    }
}

static void reads_what_a_provider_says(void **state)
{
    static const char text[] =
        HEAD "- name: acp\n"
             "  apiVersion: credentialprovider.kubelet.k8s.io/v1\n"
             "  matchImages: [a.b, \"*.c.d:5000/team/\"]\n"
             "  defaultCacheDuration: 10m\n"
             "  args: [--x]\n"
             "  env: [{name: A, value: B}]\n"
             "  tokenAttributes:\n" AUDIENCE REQUIRES CACHED "- name: other\n" PROVIDER_REST;
    struct provider_config config AUTO(provider_config_clear) = {0};
    const struct provider_config_entry *entry;
    struct error err;

    (void)state;
    assert_true(read(&config, text, 0, &err));
    assert_null(provider_config_fatal(&config));
    assert_int_equal(config.problem_count, 0);
    assert_int_equal(config.count, 2);
    assert_string_equal(config.api_version, "kubelet.config.k8s.io/v1");
    entry = provider_config_find(&config, "acp");
    assert_string_equal(entry->api_version, "credentialprovider.kubelet.k8s.io/v1");
    assert_string_equal(entry->cache_duration->text, "10m");
    assert_string_equal(entry->args->children[0].text, "--x");
    assert_string_equal(yaml_tree_member(&entry->env->children[0], "name")->text, "A");
    assert_string_equal(yaml_tree_member(entry->tokens, "cacheType")->text, "ServiceAccount");
    assert_true(provider_config_matches(entry, "a.b/team/app"));
    assert_true(provider_config_matches(entry, "x.c.d:5000/team/app"));
    assert_false(provider_config_matches(entry, "x.c.d:5000/teams/app"));
    assert_false(provider_config_matches(entry, "x.c.d/team/app"));
    assert_false(provider_config_matches(entry, "x.y.c.d:5000/team/app"));
    assert_int_equal(provider_config_almost_matches(entry, "x.y.c.d:5000/team/app"), 1);
    assert_int_equal(provider_config_almost_matches(entry, "other/app"), -1);
    entry = provider_config_find(&config, "other");
    assert_null(entry->args);
    assert_null(entry->env);
    assert_null(entry->tokens);
    assert_null(provider_config_find(&config, "third"));
}

static void knows_the_rules_of_the_document(void **state)
{
    static const struct row rows[] = {
        {HEAD PROVIDER, NULL},
        {"---\n" HEAD PROVIDER "...\n", NULL},
        {"kind: CredentialProviderConfig\nproviders:\n" PROVIDER, "apiVersion is missing"},
        {"apiVersion: kubelet.config.k8s.io/v1\nproviders:\n" PROVIDER, "kind is missing"},
        {"apiVersion: v1\nkind: CredentialProviderConfig\nproviders:\n" PROVIDER,
         "apiVersion is v1, which this kubelet does not know"},
        {"apiVersion: kubelet.config.k8s.io/v2\nkind: "
         "CredentialProviderConfig\nproviders:\n" PROVIDER,
         "apiVersion is kubelet.config.k8s.io/v2"},
        {"apiVersion: kubelet.config.k8s.io/v1beta1\nkind: CredentialProviderConfig\n"
         "providers:\n" PROVIDER,
         NULL},
        {"apiVersion: kubelet.config.k8s.io/v1\nkind: Pod\nproviders:\n" PROVIDER, "kind is Pod"},
        {TOP, NULL},
        {TOP "providers:\n", NULL},
        {TOP "providers: []\n", NULL},
        {TOP "providers: {}\n", "line 3: providers must be a list"},
        {TOP "providers: [x]\n", "line 3: providers[0] must be an object"},
        {"- x\n", "line 1: the document must be an object"},
        {HEAD PROVIDER "more: x\n", "line 8: more is not a known field"},
        {HEAD PROVIDER "Kind: x\n", "line 8: Kind is not a known field"},
        {HEAD PROVIDER "kind: x\n", "line 8: kind is given twice"},
    };

    (void)state;
    check(rows, COUNT_OF(rows), 0);
    check(rows, COUNT_OF(rows), 34);
}

static void knows_the_rules_of_a_provider(void **state)
{
    static const struct row rows[] = {
        {HEAD "- name:\n" PROVIDER_REST, "providers[0].name is not the name of a file"},
        {HEAD "- name: a/b\n" PROVIDER_REST, "name is not the name of a file: \"a/b\""},
        {HEAD "- name: a b\n" PROVIDER_REST, "name is not the name of a file"},
        {HEAD "- name: ..\n" PROVIDER_REST, "name is not the name of a file"},
        {HEAD "- name: \"a\\tb\"\n" PROVIDER_REST, NULL},
        {HEAD "- name: y\n" PROVIDER_REST, "line 4: providers[0].name must be a string; without"},
        {HEAD "- name: [a]\n" PROVIDER_REST, "line 4: providers[0].name must be a string"},
        {HEAD PROVIDER PROVIDER, "providers[1].name is given to two providers: acp"},
        {HEAD PROVIDER "  name: x\n", "line 8: providers[0].name is given twice"},
        {HEAD PROVIDER "  nAme: x\n", "line 8: providers[0].nAme is not a known field"},
        {HEAD PROVIDER "-\n", "providers[1].name is not the name of a file"},
        {HEAD "- name: acp\n  matchImages: [a.b]\n  defaultCacheDuration: 0s\n",
         "providers[0].apiVersion is missing"},
        {HEAD "- name: acp\n  apiVersion: v1\n  matchImages: [a.b]\n  defaultCacheDuration: 0s\n",
         "providers[0].apiVersion is v1"},
        {HEAD "- name: acp\n  apiVersion: credentialprovider.kubelet.k8s.io/v1alpha1\n"
              "  matchImages: [a.b]\n  defaultCacheDuration: 0s\n",
         NULL},
        {HEAD "- name: acp\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n"
              "  defaultCacheDuration: 0s\n",
         "providers[0].matchImages is missing"},
        {HEAD "- name: acp\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n"
              "  matchImages: []\n  defaultCacheDuration: 0s\n",
         "providers[0].matchImages is missing"},
        {HEAD "- name: acp\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n"
              "  matchImages: a.b\n  defaultCacheDuration: 0s\n",
         "line 6: providers[0].matchImages must be a list"},
        {HEAD "- name: acp\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n"
              "  matchImages: [1]\n  defaultCacheDuration: 0s\n",
         "line 6: providers[0].matchImages[0] must be a string"},
        {HEAD "- name: acp\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n"
              "  matchImages: [a.b]\n",
         "providers[0].defaultCacheDuration is missing"},
        {HEAD "- name: acp\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n"
              "  matchImages: [a.b]\n  defaultCacheDuration: -1s\n",
         "providers[0].defaultCacheDuration is no duration: -1s"},
        {HEAD "- name: acp\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n"
              "  matchImages: [a.b]\n  defaultCacheDuration: 0\n",
         "line 7: providers[0].defaultCacheDuration must be a string"},
        {HEAD PROVIDER "  args: [a, ~, '']\n  env: [{name: A, value: ''}, {}, ~]\n", NULL},
        {HEAD PROVIDER "  args: {}\n", "line 8: providers[0].args must be a list"},
        {HEAD PROVIDER "  args: [1]\n", "line 8: providers[0].args[0] must be a string"},
        {HEAD PROVIDER "  args:\n  env:\n  tokenAttributes: ~\n", NULL},
        {HEAD PROVIDER "  env: [a]\n", "line 8: providers[0].env[0] must be an object"},
        {HEAD PROVIDER "  env: [{name: A, value: on}]\n",
         "line 8: providers[0].env[0].value must be a string"},
        {HEAD PROVIDER "  env: [{name: A, value: 1, more: x}]\n", "env[0].value must be a string"},
        {HEAD PROVIDER "  env: [{key: A}]\n", "providers[0].env[0].key is not a known field"},
    };

    (void)state;
    check(rows, COUNT_OF(rows), 0);
}

static void knows_patterns_of_images(void **state)
{
    static const struct {
        const char *pattern;
        const char *problem;
        int fatal_since; /* minor version; 0: in none */
    } rows[] = {
        {"demo-registry.cn-hangzhou.cr.aliyuncs.com:5000/team/", NULL, 0},
        {"*-registry*.*.cr.aliyuncs.com", NULL, 0},
        {"*.*.aliyuncs.com", NULL, 0},
        {"*.aliyuncs.com", "matches no registry of ACR", 0},
        {"*.cr.aliyuncs.com", NULL, 0},
        {"cr.aliyuncs.com", NULL, 0},
        {"", "must not be empty", 0},
        {"https://a.b", "has a scheme", 0},
        {"A.b", "has upper case in its host", 0},
        {"a.b/*", "has a * in its path", 0},
        {"a.b/c d", "has a byte in its path", 0},
        {"a?b", "has a ? or [", 0},
        {"a.b:99999", "has a port that is not", 0},
        {"[::1]:5000", "has a ? or [", 0},
        {"a b", "is not the pattern of an image", 20},
        {"a{b}", "is not the pattern of an image", 20},
        {"a.b:x", "is not the pattern of an image", 20},
        {"a.b:*", "is not the pattern of an image", 20},
        {"a[1-2].b", "is not the pattern of an image", 20},
        {"[a.b", "is not the pattern of an image", 20},
        {"a.b/%zz", "is not the pattern of an image", 20},
        {"a%20b", "is not the pattern of an image", 20},
        {"%", "is not the pattern of an image", 20},
        {"a\\tb", "is not the pattern of an image", 20},
        {"a:1:2", "", 37},
    };
    static const int minors[] = {30, 34, 37};
    char text[512];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows) * COUNT_OF(minors); i++) {
        const size_t n = i / COUNT_OF(minors);
        const int minor = minors[i % COUNT_OF(minors)];
        const bool is_fatal = rows[n].fatal_since != 0 && minor >= rows[n].fatal_since;
        struct provider_config config AUTO(provider_config_clear) = {0};
        struct error err;

        (void)snprintf(text, sizeof text,
                       HEAD "- name: acp\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n"
                            "  matchImages: [\"%s\"]\n  defaultCacheDuration: 0s\n",
                       rows[n].pattern);
        assert_true(read(&config, text, minor, &err));
        if (config.problem_count != (rows[n].problem != NULL) ||
            (provider_config_fatal(&config) != NULL) != is_fatal ||
            (rows[n].problem != NULL &&
             strstr(config.problems[0].err.cause, rows[n].problem) == NULL))
            fail_msg("1.%d: %s: %s", minor, rows[n].pattern,
                     config.problem_count == 0 ? "" : config.problems[0].err.cause);
    }
}

static void knows_the_rules_of_tokens(void **state)
{
    static const struct row rows[] = {
        {HEAD PROVIDER TOKENS AUDIENCE REQUIRES CACHED, NULL},
        {HEAD PROVIDER TOKENS AUDIENCE REQUIRES CACHED KEYS("a, b/c, B/c"), NULL},
        {HEAD PROVIDER "  tokenAttributes: {}\n", "serviceAccountTokenAudience is missing"},
        {HEAD PROVIDER "  tokenAttributes: x\n", "line 8: providers[0].tokenAttributes must be an"},
        {HEAD PROVIDER TOKENS REQUIRES CACHED,
         "tokenAttributes.serviceAccountTokenAudience is missi"},
        {HEAD PROVIDER TOKENS AUDIENCE CACHED, "requireServiceAccount is missing"},
        {HEAD PROVIDER TOKENS AUDIENCE CACHED "    requireServiceAccount: 'false'\n",
         "line 11: providers[0].tokenAttributes.requireServiceAccount must be true or false"},
        {HEAD PROVIDER TOKENS AUDIENCE REQUIRES, "cacheType must be ServiceAccount or Token"},
        {HEAD PROVIDER TOKENS AUDIENCE REQUIRES "    cacheType: token\n", "cacheType must be"},
        {HEAD PROVIDER TOKENS AUDIENCE REQUIRES "    cacheType: Token\n", NULL},
        {HEAD PROVIDER TOKENS AUDIENCE REQUIRES CACHED KEYS("''"), "[0] is no annotation key"},
        {HEAD PROVIDER TOKENS AUDIENCE REQUIRES CACHED KEYS("-a"), "[0] is no annotation key: -a"},
        {HEAD PROVIDER TOKENS AUDIENCE REQUIRES CACHED KEYS("/a"), "[0] is no annotation key: /a"},
        {HEAD PROVIDER TOKENS AUDIENCE REQUIRES CACHED KEYS("a/b/c"), "[0] is no annotation key"},
        {HEAD PROVIDER TOKENS AUDIENCE REQUIRES CACHED KEYS("a_/b"), "[0] is no annotation key"},
        {HEAD PROVIDER TOKENS AUDIENCE REQUIRES CACHED KEYS("a, b, a"),
         "Keys[2] is listed twice: a"},
        {HEAD PROVIDER TOKENS AUDIENCE CACHED
         "    requireServiceAccount: yes\n    requiredServiceAccountAnnotationKeys: [a]\n",
         NULL},
        {HEAD PROVIDER TOKENS AUDIENCE REQUIRES CACHED
         "    requiredServiceAccountAnnotationKeys: [a]\n",
         "requiredServiceAccountAnnotationKeys needs requireServiceAccount: true"},
        {HEAD PROVIDER TOKENS AUDIENCE CACHED
         "    requireServiceAccount: true\n    requiredServiceAccountAnnotationKeys: [a]\n" KEYS(
             "a"),
         "optionalServiceAccountAnnotationKeys[0] is listed twice: a"},
        {"apiVersion: kubelet.config.k8s.io/v1beta1\nkind: CredentialProviderConfig\n"
         "providers:\n" PROVIDER TOKENS AUDIENCE REQUIRES CACHED,
         "tokenAttributes needs kubelet.config.k8s.io/v1"},
        {HEAD "- name: acp\n  apiVersion: credentialprovider.kubelet.k8s.io/v1beta1\n"
              "  matchImages: [a.b]\n  defaultCacheDuration: 0s\n" TOKENS AUDIENCE REQUIRES CACHED,
         "tokenAttributes needs kubelet.config.k8s.io/v1"},
    };

    (void)state;
    check(rows, COUNT_OF(rows), 0);
}

static void knows_what_changed_between_versions(void **state)
{
    static const struct {
        int minor;
        struct row row;
    } rows[] = {
        {25,
         {HEAD PROVIDER, "apiVersion is kubelet.config.k8s.io/v1, which this kubelet does not"}},
        {26, {HEAD PROVIDER, NULL}},
        {23,
         {"apiVersion: kubelet.config.k8s.io/v1beta1\nkind: CredentialProviderConfig\n"
          "providers: []\n",
          "apiVersion is kubelet.config.k8s.io/v1beta1, which this kubelet does not know"}},
        {31, {HEAD PROVIDER "  more: x\nmore: x\nkind: CredentialProviderConfig\n", NULL}},
        {32, {HEAD PROVIDER "  more: x\n", "more is not a known field"}},
        {31, {HEAD PROVIDER TOKENS AUDIENCE, NULL}},
        {32, {HEAD PROVIDER TOKENS AUDIENCE, "tokenAttributes is not known to Kubernetes 1.32"}},
        {33, {HEAD PROVIDER TOKENS AUDIENCE REQUIRES, NULL}},
        {33,
         {HEAD PROVIDER TOKENS AUDIENCE REQUIRES CACHED, "cacheType is not known to Kubernetes"}},
        {34, {HEAD PROVIDER TOKENS AUDIENCE REQUIRES, "cacheType must be"}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        check(&rows[i].row, 1, rows[i].minor);
    assert_string_equal(provider_config_version(23), "v1alpha1");
    assert_string_equal(provider_config_version(24), "v1beta1");
    assert_string_equal(provider_config_version(25), "v1beta1");
    assert_string_equal(provider_config_version(26), "v1");
    assert_string_equal(provider_config_version(PROVIDER_CONFIG_NEWEST_MINOR), "v1");
}

static void gives_advice(void **state)
{
    static const struct row rows[] = {
        {HEAD PROVIDER "Kind: x\n", "Write kind"},
        {HEAD PROVIDER "more: x\n", "Remove it"},
        {HEAD "- name: y\n" PROVIDER_REST, "Put it in quotes"},
        {"kind: CredentialProviderConfig\nproviders:\n" PROVIDER,
         "Add it: kubelet.config.k8s.io/v1"},
        {HEAD PROVIDER TOKENS AUDIENCE REQUIRES, "Write cacheType: ServiceAccount"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct provider_config config AUTO(provider_config_clear) = {0};
        struct error err;

        assert_true(read(&config, rows[i].text, 0, &err));
        assert_string_equal(provider_config_fatal(&config)->err.advice, rows[i].problem);
    }
}

static void cannot_parse(void **state)
{
    static const struct {
        const char *text;
        const char *words;
        bool is_unsupported;
    } rows[] = {
        {"", "the file is empty", false},
        {"# only a comment\n", "the file is empty", false},
        {HEAD "- name: a: b\n", "line 4: mapping values are not allowed", false},
        {HEAD "- &x\n  name: a\n", "line 4: an anchor", true},
        /* What begins with { is JSON, not YAML in brackets. */
        {" \n{apiVersion: kubelet.config.k8s.io/v1}", "not valid JSON at line 2", false},
        {"{\"a\": 1} # comment", "not valid JSON at line 1", false},
        {"{\"a\": 1}{", "not valid JSON at line 1", false},
        {"{\"a\": \"\\ud83d\\ude00\"}", "line 1: ", true},
        {"{\"a\": \"\\\"\t\"}", "a control character", false},
        {"{\"a\":\v1}", "not valid JSON", false},
        {"%YAML 1.2\n---\n" HEAD PROVIDER, "the version of YAML is not 1.1", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct provider_config config AUTO(provider_config_clear) = {0};
        bool is_unsupported = !rows[i].is_unsupported;
        struct error err;

        assert_false(provider_config_read(&config, &is_unsupported, rows[i].text,
                                          strlen(rows[i].text), 0, &err));
        assert_int_equal(err.kind, ERROR_CONFIG);
        assert_int_equal(is_unsupported, rows[i].is_unsupported);
        if (strstr(err.cause, rows[i].words) == NULL)
            fail_msg("%s: %s", rows[i].text, err.cause);
    }
}

static void reads_json(void **state)
{
    static const char text[] =
        "\t{\"apiVersion\":\"kubelet.config.k8s.io\\/v1\",\"kind\":\"CredentialProviderConfig\","
        "\"providers\":[\n\t{\"name\":\"acp\",\"apiVersion\":\"credentialprovider.kubelet.k8s.io/"
        "v1\","
        "\"matchImages\":[\"a.b\"],\"defaultCacheDuration\":\"0s\",\"args\":null}]}\n";
    struct provider_config config AUTO(provider_config_clear) = {0};
    struct error err;

    (void)state;
    assert_true(read(&config, text + 1, 0, &err));
    assert_int_equal(config.problem_count, 0);
    assert_int_equal(config.entries[0].node->line, 2);
    assert_int_equal(config.entries[0].node->column, 1);
}

/* Many problems: those that are kept have the one with which the kubelet does not start. */
static void keeps_a_fatal_problem_among_many(void **state)
{
    struct provider_config config AUTO(provider_config_clear) = {0};
    struct buf text AUTO(buf_clear) = {0};
    size_t count;
    struct error err;

    (void)state;
    buf_append_text(&text, HEAD "- name: acp\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n"
                                "  defaultCacheDuration: 0s\n  matchImages:\n");
    for (int i = 0; i < 200; i++)
        buf_append_text(&text, i == 100 ? "  - \"a b\"\n" : "  - A.b\n");
    assert_true(read(&config, text.bytes, 0, &err));
    count = config.problem_count;
    assert_in_range(count, 2, 200);
    assert_ptr_equal(provider_config_fatal(&config), &config.problems[count - 1]);
    assert_non_null(strstr(config.problems[count - 1].err.cause, "matchImages[100]"));
}

static void bounds_the_number_of_providers(void **state)
{
    static const struct {
        const char *begin;
        const char *part;
        const char *problem;
    } rows[] = {
        {HEAD, "- {name: a}\n", "more than 256 providers, which this program does not read"},
        {HEAD PROVIDER "x:\n", "- a\n", "a list or an object of very many members"},
        {HEAD PROVIDER "x:\n", "  a: b\n", "a list or an object of very many members"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct provider_config config AUTO(provider_config_clear) = {0};
        struct buf text AUTO(buf_clear) = {0};
        bool is_unsupported = false;
        struct error err;

        buf_append_text(&text, rows[i].begin);
        for (int k = 0; k < (i == 0 ? 257 : 3000); k++)
            buf_append_text(&text, rows[i].part);
        assert_false(
            provider_config_read(&config, &is_unsupported, text.bytes, text.length, 0, &err));
        assert_true(is_unsupported);
        assert_non_null(strstr(err.cause, rows[i].problem));
    }
}

/* Of repeated keys an older kubelet takes the last. */
static void reads_the_last_of_repeated_keys(void **state)
{
    struct provider_config config AUTO(provider_config_clear) = {0};
    struct error err;

    (void)state;
    assert_true(read(&config, HEAD "- name: 1\n" PROVIDER_REST "  name: b\n", 31, &err));
    assert_string_equal(config.entries[0].name, "b");
    assert_null(provider_config_fatal(&config));
    assert_int_equal(config.problem_count, 1);
}

static void reads_versions(void **state)
{
    static const char *const invalid[] = {"",   "1",    "1.",      "1.x", "2.34",
                                          "34", "1.19", "1.34567", "v",   "1.-34"};
    static const char *const valid[] = {"1.34", "v1.34.2", "1.34.2+k3s1", "v1.34-rc.1"};
    struct error err;
    int minor = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(valid); i++) {
        assert_true(provider_config_parse_version(&minor, valid[i], &err));
        assert_int_equal(minor, 34);
    }
    for (size_t i = 0; i < COUNT_OF(invalid); i++) {
        if (provider_config_parse_version(&minor, invalid[i], &err))
            fail_msg("%s", invalid[i]);
        assert_int_equal(err.kind, ERROR_USAGE);
    }
}

static void knows_which_files_count(void **state)
{
    static const char *const counted[] = {"a.json", "a.yaml", "a.yml", ".a.yaml", ".yml"};
    static const char *const others[] = {"",        "a",      "a.YAML", "a.yaml.bak",
                                         "a.yaml~", "a.conf", "yaml"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(counted); i++)
        assert_true(provider_config_is_file_name(counted[i]));
    for (size_t i = 0; i < COUNT_OF(others); i++)
        assert_false(provider_config_is_file_name(others[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_a_provider_says),
        cmocka_unit_test(knows_the_rules_of_the_document),
        cmocka_unit_test(knows_the_rules_of_a_provider),
        cmocka_unit_test(knows_patterns_of_images),
        cmocka_unit_test(knows_the_rules_of_tokens),
        cmocka_unit_test(knows_what_changed_between_versions),
        cmocka_unit_test(gives_advice),
        cmocka_unit_test(cannot_parse),
        cmocka_unit_test(reads_json),
        cmocka_unit_test(keeps_a_fatal_problem_among_many),
        cmocka_unit_test(bounds_the_number_of_providers),
        cmocka_unit_test(reads_the_last_of_repeated_keys),
        cmocka_unit_test(reads_versions),
        cmocka_unit_test(knows_which_files_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
