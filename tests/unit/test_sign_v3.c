/* The published vectors of signature V3, and those computed with the official SDK. */
#include <string.h>

#include "base/text.h"
#include "cloud/sign_v3.h"
#include "test.h"

#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define DATE       "2026-01-02T03:04:05Z"
#define NONCE      "d410180a5abf7fe235dd9b74aca91fc"
#define ROLE       "acs:ram::1234567890123456:role/puller"

struct vector {
    const char *name;
    const char *key_id, *secret, *token;
    const char *method, *path, *host, *action, *version, *date, *nonce;
    const char *content_type, *body;
    struct sign_v3_parameter query[4]; /* not in order, on purpose */
    size_t query_count;
    const char *payload_hash;
    const char *canonical_hash; /* NULL where it is not published */
    const char *signature;
};

#define LONG_LIVED "YourAccessKeyId", "YourAccessKeySecret", ""
#define STS        "STS.NUExample", "ExampleSecret123", "CAIS+token/with=chars"

static const struct vector vectors[] = {
    {"documentation",
     LONG_LIVED,
     "POST",
     "/",
     "ecs.cn-shanghai.aliyuncs.com",
     "RunInstances",
     "2014-05-26",
     "2023-10-26T10:22:32Z",
     "3156853299f313e23d1673dc12e1703d",
     "",
     "",
     {{"RegionId", "cn-shanghai"},
      {"ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"}},
     2,
     EMPTY_HASH,
     "7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259",
     "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"},
    {"token of a long-lived key",
     "YourAccessKeyId",
     "YourAccessKeySecret",
     "CAIS+token/with=chars",
     "POST",
     "/",
     "cr.cn-hangzhou.aliyuncs.com",
     "GetAuthorizationToken",
     "2018-12-01",
     DATE,
     NONCE "0",
     "",
     "",
     {{"InstanceId", "cri-kmsiwlxxdcvaduwb"}},
     1,
     EMPTY_HASH,
     NULL,
     "f946cef6d1e06e708d510f123c8af9aa13cc8fc4ea3a66b0b116186b8ec6889e"},
    {"token of an STS key",
     STS,
     "POST",
     "/",
     "cr.cn-hangzhou.aliyuncs.com",
     "GetAuthorizationToken",
     "2018-12-01",
     DATE,
     NONCE "0",
     "",
     "",
     {{"InstanceId", "cri-kmsiwlxxdcvaduwb"}},
     1,
     EMPTY_HASH,
     "037c18484e925c7573fe2f4a35b6bb5785349e560ab6a36bfe1a8c0a187c46e1",
     "49b0f53cdb73d8ad4dafdb3b79cf16991a22bc007de25953c10c41eaf48d6f63"},
    {"encoding",
     LONG_LIVED,
     "POST",
     "/",
     "cr-vpc.cn-hangzhou.aliyuncs.com",
     "ListInstance",
     "2018-12-01",
     DATE,
     NONCE "1",
     "",
     "",
     {{"PageSize", "100"}, {"InstanceName", "a b*c~d/e'(f)!+g"}, {"PageNo", "1"}},
     3,
     EMPTY_HASH,
     "ea5c7a38268d165616e42642c5ab66b94570e2ea90b76972860ea4273578edeb",
     "7a64e14440b6a0218243dae02fd382ac8759dc6bce361b10b722e29bd1db60bd"},
    {"Personal Edition",
     "YourAccessKeyId",
     "YourAccessKeySecret",
     "CAIS+token/with=chars",
     "GET",
     "/tokens",
     "cr.cn-hangzhou.aliyuncs.com",
     "GetAuthorizationToken",
     "2016-06-07",
     DATE,
     NONCE "2",
     "",
     "",
     {{NULL, NULL}},
     0,
     EMPTY_HASH,
     NULL,
     "0c07f18d98344b7820639c6739661d0fc12b4860c7277274d55b1e23c4f7a8d7"},
    {"Personal Edition, STS key",
     STS,
     "GET",
     "/tokens",
     "cr.cn-hangzhou.aliyuncs.com",
     "GetAuthorizationToken",
     "2016-06-07",
     DATE,
     NONCE "2",
     "",
     "",
     {{NULL, NULL}},
     0,
     EMPTY_HASH,
     "3397fbbbf160be7c65c30b506302f79773d7d40c3fb21bef3a5bd1aa9ee5e10c",
     "12da631ff9297eb07fec7da259577869c9f13ed6886bc1c82c72b3050e59ea06"},
    {"form body",
     LONG_LIVED,
     "POST",
     "/",
     "sts.cn-hangzhou.aliyuncs.com",
     "AssumeRole",
     "2015-04-01",
     DATE,
     NONCE "3",
     "application/x-www-form-urlencoded",
     "DurationSeconds=3600&ExternalId=x%20y&RoleArn=acs%3Aram%3A%3A1234567890123456%3Arole%2Fpuller"
     "&RoleSessionName=node-1",
     {{NULL, NULL}},
     0,
     "559b722a3b1bd38f465b319b0b2309343b4e5ebf8e65d0a91b1c78e3a7c8f691",
     "06dc31e37909412395aa90f7269e1dfbc2990374ba2ba4169625cca6b429bf89",
     "22407a3a7a01a23e9ba2793a8a0bada949b388b026fd4e5294778c03d1d45c35"},
    {"the same as query",
     LONG_LIVED,
     "POST",
     "/",
     "sts-vpc.cn-hangzhou.aliyuncs.com",
     "AssumeRole",
     "2015-04-01",
     DATE,
     NONCE "4",
     "",
     "",
     {{"RoleSessionName", "node-1"}, {"RoleArn", ROLE}, {"DurationSeconds", "3600"}},
     3,
     EMPTY_HASH,
     "efca06af0639a52783bab9ff194587e5a8c74c07a3f712f4cfb6ea12c87a2d47",
     "397e9dc46b0b032ba5fa302504205992d3e87dcad7779f0572295315196dfa67"},
};

