/* The objects "identity" and "podIdentity" of the configuration file. */
#ifndef CONFIG_SETTINGS_IDENTITY_H
#define CONFIG_SETTINGS_IDENTITY_H

#include "base/auto.h"
#include "base/error.h"
#include "config/settings.h"
#include "proto-json/doc.h"

/* Frees and returns to `{0}`. */
void settings_identity_clear(struct settings_identity *identity);
void settings_identity_clear_pod(struct settings_pod *pod);

/* Reads an optional object over `{0}`. */
CHECKED bool settings_identity_decode(struct settings_identity *out, struct doc_node identity,
                                      struct error *err);
CHECKED bool settings_identity_decode_pod(struct settings_pod *out, struct doc_node pod,
                                          struct error *err);

#endif
