"""Stored secrets: what the keys of DIALSTREAM_SECRET_KEY open, and what they do not."""

import pytest
from pydantic import SecretStr, ValidationError

from shared.errors import SecretKeyMissing, SecretUnreadable
from shared.settings import SecretSettings
from shared.stored_secrets import SecretCipher, derived_key, secret_keys

OLD, NEW = "old-" + "0" * 32, "new-" + "1" * 32


def cipher(*keys: str) -> SecretCipher:
    return SecretCipher(SecretStr(",".join(keys)))


def test_a_secret_is_read_as_it_was_stored_and_cannot_be_seen_in_what_is_stored() -> None:
    stored = cipher(NEW).encrypt("geheim ß \n")
    assert "geheim" not in stored
    assert cipher(NEW).decrypt(stored) == "geheim ß \n"


def test_the_first_key_writes_and_all_read() -> None:
    stored = cipher(OLD).encrypt("token")
    both = cipher(NEW, OLD)
    assert both.decrypt(stored) == "token"
    assert not both.is_by_newest(stored)
    anew = both.encrypt(both.decrypt(stored))
    assert both.is_by_newest(anew)
    assert cipher(NEW).decrypt(anew) == "token"


def test_no_other_key_opens_it_and_the_error_says_what_to_do() -> None:
    with pytest.raises(SecretUnreadable, match=r"put the key it was stored with at the end of DIALSTREAM_SECRET_KEY"):
        cipher(NEW).decrypt(cipher(OLD).encrypt("token"))


@pytest.mark.parametrize("stored", ["", "gAAAAA", "ß", "0" * 200])
def test_garbage_is_unreadable_and_by_no_key(stored: str) -> None:
    assert not cipher(NEW).is_by_newest(stored)
    with pytest.raises(SecretUnreadable):
        cipher(NEW).decrypt(stored)


def test_a_changed_character_is_noticed() -> None:
    stored = cipher(NEW).encrypt("token")
    with pytest.raises(SecretUnreadable):
        cipher(NEW).decrypt(stored[:40] + ("A" if stored[40] != "A" else "B") + stored[41:])


def test_without_a_key_nothing_is_stored_or_read() -> None:
    none = SecretCipher(None)
    assert not none.has_key
    with pytest.raises(SecretKeyMissing, match="openssl rand -hex 32"):
        none.encrypt("token")
    with pytest.raises(SecretKeyMissing):
        none.decrypt("token")


def test_keys_of_different_purposes_differ() -> None:
    assert derived_key(NEW, "stored secrets") != derived_key(NEW, "results")
    assert len(derived_key(NEW, "results")) == 32


@pytest.mark.parametrize(
    ("text", "keys"),
    [(None, ()), ("", ()), (NEW, (NEW,)), (f"{NEW},{OLD}", (NEW, OLD)), (f"{NEW} , {OLD}", (NEW, OLD))],
)
def test_the_setting_is_a_list_of_keys(text: str | None, keys: tuple[str, ...]) -> None:
    settings = SecretSettings.model_validate({} if text is None else {"secret_key": text})
    assert secret_keys(settings.secret_key) == keys


@pytest.mark.parametrize("text", ["short", f"{NEW},", f",{NEW}", f"{NEW},short", f"{NEW},{NEW}", f"{NEW} x", "ü" * 40])
def test_keys_that_cannot_work_are_refused_and_not_shown(text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        SecretSettings.model_validate({"secret_key": text})
    assert NEW not in str(refused.value.errors(include_input=False))
