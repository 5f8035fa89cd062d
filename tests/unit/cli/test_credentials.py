"""Where the API is and with what credential."""

import stat
from pathlib import Path

import pytest

from dialstream_cli.client import stats_of_events
from dialstream_cli.credentials import (
    Login,
    checked_url,
    customer_api,
    file_of,
    from_environment,
    keep,
    kept,
    operator_api,
)
from dialstream_cli.faults import UsageFault

HERE = "http://127.0.0.1:8080"


def test_options_win_over_the_environment_and_that_over_the_file() -> None:
    environment = from_environment({"DIALSTREAM_URL": HERE, "DIALSTREAM_API_KEY": "", "DIALSTREAM_ADMIN_TOKEN": "t"})
    file = Login(url="http://file", key="ak_file.x", operator_token="other")
    assert Login(organization="org").over(environment).over(file) == Login(HERE, "ak_file.x", "org", "t")


def test_a_kept_credential_goes_to_the_address_that_it_was_given_for_alone() -> None:
    file = Login(url=HERE, key="ak_file.x")
    assert Login().completed_by(file) == file
    assert Login(url=f"{HERE}/", operator_token="t").completed_by(file) == Login(f"{HERE}/", "ak_file.x", None, "t")
    assert Login(url="http://elsewhere").completed_by(file) == Login("http://elsewhere")
    assert Login(url="http://elsewhere").completed_by(Login()) == Login("http://elsewhere")


def test_a_login_is_read_back_and_its_file_is_its_owners(tmp_path: Path) -> None:
    file = file_of({"XDG_CONFIG_HOME": str(tmp_path)})
    assert file is not None
    assert kept(file) == Login()
    keep(Login(HERE, "ak_a.b"), file)
    keep(Login(HERE, "ak_c.d", "org"), file)
    assert kept(file) == Login(HERE, "ak_c.d", "org")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for broken in ("[]", "{", '{"colour": "red"}'):
        file.write_text(broken)
        with pytest.raises(UsageFault, match="dialstream login"):
            kept(file)


def test_without_a_home_there_is_no_login_and_none_can_be_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nowhere)
    assert file_of({}) is None
    assert kept(None) == Login()
    with pytest.raises(UsageFault, match="XDG_CONFIG_HOME"):
        keep(Login(HERE, "ak_a.b"), None)
    (tmp_path / "file").write_text("")
    assert kept(tmp_path / "file" / "login.json") == Login(), "a file where the folder should be"


@pytest.mark.parametrize("url", [None, "", "127.0.0.1", "ftp://here", "http://", "http://here:port", "http://[::1"])
def test_an_address_that_is_none_is_refused(url: str | None) -> None:
    with pytest.raises(UsageFault):
        checked_url(Login(url=url))


@pytest.mark.parametrize(
    "login",
    [Login(HERE), Login(HERE, "ak_a.b\n"), Login(HERE, "ak_ä.b"), Login(HERE, "ak_a b"), Login(HERE, "pat_a.b")],
)
def test_a_credential_that_cannot_be_sent_is_refused(login: Login) -> None:
    with pytest.raises(UsageFault):
        customer_api(login)


def test_who_is_asked_as_whom() -> None:
    login = Login(HERE + "/", "pat_a.b", "org", "token")
    assert (customer_api(login).url, customer_api(login).organization) == (HERE, "org")
    assert (operator_api(login).key, operator_api(login).organization) == ("token", None)
    assert customer_api(Login(HERE, "ak_a.b", "org")).organization is None
    with pytest.raises(UsageFault):
        operator_api(Login(HERE, "ak_a.b"))


def test_events_are_read_wherever_they_are_cut() -> None:
    stream = b'event: stats\ndata: {"a": 1}\n\n: ping\n\nevent: stats\ndata: {"a": 2}\n\n'
    for size in (1, 5, len(stream)):
        chunks = [stream[at : at + size] for at in range(0, len(stream), size)]
        assert [*stats_of_events(chunks)] == [{"a": 1}, {"a": 2}]
