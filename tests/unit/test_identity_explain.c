/* identity/explain: what is advised where no source of an identity exists. */
#include "identity/explain.h"

#include <string.h>

#include "base/buf.h"
#include "base/check.h"

#include "test.h"

static void explains_an_unreachable_metadata_service(void **state)
{
    struct error err = {.kind = ERROR_TEMPORARY};

    (void)state;
    assert_false(explain_no_identity("http://M", &err));
    assert_string_equal(err.advice,
                        "On an ECS instance, let this node reach http://M; elsewhere set "
                        "ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or "
                        "ALIBABA_CLOUD_ECS_METADATA_DISABLED=true to fail without waiting for it");
}

static void explains_the_longest_endpoint_to_the_end(void **state)
{
    struct error err = {.kind = ERROR_TEMPORARY};
    struct buf url AUTO(buf_clear) = {0};

    (void)state;
    buf_append_text(&url, "http://");
    memset(buf_extend(&url, CHECK_HOST_SIZE - 1), 'm', CHECK_HOST_SIZE - 1);
    buf_append_text(&url, ":65535");
    explain_no_identity(url.bytes, &err);
    assert_non_null(strstr(err.advice, " to fail without waiting for it"));
}

static void explains_an_instance_without_role(void **state)
{
    struct error err = {.kind = ERROR_CONFIG};

    (void)state;
    assert_false(explain_no_identity("http://M", &err));
    assert_string_equal(err.advice,
                        "Attach a RAM role to the ECS instance; elsewhere set "
                        "ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(explains_an_unreachable_metadata_service),
        cmocka_unit_test(explains_the_longest_endpoint_to_the_end),
        cmocka_unit_test(explains_an_instance_without_role),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
