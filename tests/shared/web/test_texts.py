"""Catalogues of texts: files of one language make one catalogue."""

from pathlib import Path

import pytest

from shared.web.texts import Texts, read_texts


def write(folder: Path, **files: str) -> Path:
    (folder / "en").mkdir()
    for name, text in files.items():
        (folder / "en" / f"{name}.yaml").write_text(text, "utf-8")
    return folder


def test_files_of_a_language_are_one_catalogue(tmp_path: Path) -> None:
    folder = write(tmp_path, entry="entry: {heading: 'Entry {index}'}", person="person:\n  name: Name\n")
    assert read_texts(folder, "en") == {"entry.heading": "Entry {index}", "person.name": "Name"}
    assert Texts(folder, "en").text("entry.heading", index=3) == "Entry 3"


def test_a_key_of_two_files_is_refused_by_name(tmp_path: Path) -> None:
    folder = write(tmp_path, entry="entry: {heading: One}", proof="entry: {heading: Two}")
    with pytest.raises(ValueError, match=r"proof.yaml: entry.heading: another file of en has it"):
        read_texts(folder, "en")
