"""Supervises a line-up with honcho: when one process ends, all end. Run by supervision.py, not by people.

A process of its own, because honcho wants the main thread, and forks once for each process it runs: that
should be a small process. It reads what to run from its input, tells on its output what starts and stops,
drains at each further byte, and ends everything when its input closes: the kernel closes it, however its parent
has died.
"""

import json
import os
import shlex
import signal
import sys
import threading
from collections.abc import Collection
from typing import Any

from honcho.manager import Manager
from honcho.printer import Message, Printer


class Supervisor(Manager):
    """honcho's manager, which can also end some of its processes and leave the others up until it is told to end."""

    draining = False

    def drain(self, names: Collection[str]) -> None:
        """Tells these processes to end; that they do ends nothing else."""
        self.draining = True
        for name in names:
            process = self._processes[name]
            if "pid" in process and "returncode" not in process:
                self._procmgr.terminate(process["pid"])

    def _any_stopped(self) -> bool:
        if self.draining and not self._terminating:
            return False
        stopped: bool = super()._any_stopped()  # type: ignore[no-untyped-call]
        return stopped


class PlainPrinter(Printer):
    """Passes on honcho's own lines; the processes' output goes straight to their log files."""

    def __init__(self) -> None:
        super().__init__(sys.stdout)  # type: ignore[no-untyped-call]

    def write(self, message: Message) -> None:
        """One line, unbuffered: honcho also prints in signal handlers."""
        try:
            os.write(1, message.data.encode())
        except BrokenPipeError:
            # The parent is gone. There is nobody to tell, and still everything to stop.
            return


def main() -> int:
    """Run until one process ends or we are told to stop; honcho's exit code."""
    plan: list[dict[str, Any]] = json.loads(sys.stdin.readline())
    supervisor = Supervisor(PlainPrinter())  # type: ignore[no-untyped-call]
    manager: Manager = supervisor
    for process in plan:
        command = f"exec {shlex.join(process['command'])} >>{shlex.quote(process['log'])} 2>&1"
        manager.add_process(process["name"], command, env=process["environment"], cwd=process["folder"])
    drained = [process["name"] for process in plan if process["drained"]]
    threading.Thread(target=_obey_parent, args=(supervisor, drained), daemon=True).start()
    manager.loop()
    return manager.returncode or 0


def _obey_parent(manager: Supervisor, drained: Collection[str]) -> None:
    while os.read(0, 1):
        manager.drain(drained)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
