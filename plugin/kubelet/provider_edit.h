/* The text of a CredentialProviderConfig with this program's entry, and without it. All else stays
 * byte by byte. Pure; the new text is appended to `out`, which is empty before. */
#ifndef KUBELET_PROVIDER_EDIT_H
#define KUBELET_PROVIDER_EDIT_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "kubelet/provider_entry.h"

/* Whether the text has the entry, and any provider. Fails with ERROR_CONFIG if it cannot be read.
 */
CHECKED bool provider_edit_find(bool *out, bool *has_providers, const struct buf *text,
                                struct error *err);

/* Adds the entry after the last provider, with the version of the file. In one that is there, only
 * matchImages changes if the entry has its own matches, and tokenAttributes if it is for pods.
 * Fails with ERROR_CONFIG for a file with which a kubelet of version 1.`minor` (0: the newest) does
 * not start, for one without the list "providers", and for one that only this program cannot read.
 */
CHECKED bool provider_edit_install(struct buf *out, const struct buf *text,
                                   const struct provider_entry *entry, int minor,
                                   struct error *err);

/* Removes the entry, which is there; `is_only` tells that it is the only one, and `out` is not
 * changed then. */
CHECKED bool provider_edit_remove(struct buf *out, bool *is_only, const struct buf *text,
                                  struct error *err);

#endif
