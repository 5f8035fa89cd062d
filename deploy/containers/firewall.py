"""The machine's network as it was before a Docker engine of ours.

An engine leaves its bridge, its chains and rules behind, packets of others no longer forwarded, and forwarding switched
on. Only what is Docker's is removed: rules that others add meanwhile stay.
"""

import contextlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

FORWARDING: Final = Path("/proc/sys/net/ipv4/ip_forward")
BRIDGE: Final = "docker0"
_DOCKERS: Final = re.compile(r"\bDOCKER\b|\bDOCKER-[A-Z0-9-]+\b|\bdocker0\b|\bbr-[0-9a-f]{12}\b")
_FORWARD: Final = re.compile(r"^:FORWARD \w+", re.MULTILINE)


@contextlib.contextmanager
def as_it_was() -> Iterator[None]:
    """After the block the machine's network is as before it. Does nothing where another engine has its bridge."""
    if Path("/sys/class/net", BRIDGE).exists():
        yield
        return
    forwarding, rules = FORWARDING.read_text(), _rules()
    try:
        yield
    finally:
        restored = without_docker(_rules(), rules)
        subprocess.run(["iptables-restore"], input=restored, text=True, capture_output=True, check=False)
        subprocess.run(["ip", "link", "delete", BRIDGE], capture_output=True, check=False)
        FORWARDING.write_text(forwarding)


def without_docker(now: str, before: str) -> str:
    """The rules of `now` without Docker's, forwarding by the policy of `before`; both as of `iptables-save`."""
    kept = "".join(line for line in now.splitlines(keepends=True) if not _DOCKERS.search(line))
    policy = _FORWARD.search(before)
    return _FORWARD.sub(policy.group() if policy else ":FORWARD ACCEPT", kept)


def _rules() -> str:
    return subprocess.run(["iptables-save"], capture_output=True, text=True, check=True).stdout
