"""`dialstream calls tail`: each call is told once, when it has ended, whatever was under way at the first look."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

import pytest

from dialstream_cli.client import Api
from dialstream_cli.commands.calls import Ended


class Calls:
    """An API that has these calls, by number: their status."""

    def __init__(self) -> None:
        self.calls: dict[int, str] = {}

    def pages(
        self, path: str, name: str, query: Mapping[str, Any] | None = None, most: int | None = None
    ) -> Iterator[dict[str, Any]]:
        wanted = (query or {}).get("status")
        for number in sorted(self.calls, reverse=True):
            if wanted in {None, self.calls[number]}:
                yield self._shown(number)

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        return self._shown(int(path.rpartition("/")[2]))

    def _shown(self, number: int) -> dict[str, Any]:
        return {"id": str(number), "number": number, "status": self.calls[number]}


def told(ended: Ended) -> list[int]:
    return [call["number"] for call in ended.look()]


def test_what_ended_before_the_first_look_is_not_told() -> None:
    api = Calls()
    api.calls = {1: "ended", 2: "ended"}
    ended = Ended(cast(Api, api), None)
    assert (told(ended), told(ended)) == ([], [])


def test_a_call_is_told_once_it_has_ended_and_not_again() -> None:
    api = Calls()
    api.calls = {1: "ended", 2: "in_progress"}
    ended = Ended(cast(Api, api), None)
    assert told(ended) == []
    api.calls |= {3: "in_progress"}
    assert told(ended) == []
    api.calls |= {2: "ended", 3: "ended", 4: "ended"}
    assert told(ended) == [2, 3, 4]
    assert told(ended) == []


@pytest.mark.parametrize("between", [1, 2, 3])
def test_calls_that_begin_and_end_between_two_looks_are_told(between: int) -> None:
    api = Calls()
    ended = Ended(cast(Api, api), None)
    assert told(ended) == []
    api.calls = dict.fromkeys(range(1, between + 1), "in_progress")
    assert told(ended) == []
    api.calls = dict.fromkeys(range(1, 2 * between + 1), "ended")
    assert told(ended) == list(range(1, 2 * between + 1))
