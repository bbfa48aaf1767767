"""A file system that cannot lock."""

import os
import shutil

from program_run import skip_where_permitted


def test_file_system_that_cannot_lock(node, tmp_path):
    """There is nobody to wait for then, and no descriptor is closed twice: it may be another file's by then."""
    if not shutil.which("strace") or os.geteuid() != 0:
        skip_where_permitted("there is no strace, or no root to run it")
    prefix = ["strace", "-f", "-qq", "-o", str(tmp_path / "trace"), "-e", "trace=flock,close", "-e",
              "inject=flock:error=ENOLCK"]
    assert node.pull(prefix=prefix).auth
    trace = (tmp_path / "trace").read_text()
    assert "ENOLCK" in trace and "EBADF" not in trace, trace
