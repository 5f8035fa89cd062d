"""What the crowd takes for an answer, while one of two APIs is frozen with a request of its in hand."""

from http import HTTPStatus
from types import SimpleNamespace
from typing import Any, cast

import pytest

from deploy.demo.client import Api, Refused
from tests.chaos import asking
from tests.chaos.asking import Asking

FROZEN, WELL = "http://frozen", "http://well"


class AskingOfTwo(Asking):
    """One API is frozen, until it is asked whether it is well again: what it was asked is done then."""

    def __init__(self) -> None:
        apis = [SimpleNamespace(url=FROZEN), SimpleNamespace(url=WELL)]
        super().__init__(cast(Any, SimpleNamespace(lineup=SimpleNamespace(apis=apis), session=None)))
        self.is_frozen = True

    async def _is_ready(self, url: str) -> bool:
        self.is_frozen = False
        return True


@pytest.mark.parametrize("at_first", [None, HTTPStatus.CONFLICT])
async def test_what_is_said_while_a_request_may_still_be_carried_out_does_not_count(
    monkeypatch: pytest.MonkeyPatch, at_first: HTTPStatus | None
) -> None:
    """A deletion, refused by one API because its contact was on the line, was carried out by the other one later."""
    monkeypatch.setattr(asking, "ASK_AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(asking, "LAST_REQUESTS_SECONDS", 0.0)
    crowd, statuses = AskingOfTwo(), iter([at_first, HTTPStatus.NOT_FOUND])

    async def delete(api: Api) -> None:
        if api.url == FROZEN and crowd.is_frozen:
            raise TimeoutError
        status = next(statuses)
        if status is not None:
            raise Refused(status, {})

    with pytest.raises(Refused) as refused:
        await crowd.certainly("key", delete)
    assert (refused.value.status, crowd.is_frozen) == (HTTPStatus.NOT_FOUND, False)
