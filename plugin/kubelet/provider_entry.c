#include "kubelet/provider_entry.h"

void provider_entry_append(struct buf *out, const struct provider_entry *entry)
{
    static const char *const all[] = {
        "*-registry*.*.cr.aliyuncs.com", "*.distributed.*.cr.aliyuncs.com",
        "*.*.personal.cr.aliyuncs.com",  "registry.*.aliyuncs.com",
        "registry-vpc.*.aliyuncs.com",   "registry-internal.*.aliyuncs.com",
        "registry-intl.*.aliyuncs.com",  "registry-intl-vpc.*.aliyuncs.com",
    };
    const bool has_own = entry->match_count > 0;
    const char *const *matches = has_own ? entry->matches : all;

    buf_append_format(out,
                      "apiVersion: kubelet.config.k8s.io/%s\n"
                      "kind: CredentialProviderConfig\n"
                      "providers:\n"
                      "- name: " PROVIDER_CONFIG_NAME "\n"
                      "  apiVersion: credentialprovider.kubelet.k8s.io/%s\n"
                      "  defaultCacheDuration: 0s\n",
                      entry->version, entry->version);
    if (entry->is_for_pods)
        buf_append_format(out,
                          "  tokenAttributes:\n"
                          "    serviceAccountTokenAudience: sts.aliyuncs.com\n"
                          "%s"
                          "    requireServiceAccount: false\n"
                          "    optionalServiceAccountAnnotationKeys:\n"
                          "    - acr.aliyun.com/role-arn\n"
                          "    - pod-identity.alibabacloud.com/role-name\n"
                          "    - pod-identity.alibabacloud.com/role-arn\n",
                          entry->has_cache_type ? "    cacheType: ServiceAccount\n" : "");
    buf_append_text(out, "  matchImages:\n");
    for (size_t i = 0; i < (has_own ? entry->match_count : COUNT_OF(all)); i++)
        buf_append_format(out, "  - \"%s\"\n", matches[i]);
}

bool provider_entry_read(struct provider_config *out, const struct provider_entry *entry,
                         struct error *err)
{
    struct buf text AUTO(buf_clear) = {0};
    bool is_unsupported;

    provider_entry_append(&text, entry);
    return provider_config_read(out, &is_unsupported, text.bytes, text.length, 0, err);
}
