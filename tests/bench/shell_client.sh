#!/bin/sh
# What people write by hand: curl and openssl. Usage: shell_client.sh METADATA_URL API_URL CA_FILE INSTANCE_ID
set -eu
cat >/dev/null
host=${2#https://}
get() { curl -sf --noproxy '*' -H "X-aliyun-ecs-metadata-token: $token" "$1"; }
field() { printf '%s' "$json" | sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p"; }

token=$(curl -sf --noproxy '*' -X PUT -H 'X-aliyun-ecs-metadata-token-ttl-seconds: 900' "$1/latest/api/token")
get "$1/latest/meta-data/region-id" >/dev/null
role=$(get "$1/latest/meta-data/ram/security-credentials/")
json=$(get "$1/latest/meta-data/ram/security-credentials/$role")
id=$(field AccessKeyId) secret=$(field AccessKeySecret) sts=$(field SecurityToken)

date=$(date -u +%Y-%m-%dT%H:%M:%SZ)
nonce=$(openssl rand -hex 16)
empty=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
names='host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-security-token;x-acs-signature-nonce;x-acs-version'
hash=$(printf 'POST\n/\nInstanceId=%s\nhost:%s\nx-acs-action:GetAuthorizationToken\nx-acs-content-sha256:%s\nx-acs-date:%s\nx-acs-security-token:%s\nx-acs-signature-nonce:%s\nx-acs-version:2018-12-01\n\n%s\n%s' \
    "$4" "$host" "$empty" "$date" "$sts" "$nonce" "$names" "$empty" | openssl dgst -sha256 -r | cut -d' ' -f1)
signature=$(printf 'ACS3-HMAC-SHA256\n%s' "$hash" | openssl dgst -sha256 -hmac "$secret" -r | cut -d' ' -f1)
json=$(curl -sf --noproxy '*' --cacert "$3" -X POST -H "x-acs-action: GetAuthorizationToken" -H "x-acs-content-sha256: $empty" \
    -H "x-acs-date: $date" -H "x-acs-security-token: $sts" -H "x-acs-signature-nonce: $nonce" \
    -H "x-acs-version: 2018-12-01" -H "Authorization: ACS3-HMAC-SHA256 Credential=$id,SignedHeaders=$names,Signature=$signature" \
    "$2/?InstanceId=$4")
printf '{"username":"%s","password":"%s"}\n' "$(field TempUsername)" "$(field AuthorizationToken)"
