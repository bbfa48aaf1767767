"""What all tests share: where the helper modules are, and the fixtures `cloud` and `node`."""

import os
import sys
import zlib

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "support"), os.path.join(HERE, "emulator")]
from emulated_node import Node  # noqa: E402
from program_run import Emulator, keys  # noqa: E402


def pytest_configure(config):
    if getattr(config.option, "numprocesses", None):
        keys()  # before the processes start


def pytest_collection_modifyitems(config, items):
    """Several processes take turns with tests that wait and tests that compute; the order is the same each time."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: zlib.crc32(item.nodeid.encode()))


@pytest.fixture
def cloud():
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def node(cloud, tmp_path):
    return Node(cloud, tmp_path / "cache", tmp_path)
