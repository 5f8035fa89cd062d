"""The dialing protocol against every promise of the design, in orders that nobody has thought of.

The real store functions, the real placer and reconciler, a real MongoDB. `DIALSTREAM_PROTOCOL_EXAMPLES` is the number
of runs, and `DIALSTREAM_FUZZ_SEED` chooses them; by default there are few and always the same.
"""

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.fuzzing import SEED, examples
from tests.integration.protocol.machine import ProtocolMachine
from tests.integration.protocol.stage import Stage

RUNS = settings(
    max_examples=examples("PROTOCOL", 25),
    stateful_step_count=40,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    # Explaining a failure would run it many times more than finding it.
    phases=[Phase.generate, Phase.shrink],
)


def test_no_order_of_events_breaks_a_promise(stage: Stage) -> None:
    ProtocolMachine.stage = stage
    run_state_machine_as_test(seed(SEED)(ProtocolMachine), settings=RUNS)
    print(dict(ProtocolMachine.figures))  # noqa: T201 - what a long run has covered, seen with -s
