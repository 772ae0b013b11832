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


@pytest.mark.req("R1.1")
def test_the_items_of_a_kind_are_counted() -> None:
    told = kehu.invoke(app, ["items", "--kind", "retail", "--on", "2026-11-30"]).stdout
    assert "retail: 102 items = 66 static + 22 dynamic (15 quarterly, 7 real-time) + 14 system" in told
    assert "basic 23, network 29, management 17, sales 15, image 9, personal 9" in told
    (counted,) = json.loads(kehu.invoke(app, ["items", "--kind", "retail", "--json"]).stdout)
    assert (counted["items"], counted["dynamic"], counted["maintenance"]["system"]) == (102, 22, 14)
    assert counted["origin"] == {"measure": 59, "extension": 43}
    with pytest.raises(SuiteFailed, match="there are aviation-enterprise, borrower"):
        kehu.invoke(app, ["items", "--kind", "martian"], catch_exceptions=False)


@pytest.mark.req("R5.1")
def test_all_kinds_are_counted() -> None:
    counted = json.loads(kehu.invoke(app, ["items", "--json"]).stdout)
    assert {each["kind"] for each in counted} >= {
        "retail", "supplier", "dealer", "special", "borrower", "food-producer", "prospect", "website-operator",
        "aviation-enterprise",
    }  # fmt: skip
    assert all(each["items"] == sum(each["groups"].values()) == sum(each["origin"].values()) for each in counted)
    assert all(each["shared"] for each in counted if each["kind"] != "retail")
