"""The whole tree obeys the house rules, and each rule bites on a bad example."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

from tests.architecture import house

ROOT = Path(__file__).parents[2]
PRODUCT = ("shared", "services", "kehu")
SERVICES = sorted(path.parent for path in (ROOT / "services").glob("*/__init__.py"))
FEATURES = sorted(
    path.parent
    for path in (ROOT / "services").glob("*/*/__init__.py")
    if path.parent.name not in ("migrations", "static", "templates", "texts")
)
COMMITTERS = {
    "shared/db.py": "the one commit of every door",
    "shared/deadletters.py": "a replay that fails again is noted, and then refused",
    "shared/migrations.py": "alembic",
}
CLOCK = {"shared/clock.py"}
ALWAYS = (
    "README.md",
    "__init__.py",
    "__main__.py",
    "app.py",
    "settings.py",
    "tables.py",
    "migrations/env.py",
    "migrations/script.py.mako",
)


def sources(*folders: str) -> Iterator[tuple[str, str]]:
    """Path below the repository and text, of every Python file of ours."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8")


EVERYTHING = [*sources(*PRODUCT, "tests", "bench")]
OURS = [*sources(*PRODUCT)]


def test_no_file_is_longer_than_a_reader_keeps_in_mind() -> None:
    assert [path for path, source in EVERYTHING if house.is_long(source)] == []
    assert house.is_long("x = 1\n" * 401)
    assert not house.is_long("x = 1\n" * 400)


def test_no_function_is_longer_than_a_screen() -> None:
    assert [(p, f) for p, s in OURS if "/migrations/versions/" not in p for f in house.long_functions(s)] == []
    body = "    x = 1\n" * 41
    assert house.long_functions(f"def long():\n{body}") == ["long"]
    assert house.long_functions(f'def documented():\n    """{"line" + chr(10) * 50}"""\n    return 1\n') == []
    assert house.long_functions(f"def outer():\n    async def inner():\n{body.replace('    ', '        ')}") == [
        "inner"
    ]


def test_no_file_is_named_for_nothing() -> None:
    assert [path for path, _ in EVERYTHING if house.banned_file(Path(path))] == []
    assert house.banned_file(Path("shared/utils.py"))
    assert house.banned_file(Path("services/x/date_helpers.py"))
    assert house.banned_file(Path("shared/common/money.py"))
    assert not house.banned_file(Path("services/customer/database.py"))


def test_no_class_is_named_by_its_pattern() -> None:
    assert [(path, name) for path, source in EVERYTHING for name in house.banned_classes(source)] == []
    assert house.banned_classes("class CacheManager: ...\nclass BaseReader: ...\nclass Basement: ...") == [
        "CacheManager",
        "BaseReader",
    ]


def test_transactions_end_in_one_place() -> None:
    assert [(p, lines) for p, s in OURS if p not in COMMITTERS and (lines := house.commits(s))] == []
    assert house.commits("await tx.commit()\nx = 'COMMIT'\nawait c.execute(' BEGIN; SELECT 1')\ny = {'commit': 1}") == [
        1,
        2,
        3,
    ]


def test_the_wall_clock_is_read_in_one_place() -> None:
    assert [
        (p, lines) for p, s in sources("shared", "services") if p not in CLOCK and (lines := house.clock_readings(s))
    ] == []
    assert house.clock_readings("a = datetime.now(UTC)\nb = dt.datetime.utcnow()\nc = time.time()\nd = now()") == [
        1,
        2,
        3,
    ]


def test_rules_get_the_time_from_their_caller() -> None:
    rules = [(path, source) for path, source in OURS if path.endswith("/rules.py")]
    assert rules
    assert [path for path, source in rules if house.asks_the_time(source)] == []
    assert house.asks_the_time("from shared.clock import CHINA, now")


def test_nothing_imports_in_a_circle() -> None:
    graph = grimp.build_graph(*PRODUCT, exclude_type_checking_imports=True, cache_dir=None)
    imports = {module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules}
    assert house.circle(imports) == []
    assert house.circle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) != []


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_every_service_has_the_same_shape(service: Path) -> None:
    assert [name for name in ALWAYS if not (service / name).is_file()] == []
    assert list((service / "migrations" / "versions").glob("*.py"))
    main = (service / "__main__.py").read_text("utf-8")
    assert f"from services.{service.name}.app import SERVICE" in main
    assert "main(SERVICE)" in main
    readme = (service / "README.md").read_text("utf-8")
    assert len(readme.splitlines()) <= 80, "a service's README fits on a page"


@pytest.mark.parametrize("feature", FEATURES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_every_feature_stands_under_the_contract_of_its_files(feature: Path) -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (roles,) = [each for each in contracts if "(routes)" in each.get("layers", ())]
    assert ".".join(feature.relative_to(ROOT).parts) in roles["containers"]


def test_every_module_says_what_it_is_for() -> None:
    silent = [path for path, source in OURS if source.strip() and ast.get_docstring(ast.parse(source)) is None]
    assert [path for path in silent if "/migrations/versions/" not in path] == []


def test_nothing_names_the_place_where_it_was_written() -> None:
    """Paths of a developer's machine and addresses of package registries have no business in the product."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    places = re.compile("|".join((r"/wo" r"rk/", r"/ro" r"ot/", r"/ho" r"me/\w", r"files\.python" r"hosted\.org")))
    found = []
    for name in filter(None, tracked.split("\0")):
        path = ROOT / name
        if path.suffix in (".py", ".md", ".toml", ".yaml", ".yml", ".txt", ".json", ".cfg", "") and path.is_file():
            text = path.read_text("utf-8", errors="replace")
            found += [f"{name}: {match.group()}" for match in places.finditer(text)]
    assert found == []
