"""House rules that the compiler does not enforce: each library is used in one room, public names begin with their file."""

import glob
import os
import re

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
OWNERS = {"curl/": {"plugin/net/http.c", "plugin/net/http_exchange.h", "plugin/net/http_failure.h"},
          "json-c/": {"proto-json/doc.c"},
          "openssl/": {"plugin/base/base64.c", "plugin/base/digest.c", "plugin/net/http.c", "plugin/net/http_exchange.c", "plugin/net/trust.c"}}


def sources():
    listed = [path for folder in ("plugin", "proto-json")
              for path in glob.glob(f"{folder}/**/*.[ch]", root_dir=ROOT, recursive=True)]
    assert len(listed) > 50
    for path in listed:
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            yield path, file.read()


def test_each_library_has_one_user():
    for path, text in sources():
        for library, owners in OWNERS.items():
            assert path in owners or f"#include <{library}" not in text, (path, library)


def test_public_names_begin_with_their_file():
    for path, text in sources():
        if not path.endswith(".h"):
            continue
        stem = os.path.basename(path)[:-2]
        for name in re.findall(r"^[a-z][a-z0-9_ *]*?\b([a-z0-9_]+)\(", text, re.M):
            assert name.startswith(stem) or name == "__attribute__", (path, name)
