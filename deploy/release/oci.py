#!/usr/bin/env python3
"""Writes a container image for several architectures as an OCI archive.

Usage: oci.py OUTPUT NAME CONFIG ARCHITECTURE=FOLDER... NAME is what a client that loads the image calls it. CONFIG is
JSON: how containers of the image run, and its labels. Each folder is the root of one architecture's image, its only
layer. All times are SOURCE_DATE_EPOCH; the same files give the same bytes.
"""

import gzip
import hashlib
import io
import json
import os
import sys
import tarfile
import time

EPOCH = int(os.environ["SOURCE_DATE_EPOCH"])
CREATED = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(EPOCH))
KIND = "application/vnd.oci.image."


def add(archive, member, content=None):
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = EPOCH
    archive.addfile(member, content)


def layer_of(folder):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        paths = [os.path.join(parent, name) for parent, folders, files in os.walk(folder) for name in folders + files]
        for path in sorted(paths):
            member = archive.gettarinfo(path, os.path.relpath(path, folder))
            if member.isreg():
                with open(path, "rb") as file:
                    add(archive, member, file)
            else:
                add(archive, member)
    return buffer.getvalue()


def document(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


class Layout:
    """The files of an image layout, by their paths."""

    def __init__(self):
        self.files = {"oci-layout": document({"imageLayoutVersion": "1.0.0"})}

    def blob(self, kind, content, **more):
        """Its descriptor."""
        digest = hashlib.sha256(content).hexdigest()
        self.files["blobs/sha256/" + digest] = content
        return {"mediaType": KIND + kind, "digest": "sha256:" + digest, "size": len(content), **more}

    def image(self, architecture, folder, config):
        layer = layer_of(folder)
        platform = {"architecture": architecture, "os": "linux"}
        settings = self.blob("config.v1+json", document({
            **platform, "created": CREATED, "config": config, "history": [{"created": CREATED}],
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]}}))
        packed = self.blob("layer.v1.tar+gzip", gzip.compress(layer, mtime=0))
        return self.blob("manifest.v1+json", document({
            "schemaVersion": 2, "mediaType": KIND + "manifest.v1+json", "config": settings, "layers": [packed]}),
            platform=platform)

    def index(self, descriptors):
        return document({"schemaVersion": 2, "mediaType": KIND + "index.v1+json", "manifests": descriptors})

    def write(self, path):
        with tarfile.open(path, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for name, content in sorted(self.files.items()):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                add(archive, member, io.BytesIO(content))


def main():
    output, name, config, *folders = sys.argv[1:]
    config, layout = json.loads(config), Layout()
    images = [layout.image(*folder.split("=", 1), config) for folder in folders]
    version = config["Labels"]["org.opencontainers.image.version"]
    # The first is read by podman and containerd, the second by those that name an image in a layout by its tag.
    whole = layout.blob("index.v1+json", layout.index(images), annotations={
        "io.containerd.image.name": f"{name}:{version}", "org.opencontainers.image.ref.name": version})
    layout.files["index.json"] = layout.index([whole])
    layout.write(output)


if __name__ == "__main__":
    main()
