"""The house rules that no ready-made tool checks, as functions from source to findings (CONTRIBUTING says why each)."""

import ast
import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

FILE_LINES = 400
FUNCTION_LINES = 40
_BANNED_FILE = re.compile(r"(^|_)(utils?|helpers?|common|base|core|misc)$")
_BANNED_CLASS = re.compile(r"(Manager|Handler|Impl|Helper|Utils?)$|^(Base|Abstract)[A-Z]")
_CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"}
_TRANSACTION_TEXT = re.compile(r"^\s*(COMMIT|ROLLBACK|BEGIN|START TRANSACTION)\b")
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def is_long(source: str) -> bool:
    """Whether a file has more lines than a reader keeps in mind."""
    return len(source.splitlines()) > FILE_LINES


def banned_file(path: Path) -> bool:
    """Whether a file or folder is named for nothing."""
    return any(_BANNED_FILE.search(part) for part in (*path.parts[:-1], path.stem))


def banned_classes(source: str) -> list[str]:
    """Classes named by a pattern instead of by what they are."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)]
    return [node.name for node in nodes if _BANNED_CLASS.search(node.name)]


def long_functions(source: str) -> list[str]:
    """Functions whose own statements span too many lines; docstring, signature and inner functions do not count."""
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, _Function)]
    return [node.name for node in functions if len(_own_lines(node)) > FUNCTION_LINES]


def _own_lines(function: _Function) -> set[int]:
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    lines = {line for statement in body for line in _span(statement)}
    inner = [n for n in ast.walk(function) if isinstance(n, _Function | ast.ClassDef) and n is not function]
    return lines - {line for node in inner for line in _span(node)}


def _span(node: ast.stmt) -> range:
    first = min((each.lineno for each in getattr(node, "decorator_list", ())), default=node.lineno)
    return range(first, (node.end_lineno or node.lineno) + 1)


def commits(source: str) -> list[int]:
    """Lines that end or begin a transaction by hand."""
    return sorted(_commits(ast.parse(source)))


def _commits(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        called = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if called and node.func.attr in ("commit", "rollback"):
            yield node.lineno
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _TRANSACTION_TEXT.match(node.value):
            yield node.lineno


def clock_readings(source: str) -> list[int]:
    """Lines that read the wall clock."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)]
    return sorted(node.lineno for node in nodes if _ends_in(ast.unparse(node), _CLOCKS))


def _ends_in(dotted: str, names: set[str]) -> bool:
    return any(dotted == name or dotted.endswith(f".{name}") for name in names)


def asks_the_time(source: str) -> bool:
    """Whether a module takes the moment from shared.clock itself instead of from its caller."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)]
    return any(node.module == "shared.clock" and any(each.name == "now" for each in node.names) for node in nodes)


def circle(imports: Mapping[str, set[str]]) -> list[str]:
    """Modules that import each other in a circle; empty if there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as found:
        return list(found.args[1])
    return []
