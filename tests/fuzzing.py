"""What the tests with random input try: the same in every run, unless the environment says otherwise (`make fuzz`)."""

import os
from typing import Final

SEED: Final = int(os.environ.get("DIALSTREAM_FUZZ_SEED", "1"))


def examples(of: str, usual: int) -> int:
    """How many a test tries: as DIALSTREAM_<of>_EXAMPLES says, or else `usual`."""
    return int(os.environ.get(f"DIALSTREAM_{of}_EXAMPLES", usual))
