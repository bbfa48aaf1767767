/* proto-json/kubelet_response: the exact bytes of responses. */
#include <string.h>

#include "proto-json/kubelet_response.h"
#include "test.h"

static void encodes_credentials(void **state)
{
    struct secret password AUTO(secret_clear) = {0};
    struct buf out AUTO(buf_clear) = {0};
    struct kubelet_response response = {
        .api_version = "credentialprovider.kubelet.k8s.io/v1beta1",
        .auth_key = "hub.example.com:5000/team",
        .user = "cr_temp_user",
        .password = &password,
        .cache_key_type = "Image",
        .cache_duration_s = 2400,
    };

    (void)state;
    secret_set(&password, "p\"w\\\xC3\xA9:/<", strlen("p\"w\\\xC3\xA9:/<"));
    kubelet_response_append(&out, &response);
    assert_string_equal(buf_text(&out),
                        "{\"kind\":\"CredentialProviderResponse\","
                        "\"apiVersion\":\"credentialprovider.kubelet.k8s.io/v1beta1\","
                        "\"cacheKeyType\":\"Image\",\"cacheDuration\":\"40m0s\","
                        "\"auth\":{\"hub.example.com:5000/team\":{\"username\":\"cr_temp_user\","
                        "\"password\":\"p\\\"w\\\\\xC3\xA9:/<\"}}}\n");
}

static void encodes_no_credentials(void **state)
{
    struct buf out AUTO(buf_clear) = {0};
    struct kubelet_response response = {
        .api_version = "credentialprovider.kubelet.k8s.io/v1",
        .cache_key_type = "Registry",
    };

    (void)state;
    kubelet_response_append(&out, &response);
    assert_string_equal(buf_text(&out),
                        "{\"kind\":\"CredentialProviderResponse\","
                        "\"apiVersion\":\"credentialprovider.kubelet.k8s.io/v1\","
                        "\"cacheKeyType\":\"Registry\",\"cacheDuration\":\"0s\",\"auth\":{}}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_credentials),
        cmocka_unit_test(encodes_no_credentials),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
