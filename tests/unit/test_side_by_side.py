"""`make test` itself: what fails in one part fails the run, and the other part is seen to its end."""

from pathlib import Path

import pytest

from tests.side_by_side import MOST_REPEATED, main

TEST = "def test_it(): assert {holds}, 'said when it fails'"
SAID = b"/lib.py:12: DeprecationWarning\nsaid before it\n"
KILLED = f"import os\ndef test_it(): os.write(1, {SAID!r}), os._exit(1)"


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Two parts of one test each: the first fails. No plugins, which take seconds to load."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_ADDOPTS", "")
    files = {"first": tmp_path / "test_first.py", "second": tmp_path / "test_second.py"}
    for name, file in files.items():
        file.write_text(TEST.format(holds=name != "first"))
    return {name: [str(file)] for name, file in files.items()}


def repeated(shown: list[str]) -> list[str]:
    """The lines shown once more of the first part, which ends the run."""
    assert shown[-1] == "first   | ended with exit code 1"
    return shown[shown.index("first   | what failed:") + 1 : -1]


async def test_a_failure_in_one_part_fails_the_run_and_the_other_part_is_run_and_shown(
    parts: dict[str, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert await main(["--tb=short"], parts) == pytest.ExitCode.TESTS_FAILED
    shown = capsys.readouterr().out.splitlines()
    assert [line for line in shown if line.startswith("first ") and "AssertionError: said when it fails" in line]
    assert [line for line in shown if line.startswith("second ") and "1 passed" in line]


async def test_what_failed_is_shown_once_more_at_the_end_and_what_passed_is_not(
    parts: dict[str, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert await main(["--durations=0", "-vv"], parts)
    shown = capsys.readouterr().out.splitlines()
    assert shown[-1] == "second  | ended with exit code 0"
    heading, error, *_, place, summary = repeated(shown[:-1])
    assert "___ test_it ___" in heading
    assert error.endswith("AssertionError: said when it fails")
    assert place.endswith("test_first.py:1: AssertionError")
    assert "test_first.py::test_it - AssertionError: said when it fails" in summary


async def test_of_a_part_that_was_killed_the_last_lines_are_shown_once_more(
    tmp_path: Path, parts: dict[str, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "test_first.py").write_text(KILLED)
    assert await main(["-s"], parts) == 1
    lines = repeated(capsys.readouterr().out.splitlines()[:-1])
    assert lines[-1].endswith("said before it")
    assert 1 < len(lines) <= MOST_REPEATED


async def test_a_run_whose_parts_pass_has_passed(parts: dict[str, list[str]]) -> None:
    assert await main([], {"second": parts["second"]}) == 0
