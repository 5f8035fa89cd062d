"""`make test` itself: what fails in one part fails the run, and the other part is seen to its end."""

from pathlib import Path

import pytest

from tests.side_by_side import main

TEST = "def test_it(): assert {holds}, 'said when it fails'"


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Two parts of one test each: the first fails. No plugins, which take seconds to load."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_ADDOPTS", "")
    files = {"first": tmp_path / "test_first.py", "second": tmp_path / "test_second.py"}
    for name, file in files.items():
        file.write_text(TEST.format(holds=name != "first"))
    return {name: [str(file)] for name, file in files.items()}


async def test_a_failure_in_one_part_fails_the_run_and_the_other_part_is_run_and_shown(
    parts: dict[str, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert await main(["--tb=short"], parts) == pytest.ExitCode.TESTS_FAILED
    shown = capsys.readouterr().out.splitlines()
    assert [line for line in shown if line.startswith("first ") and "AssertionError: said when it fails" in line]
    assert [line for line in shown if line.startswith("second ") and "1 passed" in line]


async def test_a_run_whose_parts_pass_has_passed(parts: dict[str, list[str]]) -> None:
    assert await main([], {"second": parts["second"]}) == 0
