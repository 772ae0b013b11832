"""The editors' schemas are what the shapes say now, and the command that checks and writes them works."""

import json
import shutil
from pathlib import Path

import pytest

from shared.regime.__main__ import main
from shared.regime.kinds import KINDS
from shared.regime.schemas import stale

REAL = Path(__file__).parents[3] / "regimes"


def test_the_checked_in_schemas_are_fresh() -> None:
    assert stale(REAL) == ()


def test_every_kind_has_a_closed_schema() -> None:
    for kind in KINDS:
        schema = json.loads((REAL / "schemas" / f"{kind}.json").read_text(encoding="utf-8"))
        assert schema["additionalProperties"] is False


def test_the_command_tells_a_stale_schema_and_writes_it_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = Path(shutil.copytree(REAL, tmp_path / "regimes"))
    assert main(["check", str(root)]) == 0
    (root / "schemas" / "role.json").write_text("{}", encoding="utf-8")
    (root / "schemas" / "gone.json").write_text("{}", encoding="utf-8")
    assert main(["check", str(root)]) == 1
    assert capsys.readouterr().out.count("stale") == 2
    assert main(["schemas", str(root)]) == 0
    assert main(["check", str(root)]) == 0
    assert not (root / "schemas" / "gone.json").exists()


def test_the_command_says_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert main(["dance"]) == 2
    assert "usage" in capsys.readouterr().err
