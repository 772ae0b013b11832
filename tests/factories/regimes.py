"""Measures that no test changes: the real ones, and the real ones with roles of the tests' own."""

import atexit
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

REGIMES = Path(__file__).parents[2] / "regimes"
READ_ONCE = {REGIMES}
"""Folders that are read once a run, since reading them takes longer than many a test."""


def with_roles(roles: Mapping[str, str]) -> Path:
    """The real measures with further roles, YAML by name; made once, gone with the process."""
    folder = Path(tempfile.mkdtemp(prefix="kehu-regimes-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    root = Path(shutil.copytree(REGIMES, folder / "regimes"))
    for name, role in roles.items():
        (root / "company" / "role" / f"{name}.yaml").write_text(role, encoding="utf-8")
    READ_ONCE.add(root)
    return root
