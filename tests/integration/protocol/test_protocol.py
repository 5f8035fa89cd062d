"""The dialing protocol against every promise of the design, in orders that nobody has thought of.

The real store functions, the real placer and reconciler, a real MongoDB. `DIALSTREAM_PROTOCOL_EXAMPLES`
sets the number of runs; by default there are few and always the same, longer runs take new ones each time.
"""

import os

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.integration.protocol.machine import ProtocolMachine
from tests.integration.protocol.stage import Stage

EXAMPLES = os.environ.get("DIALSTREAM_PROTOCOL_EXAMPLES")
RUNS = settings(
    max_examples=int(EXAMPLES or 25),
    stateful_step_count=40,
    derandomize=EXAMPLES is None,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    # Explaining a failure would run it many times more than finding it.
    phases=[Phase.generate, Phase.shrink],
)


def test_no_order_of_events_breaks_a_promise(stage: Stage) -> None:
    ProtocolMachine.stage = stage
    run_state_machine_as_test(ProtocolMachine, settings=RUNS)
    print(dict(ProtocolMachine.figures))  # noqa: T201 - what a long run has covered, seen with -s
