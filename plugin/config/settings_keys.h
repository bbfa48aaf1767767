/* What the decoders of the configuration file share: the keys of an object, words of a fixed set,
 * and strings that are checked as they are read. */
#ifndef CONFIG_SETTINGS_KEYS_H
#define CONFIG_SETTINGS_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/error.h"
#include "proto-json/doc.h"

/* A word that a string may be. */
struct settings_word {
    const char *text;
    int value;
};

/* Refuses keys of an object that are not among `keys`. */
CHECKED bool settings_keys_check(const struct doc_node *object, const char *const *keys,
                                 size_t count, struct error *err);

/* Reads an optional string that is one of `words`. */
CHECKED bool settings_keys_choose(int *out, struct doc_node node, const struct settings_word *words,
                                  size_t count, struct error *err);

typedef bool settings_keys_checker(const char *text, const char *what, struct error *err);

/* Reads an optional string as doc_string() does, which `check` must let pass. */
CHECKED bool settings_keys_string(char **out, struct doc_node node, settings_keys_checker *check,
                                  struct error *err);

/* A settings_keys_checker for https://HOST[:PORT]. */
CHECKED bool settings_keys_check_https(const char *text, const char *what, struct error *err);

#endif
