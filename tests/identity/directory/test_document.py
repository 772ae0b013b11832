"""The directory file: what holds together, and what is told about one that does not."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.identity.directory.document import BrokenDirectory, read
from tests.factories.identity import DIRECTORY, directory_file

Break = Callable[[dict[str, Any]], object]


def test_units_come_after_the_one_above_them(tmp_path: Path) -> None:
    file = read(directory_file(tmp_path))
    assert [unit.id for unit in file.units_from_the_top()] == ["hq", "north", "south", "north-1"]


def test_yaml_is_as_good_as_json(tmp_path: Path) -> None:
    path = tmp_path / "directory.yaml"
    path.write_text("units: [{id: hq, title: {zh: 总部, en: Head office}}]\n", encoding="utf-8")
    assert [unit.title.zh for unit in read(path).units] == ["总部"]


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda d: d["units"].append(d["units"][0]), "unit north-1 stands twice"),
        (lambda d: d["units"][1].update(parent="north-1"), "unit hq stands below itself"),
        (lambda d: d["units"][0].update(parent="west"), "unit north-1 is below an unknown unit"),
        (lambda d: d["people"][0].update(unit="west"), "boss is of no known unit"),
        (lambda d: d["clients"][0].update(name="staff"), "name staff stands twice"),
        (lambda d: d["people"][0].update(name="Boss"), "people.0.name"),
        (lambda d: d["people"][0].update(password="another secret"), "either password or password_hash"),
        (lambda d: d["people"][0].pop("password_hash"), "either password or password_hash"),
        (lambda d: d["people"][0].update(roles=[]), "people.0.roles"),
        (
            lambda d: d["people"][0].update(roles=[{"role": "x", "from_on": "2027-02-02", "until_on": "2027-02-01"}]),
            "people.0.roles.0: Value error, until_on is before from_on",
        ),
        (
            lambda d: d["people"][0].update(
                deputies=[{"deputy": "staff", "from_on": "2027-02-02", "until_on": "2027-02-01"}]
            ),
            "people.0.deputies.0: Value error, until_on is before from_on",
        ),
        (lambda d: d["people"][0].update(colour="red"), "people.0.colour"),
        (lambda d: d["clients"][0].pop("secret_hash"), "either secret or secret_hash"),
        (lambda d: d["clients"][0].update(secret_hash="5f4dcc3b5aa765d61d8327deb882cf99"), "clients.0.secret_hash"),
        (lambda d: d.pop("units"), "units"),
    ],
)
def test_a_fault_is_named_by_its_place(tmp_path: Path, harm: Break, told: str) -> None:
    content = copy.deepcopy(DIRECTORY)
    harm(content)
    with pytest.raises(BrokenDirectory) as refusal:
        read(directory_file(tmp_path, content))
    assert told in str(refusal.value)


def test_no_secret_is_quoted_in_a_fault(tmp_path: Path) -> None:
    content = copy.deepcopy(DIRECTORY)
    content["people"][0] |= {"password": "short", "password_hash": "plainly wrong"}
    with pytest.raises(BrokenDirectory) as refusal:
        read(directory_file(tmp_path, content))
    assert "short" not in str(refusal.value).replace("too_short", "")
    assert "plainly wrong" not in str(refusal.value)
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"{", b"- [", b"null", b"[]", json.dumps({"units": 5}).encode()])
def test_a_file_that_is_none_is_refused(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "directory.json"
    path.write_bytes(raw)
    with pytest.raises(BrokenDirectory):
        read(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokenDirectory, match="cannot be read"):
        read(tmp_path / "nowhere.yaml")
