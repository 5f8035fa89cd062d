"""Why a command cannot do what was asked for, and the exit code of each kind (docs/cli.md)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_NOT_REACHABLE: Final = 3


class CommandFault(Exception):
    """A command that ends with `exit_code`; its text is a sentence for the person at the terminal."""

    exit_code: int = EXIT_FAILED


class UsageFault(CommandFault):
    """Arguments, environment or credentials that cannot work; call the command differently."""

    exit_code = EXIT_USAGE


class NotReachable(CommandFault):
    """A server that does not answer, or says that one behind it is away; try again, or run `dialstream doctor`."""

    exit_code = EXIT_NOT_REACHABLE


class Refused(CommandFault):
    """A request that the API has refused; `errors` names every bad value of a 422 (`loc`, `msg`, `type`)."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        self.status = status
        self.detail = str(body.get("detail", f"HTTP {status}"))
        self.errors: Sequence[Mapping[str, Any]] = body.get("errors", ())
        super().__init__("\n".join([self.detail, *map(_named, self.errors)]))


def _named(error: Mapping[str, Any]) -> str:
    return f"  {'.'.join(map(str, error['loc']))}: {error['msg']}"
