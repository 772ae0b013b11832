"""`kehu regimes` checks, lists and shows the declared measures without a running suite."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kehu.commands.regimes import app
from kehu.failure import SuiteFailed
from kehu.plan import PROJECT

kehu = CliRunner()


def test_the_definitions_of_this_project_hold() -> None:
    done = kehu.invoke(app, ["check", "--json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["problems"] == []


def test_a_broken_definition_is_named_with_its_line(tmp_path: Path) -> None:
    folder = tmp_path / "regimes"
    shutil.copytree(PROJECT / "regimes", folder)
    role = folder / "company" / "role" / "admin.yaml"
    role.write_text(role.read_text(encoding="utf-8").replace("owner: admin", "owner: nobody"), encoding="utf-8")
    done = kehu.invoke(app, ["check", "--folder", str(folder)])
    assert done.exit_code == 1
    assert "company/role/admin.yaml:5: no role 'nobody'" in done.stdout
    with pytest.raises(SuiteFailed, match="1 problem"):
        kehu.invoke(app, ["list", "--folder", str(folder)], catch_exceptions=False)


def test_every_definition_is_listed_with_version_and_hash() -> None:
    listed = json.loads(kehu.invoke(app, ["list", "--json"]).stdout)
    (admin,) = [each for each in listed if each["id"] == "company/role/admin"]
    assert len(admin["hash"]) == 64
    assert admin["title"]["en"] == "System administrator"


def test_a_definition_is_shown_as_in_force_on_a_day() -> None:
    shown = json.loads(kehu.invoke(app, ["show", "company/role/admin", "--on", "2026-01-01", "--json"]).stdout)
    assert shown["ref"]["id"] == "company/role/admin"
    with pytest.raises(SuiteFailed, match="in force on 2000-01-01"):
        kehu.invoke(app, ["show", "company/role/admin", "--on", "2000-01-01"], catch_exceptions=False)