static void check(const struct vector *vector)
{
    struct credentials credentials AUTO(credentials_clear) = {0};
    struct buf query AUTO(buf_clear) = {0};
    struct sign_v3_result result;
    struct error err = {0};
    const char *at;

    (void)text_copy(credentials.access_key_id, sizeof credentials.access_key_id, vector->key_id);
    secret_set(&credentials.access_key_secret, vector->secret, strlen(vector->secret));
    secret_set(&credentials.security_token, vector->token, strlen(vector->token));
    sign_v3_query(&query, vector->query, vector->query_count);
    assert_true(sign_v3(&result,
                        &(struct sign_v3_request){.method = vector->method,
                                                  .path = vector->path,
                                                  .query = buf_text(&query),
                                                  .host = vector->host,
                                                  .action = vector->action,
                                                  .version = vector->version,
                                                  .date = vector->date,
                                                  .nonce = vector->nonce,
                                                  .content_type = vector->content_type,
                                                  .body = vector->body},
                        &credentials, &err));
    assert_string_equal(result.payload_hash, vector->payload_hash);
    if (vector->canonical_hash != NULL)
        assert_string_equal(result.canonical_hash, vector->canonical_hash);
    at = strstr(result.authorization, ",Signature=");
    assert_non_null(at);
    assert_string_equal(at + strlen(",Signature="), vector->signature);
}

static void test_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        print_message("%s\n", vectors[i].name);
        check(&vectors[i]);
    }
}

static void test_longest_key_id_fits(void **state)
{
    struct credentials credentials AUTO(credentials_clear) = {0};
    struct sign_v3_result result;
    struct error err = {0};

    (void)state;
    memset(credentials.access_key_id, 'K', ACCESS_KEY_ID_SIZE - 1);
    secret_set(&credentials.access_key_secret, "s", 1);
    secret_set(&credentials.security_token, "t", 1);
    assert_true(sign_v3(&result,
                        &(struct sign_v3_request){.method = "POST",
                                                  .path = "/",
                                                  .query = "",
                                                  .host = "h",
                                                  .action = "a",
                                                  .version = "v",
                                                  .date = DATE,
                                                  .nonce = "n",
                                                  .content_type = "c",
                                                  .body = ""},
                        &credentials, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_longest_key_id_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
