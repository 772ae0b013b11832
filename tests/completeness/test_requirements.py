"""Every requirement that somebody cites exists, and the matrix tells who proves what."""

import subprocess
import sys
from pathlib import Path

from tests.trace import ROOT, citations, requirements


def test_every_cited_requirement_exists() -> None:
    assert sorted(citations().keys() - requirements().keys()) == []


def test_the_main_job_is_proved() -> None:
    cited = citations()
    assert [name for name in requirements() if name.startswith("R0.") and name not in cited] == []


def test_marks_are_found_on_functions_classes_and_modules(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "regimes").mkdir()
    (tmp_path / "tests/test_x.py").write_text(
        'pytestmark = [pytest.mark.slow, pytest.mark.req("R1.1")]\n'
        '@pytest.mark.req("R1.2")\nclass TestAll:\n    @pytest.mark.req("R1.3")\n    async def test_one(self): ...\n'
        "def test_two(): ...\ndef no_test(): ...\n"
    )
    both = ["test_x::test_one", "test_x::test_two"]
    assert citations(tmp_path) == {"R1.1": both, "R1.2": both[:1], "R1.3": both[:1]}


def test_the_matrix_is_printed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.trace"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert "R0.2   every customer change" in done.stdout
    assert "shared/outbox/test_relay::test_late_commits_and_many_writers_keep_order_and_lose_nothing" in done.stdout
