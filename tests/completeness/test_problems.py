"""Every refusal that the code can utter has a title in both languages, and no text is left over."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared import errors
from shared.web.problems import texts

ROOT = Path(__file__).parents[2]
REFUSALS = {kind.__name__ for kind in errors.ALL}
SOURCES = [path for folder in ("shared", "services") for path in sorted((ROOT / folder).rglob("*.py"))]
pytestmark = pytest.mark.req("R0.4")


def uttered(tree: ast.AST) -> Iterator[str]:
    """Codes that are written out where a refusal is made."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REFUSALS and node.args:
            first = node.args[0]
            choices = [first.body, first.orelse] if isinstance(first, ast.IfExp) else [first]
            yield from (str(each.value) for each in choices if isinstance(each, ast.Constant))


def test_every_code_has_a_title_in_both_languages() -> None:
    known = texts()
    codes = {(code, path.name) for path in SOURCES for code in uttered(ast.parse(path.read_text("utf-8")))}
    assert len(codes) > 20
    assert sorted(each for each in codes if each[0] not in known) == []
    assert [code for code, text in known.items() if not (text.get("zh") and text.get("en"))] == []


def test_no_text_is_left_over() -> None:
    trees = [ast.parse(path.read_text("utf-8")) for path in SOURCES]
    words = {
        n.value for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)
    }
    assert sorted(texts().keys() - words) == []


def test_codes_are_found_where_refusals_are_made() -> None:
    source = 'raise Invalid("a", "b")\nraise NotFound(code)\nx = Conflict("c" if y else "d")\nprint("e")'
    assert list(uttered(ast.parse(source))) == ["a", "c", "d"]
