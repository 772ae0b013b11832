"""The tour of the README works as it is printed: its commands in one shell against a suite, its outputs word for word.

Only what a test must have for itself is replaced: the data directory and the ports. Numbers that differ from log to log
are not compared.
"""

import os
import re
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from tests.factories.live import Live

pytestmark = [pytest.mark.slow, pytest.mark.req("R0.1")]
PROJECT = Path(__file__).parents[2]
_TOUR = re.compile(r"<!-- tour -->(.*?)<!-- /tour -->", re.DOTALL)
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_STEP = "::step::"
_READING_S = 2
"""A reader takes longer than a script from one step to the next; some of what is shown comes by itself meanwhile."""
_OF_THIS_LOG = [
    (r"\b[0-9a-f]{16,64}\b", "<hash>"),
    (r"(?<![.,\d])\d{3,}\b(?![.,])", "<number>"),
    (r"<number> \d+ <hash>", "<number> <length> <hash>"),
    (r"\d+ checkpoints", "<number> checkpoints"),
    (r".* access\.read .*\n", ""),  # a read shows up once its entry is there, which the next command may precede
]


def steps() -> list[tuple[str, str]]:
    """Commands and what they print, in order; nothing if no output block follows."""
    found = _TOUR.search((PROJECT / "README.md").read_text("utf-8"))
    assert found, "the README has no tour"
    blocks = [*_BLOCK.findall(found[1]), ("bash", "")]
    return [(text, after if not kind else "") for (is_shell, text), (kind, after) in pairwise(blocks) if is_shell]


def placed(commands: str, live: Live) -> str:
    """The commands for this suite: `kehu` with its data directory, addresses with its ports."""
    commands = re.sub(
        r"(\.venv/bin/kehu (?:dead-letters |audit |regimes )?[a-z-]+)", rf"\1 --data {live.data}", commands
    )
    base = int(live.urls["console"].rpartition(":")[2])
    return re.sub(r"(127\.0\.0\.1):810([0-5])\b", lambda at: f"{at[1]}:{base + int(at[2])}", commands)


def compared(output: str) -> str:
    """An output without what differs from log to log."""
    for pattern, name in _OF_THIS_LOG:
        output = re.sub(pattern, name, output)
    return output.strip()


def test_the_tour_works_word_for_word(live: Live) -> None:
    tour = steps()
    assert len(tour) >= 6
    script = "set -eu\n" + f"sleep {_READING_S}\n".join(f"echo {_STEP}\n{placed(each, live)}" for each, _ in tour)
    environment = {**os.environ, "COLUMNS": "200", "TERM": "dumb"}  # noqa: TID251
    command = ["/bin/bash", "-c", script]
    done = subprocess.run(
        command, cwd=PROJECT, env=environment, check=False, capture_output=True, text=True, timeout=180
    )
    printed = done.stdout.split(f"{_STEP}\n")[1:]
    assert done.returncode == 0, f"{tour[len(printed) - 1][0]}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    seen, told = ("\n\n".join(map(compared, outputs)) for outputs in (printed, [output for _, output in tour]))
    assert seen == told
