"""What the compiler does not check: headers, public names, who uses which library, Python, shell scripts, wording."""

import glob
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from program_run import PROGRAM, ROOT, skip_where_permitted

BUILD = os.path.dirname(PROGRAM)
# Where a library may be included: a module or a file.
USERS = {"curl/": ("plugin/net/",), "openssl/": ("plugin/base/", "plugin/net/"), "json-c/": ("proto-json/doc.c",),
         "yaml.h": ("plugin/kubelet/",)}


def files(*patterns):
    found = [path for pattern in patterns for path in glob.glob(pattern, root_dir=ROOT, recursive=True)]
    assert found, patterns
    return sorted(path for path in found if not path.startswith("build/") and "/node_modules/" not in path)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def check(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def built(path):
    return path if os.path.exists(path) else skip_where_permitted("this executable is of no build folder")


def test_header_compiles_by_itself():
    modules = ["-I" + folder for folder in glob.glob(built(os.path.join(BUILD, "modules")) + "/*")]
    headers = files("plugin/**/*.h", "proto-json/*.h")
    with ThreadPoolExecutor(2) as pool:
        compiled = [pool.submit(check, "cc", "-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror",
                                "-fsyntax-only",
                                *modules, header) for header in headers]
    for result in compiled:
        result.result()


def test_public_name_begins_with_its_file():
    for library in files(built(BUILD) + "/lib*.a"):
        shown = subprocess.run(["nm", "-g", "--defined-only", library], capture_output=True, text=True,
                               check=True).stdout
        for member in re.findall(r"^(\w+)\.c\.o:\n((?:.+\n)*)", shown, re.M):
            stem, symbols = member
            for name in re.findall(r"^[0-9a-f]* [A-Z] ([a-z]\w*)$", symbols, re.M):
                assert name == stem or name.startswith(stem + "_"), (library, stem, name)


def test_library_is_used_where_it_belongs():
    for path in files("plugin/**/*.[ch]", "proto-json/*.[ch]"):
        for library, users in USERS.items():
            assert path.startswith(users) or f"#include <{library}" not in read(path), (path, library)


def test_python():
    check(sys.executable, "-B", "-m", "flake8", "tests", "deploy")


def test_shell_scripts():
    if not shutil.which("shellcheck"):
        skip_where_permitted("shellcheck is not there")
    check("shellcheck", *files("**/*.sh", ".ci/run"))


# Nobody else can look up a numbered issue or session, or a folder of one machine; an open task is no text of a file.
NOT_FOR_READERS = [r"(?<!json-c )\b(issue|session|ticket)s? #?\d", r"(?<![\w.~])/(work|Users)/[a-z]",
                   r"\b(TODO|FIXME|XXX)\b"]


@pytest.mark.parametrize("pattern", NOT_FOR_READERS)
def test_text_refers_to_what_every_reader_has(pattern):
    paths = files("*.md", "CMake*", ".ci/*", ".github/**/*.*", ".clang-tidy", "deploy/**/*.*", "plugin/**/*.*",
                  "proto-json/*", "tests/**/*.*")
    for path in paths:
        if os.path.isfile(os.path.join(ROOT, path)) and "/corpus/" not in path and path != "tests/lint/test_sources.py":
            assert not re.search(pattern, read(path)), path


def test_every_check_that_is_off_has_a_reason():
    text = read(".clang-tidy")
    off = re.findall(r"^  -([\w.-]+)", text, re.M)
    assert off == re.findall(r"^#   ([\w.-]+) +\S", text, re.M) == sorted(off) and len(off) > 5
