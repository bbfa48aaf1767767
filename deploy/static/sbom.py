#!/usr/bin/env python3
"""Prints the software bill of materials of a release, SPDX 2.3: sbom.py LOCK WORK EXECUTABLE CMAKE_LISTS CREATED.

WORK is the working folder of build.sh: the unpacked sources, and in `sources` their packages. CREATED is in seconds.
Each line of stdin names an installed package that took part in the build: RELATIONSHIP NAME VERSION ARCHITECTURE.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import time
import urllib.parse
import uuid

LICENSES = {"musl": "MIT", "openssl": "Apache-2.0", "curl": "curl", "json-c": "MIT", "libyaml": "MIT"}
LIBGCC_LICENSE = "GPL-3.0-or-later WITH GCC-exception-3.1"


def timestamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(seconds)))


def checksums(path, *algorithms):
    with open(path, "rb") as file:
        content = file.read()
    return [{"algorithm": name.upper(), "checksumValue": hashlib.new(name, content).hexdigest()} for name in algorithms]


def spdx_id(name):
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)


def debian_package(name, version, arch, **more):
    purl = f"pkg:deb/debian/{name}@{urllib.parse.quote(version)}?arch={arch}"
    return {"SPDXID": spdx_id(name), "name": name, "versionInfo": version, "supplier": "Organization: Debian",
            "downloadLocation": "NOASSERTION", "filesAnalyzed": False, **more,
            "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                              "referenceLocator": purl}]}


def relationship(one, kind, other):
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def main():
    lock, work, executable, cmake_lists, created = sys.argv[1:]
    with open(lock, encoding="ascii") as file:
        rows = [line.split() for line in file]
    with open(cmake_lists, encoding="ascii") as file:
        version = re.search(r"VERSION (\d+\.\d+\.\d+)", file.read())[1]
    name = os.path.basename(executable)
    program = "SPDXRef-program"
    packages = [{"SPDXID": program, "name": "aliyun-acr-credential-provider", "versionInfo": version,
                 "packageFileName": name,
                 "licenseConcluded": "Apache-2.0", "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
                 "checksums": checksums(executable, "sha256")}]
    files = []
    relationships = [relationship("SPDXRef-DOCUMENT", "DESCRIBES", program)]
    for _, source, source_version, _ in (row for row in rows if row[:1] == ["package"]):
        description = f"{source}_{source_version}.dsc"
        changed = subprocess.run(["dpkg-parsechangelog", "-l", f"{work}/{source}/debian/changelog", "-S", "Timestamp"],
                                 capture_output=True, text=True, check=True).stdout
        packages.append(debian_package(source, source_version, "source", licenseConcluded=LICENSES[source],
                                       releaseDate=timestamp(changed), packageFileName=description,
                                       checksums=checksums(f"{work}/sources/{description}", "sha256")))
        relationships.append(relationship(program, "STATIC_LINK", spdx_id(source)))
        # What the authors published, and Debian's packaging of it.
        for path in (row[1] for row in rows if row[:1] == ["file"] and row[1].startswith(source + "_")):
            files.append({"SPDXID": spdx_id("file-" + path), "fileName": "./" + path,
                          "checksums": checksums(f"{work}/sources/{path}", "sha1", "sha256")})
            relationships.append(relationship(spdx_id(source), "GENERATED_FROM", files[-1]["SPDXID"]))
    for kind, package, package_version, arch in (line.split() for line in sys.stdin):
        is_linked = kind == "STATIC_LINK"
        packages.append(debian_package(package, package_version, arch,
                                       licenseConcluded=LIBGCC_LICENSE if is_linked else "NOASSERTION"))
        ends = (program, spdx_id(package)) if is_linked else (spdx_id(package), program)
        relationships.append(relationship(ends[0], kind, ends[1]))
    bill = {"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "dataLicense": "CC0-1.0", "name": name,
            "creationInfo": {"created": timestamp(created),
                             "creators": [f"Tool: {os.path.basename(__file__)}-{version}"]},
            "packages": packages, "files": files, "relationships": relationships}
    # The same bill has the same name, another one another name.
    bill["documentNamespace"] = uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(bill)).urn
    json.dump(bill, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
