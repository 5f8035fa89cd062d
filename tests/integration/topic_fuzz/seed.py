"""The seed of this run; set DIALSTREAM_FUZZ_SEED to have other messages."""

import os
from typing import Final

SEED: Final = int(os.environ.get("DIALSTREAM_FUZZ_SEED", "1"))
