"""Requirement -> tests and definitions that cite it: `python -m tests.trace` prints the matrix, open lines included.

Reads sources only: a test cites by `pytest.mark.req("R0.2")` on itself, its class or its module, a definition by its
`requirement`.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
_LINE = re.compile(r"^\| (R\d+\.\d+) \| (.+?) \| (.+?) \|$", re.MULTILINE)


def requirements(root: Path = ROOT) -> Mapping[str, str]:
    """Id -> what it asks for, in the order of docs/requirements.md."""
    return {found[1]: found[2] for found in _LINE.finditer((root / "docs/requirements.md").read_text("utf-8"))}


def citations(root: Path = ROOT) -> Mapping[str, list[str]]:
    """Id -> test functions and definitions that cite it."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((root / "tests").rglob("test_*.py")):
        name = path.relative_to(root / "tests").with_suffix("").as_posix()
        for test, ids in _cited(ast.parse(path.read_text("utf-8"))):
            for each in ids:
                found[each].append(f"{name}::{test}")
    for path in sorted((root / "regimes").glob("*/*/*.yaml")):
        definition = yaml.safe_load(path.read_text("utf-8"))
        if isinstance(definition, dict) and "requirement" in definition:
            found[definition["requirement"]].append(path.relative_to(root).as_posix())
    return found


def _cited(tree: ast.Module) -> Iterator[tuple[str, set[str]]]:
    assignments = [node for node in tree.body if isinstance(node, ast.Assign)]
    everywhere = {
        each for node in assignments if ast.unparse(node.targets[0]) == "pytestmark" for each in _ids(node.value)
    }
    yield from _tests(tree.body, everywhere)


def _tests(body: list[ast.stmt], inherited: set[str]) -> Iterator[tuple[str, set[str]]]:
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            own = inherited | {each for decorator in node.decorator_list for each in _ids(decorator)}
            if isinstance(node, ast.ClassDef):
                yield from _tests(node.body, own)
            elif node.name.startswith("test_"):
                yield node.name, own


def _ids(expression: ast.expr) -> set[str]:
    calls = [node for node in ast.walk(expression) if isinstance(node, ast.Call)]
    marks = [node for node in calls if ast.unparse(node.func) == "pytest.mark.req"]
    return {str(each.value) for mark in marks for each in mark.args if isinstance(each, ast.Constant)}


def main() -> None:
    """Print the matrix."""
    cited = citations()
    for name, what in requirements().items():
        print(f"{name:6} {what}")  # noqa: T201
        for each in cited.get(name, ["-"]):
            print(f"       {each}")  # noqa: T201


if __name__ == "__main__":
    main()
