/* Every key of the configuration in one table: its object, type, bounds and place in struct
 * settings. The file, flags and environment variables all pass through it. */
#ifndef CONFIG_KEYS_H
#define CONFIG_KEYS_H

#include "base/auto.h"
#include "base/error.h"
#include "config/settings.h"
#include "proto-json/doc.h"

/* Reads the root object of a configuration file. Keys that are not in the table are refused. On
 * failure, what was read before is left for keys_clear(). */
CHECKED bool keys_decode(struct settings *settings, const struct doc_node *root, struct error *err);

/* Sets one key from text, by its path through objects: "log.level". `what` names the flag or
 * variable that the text is from. Fails with ERROR_CONFIG. */
CHECKED bool keys_set(struct settings *settings, const char *path, const char *text,
                      const char *what, struct error *err);

/* Frees what the keys own. The settings must not be used after this. */
void keys_clear(struct settings *settings);

#endif
