"""`/metrics` says which servers are away, asked at the scrape."""

from shared.health import exposition


async def test_a_server_that_is_away_is_a_metric_until_it_is_back() -> None:
    reached = [True, False, True]

    async def ping() -> bool:
        return reached.pop(0)

    for away in (b"0.0", b"1.0", b"0.0"):
        assert b'dialstream_server_away{server="kafka"} ' + away in await exposition({"Kafka": ping})


async def test_a_check_of_the_services_own_work_is_no_server() -> None:
    async def fails() -> bool:
        return False

    assert b'server="consumer"' not in await exposition({"consumer": fails})
