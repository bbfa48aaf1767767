"""Kubelets of all versions start with what the command config prints and with the files that it has changed."""

import pytest
from kubelets import NEWEST, VERSIONS, check
from program_run import PROGRAM, call
from test_config import ECR, FILE, IN_BRACKETS, MATCH_FLAGS, NAME, NEW, ODD, OWN, in_blocks

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kubelet")]

GATE = "KubeletServiceAccountTokenForCredentialProviders=true"  # off by default in 1.33


@pytest.fixture
def programs(tmp_path):
    """A folder with the executables of all providers."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in (NAME, "ecr-credential-provider", "ecr", "x", "\u00e4\U0001f433"):
        (folder / name).symlink_to(PROGRAM)
    return folder


def config(*arguments):
    result = call("config", *map(str, arguments))
    assert (result.status, result.err) == (0, ""), result.err
    return result.out


def write(path, text):
    path.write_text(text, encoding="utf-8", newline="")
    return path


@pytest.mark.parametrize("form", ["yaml", "json"])
@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_printed(tmp_path, programs, version, form):
    flags = ["--format", form, "--kubelet", version]
    for more in ([], MATCH_FLAGS):
        assert check(version, write(tmp_path / "file", config(*flags, *more)), programs) is None
    if version < "1.33":  # they know no tokens of service accounts
        return
    path = write(tmp_path / "file", config(*flags, "--pods"))
    assert check(version, path, programs, GATE if version == "1.33" else "") is None


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_what_is_installed(tmp_path, programs, line_end):
    for text in [*in_blocks(), *IN_BRACKETS, *ODD, FILE.replace(ECR, OWN + ECR)]:
        path = write(tmp_path / "file", text.replace("\n", line_end))
        assert check(NEWEST, path, programs) is None
        config("--install", path, "--pods", *MATCH_FLAGS)
        assert check(NEWEST, path, programs) is None, path.read_text()


@pytest.mark.parametrize("version", VERSIONS)
def test_new_files(tmp_path, programs, version):
    for name in ("new.yaml", "new.json"):
        config("--install", tmp_path / name, "--kubelet", version)
        assert check(version, tmp_path / name, programs) is None


def test_directory(tmp_path, programs):
    folder = tmp_path / "folder"
    folder.mkdir()
    write(folder / "10-ecr.yaml", FILE)
    config("--install", folder)
    config("--install", folder, "--pods")
    assert (folder / NEW).exists() and check(NEWEST, folder, programs) is None
    config("--remove", folder)
    assert not (folder / NEW).exists() and check(NEWEST, folder, programs) is None


def test_versions_that_kubelets_do_not_know(tmp_path, programs):
    """What --kubelet is for."""
    path = write(tmp_path / "file", config("--pods"))
    assert "cacheType" in check("1.33", path, programs, GATE)
    assert "feature gate" in check("1.33", write(path, config("--pods", "--kubelet", "1.33")), programs)
