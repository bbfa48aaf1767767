"""Signature V3 (ACS3-HMAC-SHA256), written apart from the program's own so that the two check each other."""

import hashlib
import hmac
from urllib.parse import quote


def canonical_request(method, path, query, headers, body):
    """The text that is signed; query is a list of (name, value), headers a dict with lower-case names."""
    signed = sorted(n for n in headers if n in ("host", "content-type") or n.startswith("x-acs-"))
    pairs = "&".join(f"{quote(n, safe='-_.~')}={quote(v, safe='-_.~')}" for n, v in sorted(query))
    block = "".join(f"{n}:{headers[n].strip()}\n" for n in signed)
    return "\n".join([method, path, pairs, block, ";".join(signed), hashlib.sha256(body).hexdigest()])


def sign(secret, canonical):
    to_sign = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
    return hmac.new(secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()


def parse_authorization(value):
    """'ACS3-HMAC-SHA256 Credential=..,SignedHeaders=..,Signature=..' as a dict, {} if it is none."""
    scheme, _, rest = value.partition(" ")
    if scheme != "ACS3-HMAC-SHA256":
        return {}
    return dict(part.split("=", 1) for part in rest.split(",") if "=" in part)
