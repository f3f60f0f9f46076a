"""Memory as the kernel tells it."""

from pathlib import Path

import pytest

from lighterman.monitoring.memory import memory_bytes


def test_memory_is_of_this_process():
    """A running Python holds more than a megabyte, and more altogether than by itself."""
    found = memory_bytes()

    assert {"alloc", "sys", "heap"} == set(found)
    assert 1 << 20 < found["alloc"] <= found["sys"]


def test_memory_grows_with_what_is_held():
    """What is held in addition is seen."""
    before = memory_bytes()["alloc"]
    held = bytearray(b"x" * (64 << 20))

    assert memory_bytes()["alloc"] - before > len(held) // 2


@pytest.mark.parametrize("content", [None, "not numbers"], ids=["absent", "foreign"])
def test_a_kernel_that_tells_nothing_is_no_obstacle(monkeypatch, content):
    """Without /proc the largest resident set is told instead."""

    def read_text(self, encoding):
        if content is None:
            raise FileNotFoundError
        return content

    monkeypatch.setattr(Path, "read_text", read_text)

    assert memory_bytes()["sys"] > 1 << 20
