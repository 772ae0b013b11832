"""`python -m bench [--data DIR] [name ...]`: run all benchmarks or those named; print a table; all: write
docs/benchmarks.md. With DIR the populations that benchmarks share (bench.population) stay there for the next run."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path

import uvloop

from bench.figures import Figure, machine, table
from bench.population import KEEPER
from shared.clock import now

NAMES = (
    "authority",
    "customer_list",
    "customer_search",
    "customer_change",
    "review_due",
    "role_change",
    "relay",
    "audit_append",
    "change_to_audit",
    "grade_recheck",
    "regrade",
    "submission",
    "exchange",
)


def main() -> None:
    """Exit status 1 if a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--data", type=Path, metavar="DIR", help="where shared populations are kept")
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(NAMES))
    given = parser.parse_args()
    KEEPER.folder = given.data
    chosen = given.names or list(NAMES)
    figures: list[Figure] = []
    for name in chosen:
        module = importlib.import_module(f"bench.{name}")
        print(f"… {name}", flush=True)
        os.sync()  # else what one has written keeps the disk busy while the next is measured
        found = uvloop.run(module.run())  # as the services do
        print(table(found), flush=True)
        figures += found
    if not given.names:
        page = Path("docs/benchmarks.md")
        head = page.read_text("utf-8").partition("<!-- figures -->")[0] if page.exists() else "# Benchmarks\n\n"
        stamp = f"Measured on {now():%Y-%m-%d}, {machine()}; medians of several runs.\n\n"
        page.write_text(f"{head}<!-- figures -->\n\n{stamp}{table(figures)}\n", "utf-8")
    sys.exit(0 if all(figure.met for figure in figures) else 1)


if __name__ == "__main__":
    main()
