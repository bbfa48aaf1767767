/* This program's own executable in the directory from which a kubelet runs its providers: for
 * images that have no shell and no cp. */
#ifndef KUBELET_BIN_DIR_H
#define KUBELET_BIN_DIR_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/system.h"

/* Puts the executable, with mode 0755, and the link of the docker credential helper into a
 * directory that exists, by rename, so that a kubelet may run the old one meanwhile; a dry run only
 * looks. `changed` tells whether it was another one, of another mode or owner, or none. Fails with
 * ERROR_CONFIG, or as replace_write() does. */
CHECKED bool bin_dir_install(bool *changed, const char *directory, bool is_dry_run,
                             const struct system *system, struct error *err);

#endif
