#include "config/settings_keys.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/text.h"

/* The longest value that any check lets pass is a policy. */
enum { STRING_MAX_BYTES = 2048, WORD_SIZE = 64, LIST_SIZE = 160 };

static bool check_key(const struct doc_node *member, const char *name, const char *const *keys,
                      size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(keys[i], name) == 0)
            return true;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(keys[i], name) == 0)
            return error_set(err, ERROR_CONFIG, "%s is not a known key: write %s", member->path,
                             keys[i]);
    }
    return error_set(err, ERROR_CONFIG, "%s is not a known key", member->path);
}

bool settings_keys_check(const struct doc_node *object, const char *const *keys, size_t count,
                         struct error *err)
{
    struct doc_node member;
    const char *name = NULL;

    for (struct doc_cursor cursor = {0}; doc_next(&cursor, object, &member, &name);) {
        if (!check_key(&member, name, keys, count, err))
            return false;
    }
    return true;
}

/* "default, env, ecs": the words that may be used. */
static void list_words(char out[LIST_SIZE], const struct settings_word *words, size_t count)
{
    struct buf list AUTO(buf_clear) = {0};

    for (size_t i = 0; i < count; i++)
        buf_append_format(&list, "%s%s", list.length == 0 ? "" : ", ", words[i].text);
    (void)text_copy(out, LIST_SIZE, buf_text(&list));
}

bool settings_keys_choose(int *out, struct doc_node node, const struct settings_word *words,
                          size_t count, struct error *err)
{
    char text[WORD_SIZE] = "";
    char list[LIST_SIZE];

    if (!node.present)
        return true;
    if (!doc_text(text, sizeof text, node, DOC_REQUIRED, err))
        return false;
    list_words(list, words, count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i].text, text) == 0) {
            *out = words[i].value;
            return true;
        }
    }
    return error_set(err, ERROR_CONFIG, "%s must be one of: %s", node.path, list);
}

bool settings_keys_string(char **out, struct doc_node node, settings_keys_checker *check,
                          struct error *err)
{
    if (!doc_string(out, STRING_MAX_BYTES, node, DOC_OPTIONAL, err))
        return false;
    return !node.present || check(*out, node.path, err);
}

bool settings_keys_check_https(const char *text, const char *what, struct error *err)
{
    return check_endpoint(text, "https", what, err);
}
