/* Values of a CredentialProviderConfig as Go and Kubernetes parse them. Pure. */
#ifndef KUBELET_SYNTAX_H
#define KUBELET_SYNTAX_H

#include <stdbool.h>

/* Whether time.ParseDuration() takes it, and it is not negative. */
bool syntax_is_duration(const char *text);

/* Whether url.Parse() takes it after "https://". Programs that are built as for Go 1.25 or earlier
 * allow several colons in a host. */
bool syntax_is_pattern(const char *pattern, bool allows_colons);

/* Whether it is a qualified name, PREFIX/NAME or NAME (k8s.io/apimachinery pkg/util/validation). */
bool syntax_is_annotation_key(const char *key);

#endif
