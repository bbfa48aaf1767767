"""Prints the access key id that the default chain of the official Python library yields."""

import json

from alibabacloud_credentials.client import Client

try:
    print(json.dumps({"id": Client().get_credential().get_access_key_id()}))
except Exception as error:  # whatever the library raises is its answer
    print(json.dumps({"error": str(error)}))
