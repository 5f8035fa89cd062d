"""A list dialed in containers while one executor is stopped and one killed; judged by the carrier's books."""

import threading
from collections.abc import Iterable
from typing import Any, Final

import requests

from deploy.containers.project import Project
from deploy.demo.customer import ORGANIZATION
from shared.clock import monotonic
from shared.errors import TemporaryError

CONTACTS: Final = 200
EXECUTORS: Final = 3
# The carrier is asked about the killed one's calls once they are PLACE + SETTLE old, twice at most, and calls again.
DIAL_SECONDS: Final = 300
BACK_SECONDS: Final = 60.0
LOOK_SECONDS: Final = 0.2
REQUEST_SECONDS: Final = 10
CALLS_ARE_UP: Final = "calls at once"
NO_CALLS: Final = " 0 of "
# Everything that this container may end, its first process excepted, which is protected and then ends by itself.
KILL: Final = ("bash", "-c", "kill -KILL -1")


class PromiseBroken(TemporaryError):
    """Something did not hold that the README says; the message has what was seen."""


def dial_while_executors_end(project: Project) -> str:
    """Dials the list; once calls are up, stops the second executor and kills the third. What the demo has printed.

    Raises PromiseBroken when the carrier's books are not clean, the stopped one did not end in order, or the killed one
    has not come back.
    """
    _, stopped, killed = project.containers("call-executor")
    said: list[str] = []
    with project.running("run", "--rm", "--no-TTY", "demo", "--contacts", str(CONTACTS)) as demo:
        guard = threading.Timer(DIAL_SECONDS, demo.terminate)
        guard.start()
        assert demo.stdout is not None
        ended = False
        for line in demo.stdout:
            said.append(line)
            if not ended and CALLS_ARE_UP in line and NO_CALLS not in line:
                killed.exec_run(KILL)
                stopped.stop(timeout=30)
                ended = True
        code = demo.wait()
        guard.cancel()
    text = "".join(said)
    if code != 0 or not ended:
        raise PromiseBroken(f"the demo ended with {code}, executors {'ended' if ended else 'never had calls'}:\n{text}")
    stopped.reload()
    if stopped.attrs["State"]["ExitCode"] != 0:
        raise PromiseBroken(f"{stopped.name} was stopped and ended with {stopped.attrs['State']['ExitCode']}")
    _wait_until_back(killed)
    return text


def _wait_until_back(killed: Any) -> None:
    deadline = monotonic() + BACK_SECONDS
    while True:
        killed.reload()
        state = killed.attrs["State"]
        if killed.attrs["RestartCount"] and state["Running"] and state["Health"]["Status"] == "healthy":
            return
        if monotonic() > deadline:
            raise PromiseBroken(f"{killed.name} was killed and has not come back: {state}")
        threading.Event().wait(LOOK_SECONDS)


def statistics(project: Project) -> list[dict[str, Any]]:
    """The statistics of every campaign of the demo's organization, in the order of the API."""
    operator = {"Authorization": f"Bearer {project.admin_token}"}
    organizations = _json(requests.get(f"{project.url}/admin/organizations", headers=operator, timeout=REQUEST_SECONDS))
    demo = next(found for found in organizations["organizations"] if found["name"] == ORGANIZATION)
    wanted = {"organization_id": demo["id"], "name": "check"}
    made = requests.post(
        f"{project.url}/admin/organization-pats", json=wanted, headers=operator, timeout=REQUEST_SECONDS
    )
    customer = {"Authorization": f"Bearer {_json(made)['key']}"}

    def ask(path: str) -> Any:
        return _json(requests.get(project.url + path, headers=customer, timeout=REQUEST_SECONDS))

    campaigns: Iterable[dict[str, Any]] = ask("/campaign/campaigns")["campaigns"]
    return [ask(f"/campaign/campaigns/{campaign['id']}/stats") for campaign in campaigns]


def _json(answer: requests.Response) -> Any:
    answer.raise_for_status()
    return answer.json()
