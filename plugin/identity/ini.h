/* The credentials file of the official SDKs, ~/.alibabacloud/credentials: sections of
 * "key = value" or "key: value". Pure. */
#ifndef IDENTITY_INI_H
#define IDENTITY_INI_H

#include <stddef.h>

#include "base/auto.h"
#include "base/error.h"
#include "proto-json/cli_profile.h"

/* Finds the section `name`, or "default" if that is "", and writes its name there. Its type
 * becomes a mode of CLI profiles: access_key is AK, and so on. A line that begins with # or ; is a
 * comment, as is the rest of a line after a blank and one of these; values may be quoted. Of
 * duplicate keys the last counts, as in the SDKs. */
CHECKED enum cli_profile_outcome ini_find(struct cli_profile *out, char name[CLI_PROFILE_NAME_SIZE],
                                          const void *bytes, size_t length, struct error *err);

#endif
