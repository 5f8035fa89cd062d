"""`make chart-check`: lints the chart, renders it with each set of values in its `ci/`, and checks what comes out."""

import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import yaml

from deploy.helm.check import faults, missing_parts
from deploy.helm.tool import helm
from deploy.local.home import Home
from shared.errors import DialstreamError, TemporaryError

CHART: Final = Path(__file__).parent / "dialstream"
RELEASE: Final = "check"
HELM_SECONDS: Final = 60


class ChartIsWrong(TemporaryError):
    """Helm refuses the chart or the values; the message has what it said."""


def rendered(binary: Path, values: Path) -> list[dict[str, Any]]:
    """The manifests of one set of values of the chart, hooks included. Raises ChartIsWrong."""
    # Helm takes a comma in a path of values for the end of that path; seen from the chart there is none.
    inside = str(values.relative_to(CHART))
    _run(binary, "lint", "--strict", "--quiet", ".", "--values", inside)
    text = _run(binary, "template", RELEASE, ".", "--values", inside)
    return [manifest for manifest in yaml.safe_load_all(text) if manifest]


def _run(binary: Path, *arguments: str) -> str:
    command: list[str | Path] = [binary, *arguments]
    done = subprocess.run(command, cwd=CHART, capture_output=True, text=True, timeout=HELM_SECONDS, check=False)
    if done.returncode != 0:
        raise ChartIsWrong(f"helm {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout


def main() -> int:
    """Prints what is wrong; the exit code."""
    found: list[str] = []
    try:
        binary = helm(Home.default())
        sets = sorted((CHART / "ci").glob("*-values.yaml"))
        for values in sets:
            manifests = rendered(binary, values)
            found += [f"{values.name}: {fault}" for fault in faults(manifests)]
            found += [f"{values.name}: {fault}" for fault in missing_parts(manifests)]
            print(f"{values.name}: {len(manifests)} manifests")
    except DialstreamError as problem:
        found.append(str(problem))
    print("\n".join(found) if found else f"The chart is right with {len(sets)} sets of values.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
