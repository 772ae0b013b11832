"""Ports of loopback that nobody listens on, and that nobody is given by the system while their owner is dead.

All lie below the range that outgoing connections take theirs from. Each worker of a test run has a part of its own and
offers no port twice before it has been through all of them.
"""

import os
import random
import re
import socket
from collections.abc import Iterator
from itertools import cycle
from typing import Final

_LOWEST: Final = 10_000
_PART: Final = 2_800
_PARTS: Final = 8


def free_ports(count: int) -> list[int]:
    """Different ones."""
    return [next(_FREE) for _ in range(count)]


def free_block(size: int) -> int:
    """The lowest of ports that follow upon each other."""
    for _ in range(_PART):
        first = next(_FREE)
        if first + size <= _END and all(_is_free(port) for port in range(first, first + size)):
            for _ in range(size - 1):
                next(_PLACES)
            return first
    raise AssertionError("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _part() -> int:
    """Which part is this worker's; a run without workers takes the last one."""
    worker = re.fullmatch(r"gw([0-9]+)", os.environ.get("PYTEST_XDIST_WORKER", ""))  # noqa: TID251
    return int(worker[1]) % (_PARTS - 1) if worker else _PARTS - 1


def _free(places: Iterator[int]) -> Iterator[int]:
    yield from (port for port in places if _is_free(port))


_FIRST: Final = _LOWEST + _part() * _PART
_END: Final = _FIRST + _PART
_START: Final = random.randrange(_FIRST, _END)  # two runs on one machine begin at different places
_PLACES: Final = cycle([*range(_START, _END), *range(_FIRST, _START)])
_FREE: Final = _free(_PLACES)
