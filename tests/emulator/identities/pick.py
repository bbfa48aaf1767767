"""Prints the access key id that the default chain of alibabacloud_credentials yields."""

import json
import os

import certifi

# By a proxy, the library trusts this bundle and no other.
certifi.where = lambda: os.environ["SSL_CERT_FILE"]
from alibabacloud_credentials.client import Client  # noqa: E402
from alibabacloud_credentials.exceptions import CredentialException  # noqa: E402

try:
    print(json.dumps({"id": Client().get_credential().access_key_id}))
except CredentialException as error:
    print(json.dumps({"error": str(error)}))
