/* The credentials file of the official SDKs, ~/.alibabacloud/credentials: sections of
 * "key = value" or "key: value". Pure. */
#ifndef IDENTITY_INI_H
#define IDENTITY_INI_H

#include <stddef.h>

#include "base/auto.h"
#include "base/error.h"
#include "proto-json/cli_profile.h"

/* Finds the section `name`, or "default" if that is "", and writes its name there. Its type is put
 * into the words of CLI profiles: access_key is mode AK, and so on. Lines that begin with # or ;
 * are comments, as is what follows one of them behind a blank; a value may stand in quotes. Of two
 * equal keys the last counts, as the SDKs read it. */
CHECKED enum cli_profile_outcome ini_find(struct cli_profile *out, char name[CLI_PROFILE_NAME_SIZE],
                                          const void *bytes, size_t length, struct error *err);

#endif
