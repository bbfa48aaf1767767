"""What stands in the home of whoever runs the program: profiles, credentials files, tokens."""

import json
import shlex
import sys

KEY, SECRET = "LTAIemulatorkey00001", "emulator-secret-0000000001"
PULLER = "acs:ram::1234567890123456:role/puller"
PROVIDER = "acs:ram::1234567890123456:oidc-provider/ack-rrsa-c0123456789"
POD_ROLE = "acs:ram::1234567890123456:role/pod"
CLAIMS = {"iss": "https://oidc.example", "aud": "sts.aliyuncs.com", "sub": "system:serviceaccount:default:app"}


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
    path.chmod(0o600)
    return str(path)


def cli(home, *profiles, current="default"):
    return write(home / ".aliyun" / "config.json", {
        "current": current, "profiles": [{"name": "default", "region_id": "cn-hangzhou", **p} for p in profiles]})


def ini(home, text):
    return write(home / ".alibabacloud" / "credentials", text)


def oidc(cloud, tmp_path, **claims):
    token = write(tmp_path / "token", cloud.cloud.mint({**CLAIMS, **claims}) + "\n")
    return {"ALIBABA_CLOUD_ROLE_ARN": POD_ROLE, "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": PROVIDER,
            "ALIBABA_CLOUD_OIDC_TOKEN_FILE": token}


def print_json(**fields):
    """A command line that prints a document, with both kinds of quotes to be split."""
    return f"{sys.executable} -c " + shlex.quote(f"import json; print(json.dumps({fields!r}))")
