"""`dialstream` among servers that are none of ours, closed pipes, terminals of few letters, and no home."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from threading import Thread

import pytest

from dialstream_cli import __version__

STATS = {
    "status": "active",
    "contacts": {"total": 9, "pending": 0, "in_progress": 0, "completed": 9, "exhausted": 0, "error": 0, "skipped": 0},
    "active_calls": 0,
    "concurrency_limit": 10,
    "last_minute": {"placed": 120},
    "forecast": {"ends_at": "2027-03-05T15:30:00Z"},
}
COMMAND = (sys.executable, "-m", "dialstream_cli")


class Server(ThreadingHTTPServer):
    """Answers GET by the path alone: its status, its bytes."""

    answers: dict[str, tuple[int, bytes]]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        status, body = self.server.answers.get(self.path.partition("?")[0], (404, b"{}"))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as made:
        made.answers = {"/campaign/timezones": (200, b'{"timezones": []}')}
        thread = Thread(target=made.serve_forever, args=(0.02,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def environment(server: Server | None, home: Path, **more: str) -> dict[str, str]:
    given = {"XDG_CONFIG_HOME": str(home), "DIALSTREAM_API_KEY": "ak_a.b", "PATH": os.environ["PATH"]}
    return given | ({"DIALSTREAM_URL": server.url} if server else {}) | more


def run(
    *arguments: str | bytes, env: dict[str, str], stdin: str = "", stdout: int = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    ran = subprocess.run(
        [*COMMAND, *arguments],
        env=env,
        input=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert "Traceback" not in ran.stderr, ran.stderr
    return ran


def campaigns(*names: str) -> tuple[int, bytes]:
    rows = [{"id": str(number), "name": name} for number, name in enumerate(names)]
    return 200, json.dumps({"campaigns": rows, "next_cursor": None}).encode()


def test_the_version_is_the_packages(tmp_path: Path) -> None:
    assert run("--version", env=environment(None, tmp_path)).stdout == f"{__version__}\n"
    assert __version__ == version("dialstream")


@pytest.mark.parametrize("answer", [b"[]", b"{}", b'{"campaigns": 1}', b"<html>", b"\xff", b""])
def test_answers_of_another_server_are_named_so(server: Server, tmp_path: Path, answer: bytes) -> None:
    server.answers["/campaign/campaigns"] = (200, answer)
    ran = run("campaigns", "list", env=environment(server, tmp_path))
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "no answer of campaign-api" in ran.stderr


def test_a_reader_that_has_had_enough_is_no_fault(server: Server, tmp_path: Path) -> None:
    server.answers["/campaign/campaigns"] = campaigns("Spring")
    server.answers["/campaign/campaigns/0/calls.csv"] = (200, b"id,number\n" * 100_000)
    for arguments in (("campaigns", "list"), ("calls", "export", "0")):
        reader, writer = os.pipe()
        os.close(reader)
        ran = run(*arguments, env=environment(server, tmp_path), stdout=writer)
        os.close(writer)
        assert (ran.returncode, ran.stderr) == (0, "")


def test_letters_that_the_terminal_lacks_do_not_end_a_list(server: Server, tmp_path: Path) -> None:
    server.answers["/campaign/campaigns"] = campaigns("Zoë 東京", "Spring")
    for letters, shown in (("iso-8859-1", "Zoë ??"), ("utf-8", "Zoë 東京")):
        env = environment(server, tmp_path, PYTHONIOENCODING=letters)
        ran = subprocess.run([*COMMAND, "campaigns", "list"], env=env, capture_output=True, timeout=60, check=False)
        assert (ran.returncode, ran.stderr) == (0, b"")
        lines = ran.stdout.decode(letters).splitlines()
        assert [line.split("\t")[2] for line in lines[1:]] == [shown, "Spring"]


@pytest.mark.parametrize(
    ("arguments", "more", "said"),
    [
        pytest.param(("campaigns", "why", b"\xff"), {}, "UTF-8", id="bytes that are no text"),
        pytest.param(("campaigns", "why", ""), {}, "is no id", id="an empty id"),
        pytest.param(("campaigns", "why", ".."), {}, "is no id", id="a way out of the path"),
        pytest.param(("campaigns", "list"), {"HTTP_PROXY": "garbage"}, "HTTP_PROXY", id="a proxy that is none"),
        pytest.param(("campaigns", "list"), {"http_proxy": "socks5://h:1"}, "HTTP_PROXY", id="another kind of proxy"),
        pytest.param(
            ("--organization", "a\nb", "campaigns", "list"),
            {"DIALSTREAM_API_KEY": "pat_a.b"},
            "DIALSTREAM_ORGANIZATION_ID",
            id="an organization that no header can carry",
        ),
    ],
)
def test_what_cannot_be_sent_is_a_wrong_use(
    server: Server, tmp_path: Path, arguments: tuple[str | bytes, ...], more: dict[str, str], said: str
) -> None:
    ran = run(*arguments, env=environment(server, tmp_path, **more))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert said in ran.stderr


def test_a_login_that_cannot_be_read_is_written_anew(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "dialstream" / "login.json"
    file.parent.mkdir()
    file.write_text("{")
    env = environment(None, tmp_path)
    assert run("campaigns", "list", env=env).returncode == 2
    made = run("login", server.url, "--json", env=env, stdin="ak_c.d\n")
    assert (made.returncode, json.loads(made.stdout)) == (0, {"url": server.url, "file": str(file)})
    assert json.loads(file.read_text())["key"] == "ak_c.d"
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_login_without_a_key_or_a_folder_is_refused(server: Server, tmp_path: Path) -> None:
    assert run("login", server.url, env=environment(None, tmp_path)).returncode == 2
    (tmp_path / "taken").write_text("")
    ran = run("login", server.url, env=environment(None, tmp_path / "taken"), stdin="ak_c.d\n")
    assert ran.returncode == 2
    assert "cannot be written" in ran.stderr


def test_a_key_on_standard_input_is_read_there_and_not_from_the_terminal(server: Server, tmp_path: Path) -> None:
    # A terminal of its own, as people have one: its keyboard says nothing.
    login = f"echo ak_c.d | {shlex.join(COMMAND)} login {server.url}"
    spawn = f"import pty, sys; sys.exit(pty.spawn(['sh', '-c', {login!r}]) != 0)"
    ran = subprocess.run(
        [sys.executable, "-c", spawn],
        env=environment(None, tmp_path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    assert json.loads((tmp_path / "dialstream" / "login.json").read_text())["key"] == "ak_c.d"


def test_numbers_that_are_watched_stay_on_one_line_of_a_narrow_terminal(server: Server, tmp_path: Path) -> None:
    server.answers["/campaign/campaigns/0/events"] = (200, f"event: stats\ndata: {json.dumps(STATS)}\n\n".encode())
    watch = [*COMMAND, "campaigns", "watch", "0", "--until-done"]
    ran = subprocess.run(
        [sys.executable, "-c", f"import pty; pty.spawn({watch!r})"],
        env=environment(server, tmp_path, COLUMNS="40", TERM="xterm"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    [line] = [part for part in ran.stdout.decode().replace("\x1b[2K", "").split("\r") if part.strip()]
    assert line == "active  9 of 9 done, 9 completed  calls"


def test_the_doctor_does_not_call_good_what_it_has_not_seen(server: Server, tmp_path: Path) -> None:
    server.answers |= {"/health/live": (200, b'{"status": "live"}'), "/health/ready": (502, b"<html>")}
    ran = run("doctor", "--json", env=environment(server, tmp_path))
    states = {row["part"]: row["state"] for row in json.loads(ran.stdout)}
    assert (states["API"], states["Kafka"], states["MongoDB"]) == ("good", "not looked at", "not looked at")
    server.answers["/health/ready"] = (503, b'{"status": "not ready", "detail": "Away: kafka.", "away": ["kafka"]}')
    ran = run("doctor", "--json", env=environment(server, tmp_path))
    states = {row["part"]: row["state"] for row in json.loads(ran.stdout)}
    assert (ran.returncode, states["Kafka"], states["MongoDB"]) == (1, "wrong", "good")
