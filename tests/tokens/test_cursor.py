import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreboard.errors import BadRequest
from scoreboard.tokens import Cursors, Keyring

OLD, NEW = b"o" * 32, b"n" * 32


@given(st.binary(max_size=200))
def test_a_cursor_opens_to_what_was_signed(payload: bytes) -> None:
    cursors = Cursors(Keyring.from_secrets(NEW))
    assert cursors.open(cursors.sign(payload)) == payload


def test_a_cursor_survives_the_change_of_the_secret_and_not_its_loss() -> None:
    cursor = Cursors(Keyring.from_secrets(OLD)).sign(b"here")
    assert Cursors(Keyring.from_secrets(NEW, [OLD])).open(cursor) == b"here"
    with pytest.raises(BadRequest):
        Cursors(Keyring.from_secrets(NEW)).open(cursor)


@given(st.text(max_size=120))
def test_text_that_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        Cursors(Keyring.from_secrets(NEW)).open(text)


def test_a_cursor_with_one_changed_character_is_refused() -> None:
    cursors = Cursors(Keyring.from_secrets(NEW))
    cursor = cursors.sign(b"here I am")
    for index, character in enumerate(cursor):
        changed = cursor[:index] + ("A" if character != "A" else "B") + cursor[index + 1 :]
        with pytest.raises(BadRequest):
            cursors.open(changed)
    for changed in (cursor + "=", cursor + "\n", cursor[:-1], cursor + "é"):
        with pytest.raises(BadRequest):
            cursors.open(changed)
