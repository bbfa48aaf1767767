import pytest

from node import Node
from provider import Emulator


@pytest.fixture
def cloud():
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def node(cloud, tmp_path):
    return Node(cloud, tmp_path / "cache", tmp_path)
