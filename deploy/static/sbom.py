#!/usr/bin/env python3
"""Prints the software bill of materials of a release, SPDX 2.3: sbom.py SOURCES_LOCK EXECUTABLE CMAKE_LISTS."""

import hashlib
import json
import re
import sys
import time

LICENSES = {"musl": "MIT", "openssl": "Apache-2.0", "curl": "curl", "json-c": "MIT"}


def main():
    lock, executable, cmake_lists = sys.argv[1:]
    with open(lock, encoding="ascii") as file:
        rows = [line.split() for line in file if line.strip() and not line.startswith("#")]
    with open(executable, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    with open(cmake_lists, encoding="ascii") as file:
        version = re.search(r"VERSION (\d+\.\d+\.\d+)", file.read())[1]
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(next(row[1] for row in rows if row[0] == "date"))))
    name = executable.rpartition("/")[2]
    packages = [{"SPDXID": "SPDXRef-program", "name": "aliyun-acr-credential-provider", "versionInfo": version,
                 "packageFileName": name, "licenseConcluded": "Apache-2.0", "downloadLocation": "NOASSERTION",
                 "filesAnalyzed": False, "checksums": [{"algorithm": "SHA256", "checksumValue": digest}]}]
    for _, package, package_version, _ in (row for row in rows if row[0] == "package"):
        origin = next(row for row in rows if row[0] == "file" and row[1].startswith(package + "_") and ".orig." in row[1])
        packages.append({"SPDXID": "SPDXRef-" + package, "name": package, "versionInfo": package_version,
                         "supplier": "Organization: Debian", "licenseConcluded": LICENSES[package],
                         "downloadLocation": "NOASSERTION", "filesAnalyzed": False, "sourceInfo": origin[1],
                         "checksums": [{"algorithm": "SHA256", "checksumValue": origin[2]}]})
    json.dump({"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "dataLicense": "CC0-1.0", "name": name,
               "documentNamespace": f"urn:sha256:{digest}",
               "creationInfo": {"created": created, "creators": ["Tool: deploy/static/sbom.py"]}, "packages": packages,
               "relationships": [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
                                  "relatedSpdxElement": "SPDXRef-program"}] +
               [{"spdxElementId": "SPDXRef-program", "relationshipType": "STATIC_LINK", "relatedSpdxElement": p["SPDXID"]}
                for p in packages[1:]]}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
