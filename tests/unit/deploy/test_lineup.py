from deploy.local.credentials import Credentials
from deploy.local.lineup import Counts, build_lineup
from deploy.local.servers import Addresses


def test_one_member_can_be_run_by_another_module() -> None:
    addresses, counts = Addresses("127.0.0.1:9092", "mongodb://127.0.0.1:27017"), Counts(executors=2)
    instead = {"executor-1": "tests.chaos.in_process_executor"}
    usual = build_lineup(addresses, Credentials.new(), counts)
    lineup = build_lineup(addresses, Credentials.new(), counts, instead=instead)
    assert [member.module for member in usual.executors] == ["services.call_executor"] * 2
    assert [member.command[-1] for member in lineup.executors] == ["services.call_executor", instead["executor-1"]]
    others = [member.module for member in lineup.members[:-2]]
    assert others == [member.module for member in usual.members[:-2]]
    assert lineup.executors[1].environment.keys() == lineup.executors[0].environment.keys()
