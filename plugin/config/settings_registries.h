/* The array "registries" of the configuration file. */
#ifndef CONFIG_SETTINGS_REGISTRIES_H
#define CONFIG_SETTINGS_REGISTRIES_H

#include "base/auto.h"
#include "base/error.h"
#include "config/settings.h"
#include "proto-json/doc.h"

/* Fills registries and registry_count of settings that have none yet; on failure what was filled is
 * left for settings_clear(). */
CHECKED bool settings_registries_decode(struct settings *out, struct doc_node registries,
                                        struct error *err);

/* Frees and leaves none. */
void settings_registries_clear(struct settings *settings);

#endif
