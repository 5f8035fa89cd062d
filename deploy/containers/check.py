"""The whole compose file, run: built, started, dialed with executors that end, taken down, and found again."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Final

from deploy.containers import facts
from deploy.containers.dialing import CONTACTS, EXECUTORS, PromiseBroken, dial_while_executors_end, statistics
from deploy.containers.engine import Engine
from deploy.containers.project import Project
from shared.clock import monotonic

IDLE_SECONDS: Final = 20.0
# Shares of a core, all containers together. With health checks that start a JVM or a Python it took 0.73.
IDLE_SHARE: Final = 0.45
SHOWN_LINES: Final = 5


def check(engine: Engine, say: Callable[[str], None]) -> None:
    """Raises PromiseBroken with what does not hold, ComposeFailed when a step fails; leaves nothing behind."""
    project = Project.new(engine)

    @contextlib.contextmanager
    def step(name: str) -> Iterator[None]:
        began = monotonic()
        yield
        say(f"{monotonic() - began:6.1f} s  {name}")

    # A new build takes the name from the one before, which is then nameless; it must be the only one.
    images = _nameless_images(engine) | _ids_of(engine, project.image)
    try:
        with step("the image is built"):
            project.run("build")
        with step(f"all is up and healthy, {EXECUTORS} executors"):
            project.run("up", "--detach", "--wait", f"--scale=call-executor={EXECUTORS}")
        _must_be_none(facts.faults(project))
        with step("idle"):
            _check_idle(project, say)
        with step(f"{CONTACTS} contacts are dialed, one executor stopped, one killed"):
            said = dial_while_executors_end(project)
        say("".join(f"    {line}\n" for line in said.splitlines()[-SHOWN_LINES:]).rstrip())
        before = statistics(project)
        with step("down"):
            project.run("down")
        with step("up again"):
            project.run("up", "--detach", "--wait")
        if not before or statistics(project) != before:
            raise PromiseBroken(f"the campaigns were {before} and are {statistics(project)}")
        say("          the campaign and its statistics are still there")
    finally:
        with step("down, with its data"):
            project.run("down", "--volumes", "--timeout", "10")
    if engine.is_ours:
        # In an engine that others use, too, they may be theirs.
        _must_be_none([f"the image {name} was left behind" for name in _nameless_images(engine) - images])


def _check_idle(project: Project, say: Callable[[str], None]) -> None:
    shares = facts.idle_shares(project, IDLE_SECONDS)
    memory = facts.memory_bytes(project)
    for name, share in sorted(shares.items()):
        say(f"          {name}: {share:.1%} of a core, {memory[name] / 1e6:.0f} MB")
    say(f"          in all {sum(shares.values()):.1%} of a core, {sum(memory.values()) / 1e6:.0f} MB")
    if sum(shares.values()) > IDLE_SHARE:
        raise PromiseBroken(f"the idle system takes {sum(shares.values()):.0%} of a core, more than {IDLE_SHARE:.0%}")


def _must_be_none(found: list[str]) -> None:
    if found:
        raise PromiseBroken("\n".join(found))


def _ids_of(engine: Engine, image: str) -> set[str]:
    return {str(found.id) for found in engine.client.images.list(name=image)}


def _nameless_images(engine: Engine) -> set[str]:
    return {str(image.id) for image in engine.client.images.list(filters={"dangling": True})}
