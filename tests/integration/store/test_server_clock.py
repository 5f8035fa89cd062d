from datetime import timedelta

from shared.clock import utc_now
from shared.store.client import Store
from shared.store.dialing.shard_catalog import server_now


async def test_the_servers_clock_can_be_compared_with_stored_stamps(store: Store) -> None:
    assert (await server_now(store)).utcoffset() == timedelta(0)
    assert abs(await server_now(store) - utc_now()) < timedelta(minutes=5)
