"""A module that nobody can read in one sitting is two modules."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("deploy", "dialstream_cli", "services", "shared", "tests")
MOST_LINES = 400


def test_no_module_is_longer_than_400_lines() -> None:
    modules = [module for folder in FOLDERS for module in (ROOT / folder).rglob("*.py")]
    assert len(modules) > 300
    lines = {str(module.relative_to(ROOT)): len(module.read_text(encoding="utf-8").splitlines()) for module in modules}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}
