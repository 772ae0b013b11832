"""`python -m shared.regime check|schemas [ROOT]`: check the definitions, or write the schemas that editors use."""

import sys
from pathlib import Path

from shared.regime.loader import inspect
from shared.regime.schemas import stale, write

USAGE = "usage: python -m shared.regime check|schemas [ROOT]\n"


def main(arguments: list[str]) -> int:
    """Run one command; return 0 only if all is well."""
    if not arguments or arguments[0] not in {"check", "schemas"} or len(arguments) > 2:
        sys.stderr.write(USAGE)
        return 2
    root = Path(arguments[1] if len(arguments) == 2 else "regimes")
    if arguments[0] == "schemas":
        write(root)
        return 0
    _, problems = inspect(root)
    complaints = [*map(str, problems), *(f"schemas/{name}: stale; write the schemas anew" for name in stale(root))]
    sys.stdout.writelines(f"{complaint}\n" for complaint in complaints)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
