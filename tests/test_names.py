import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreboard.errors import BadRequest
from scoreboard.names import clean_name, clean_username, skeleton

FAMILY = "👩\u200d👩\u200d👧"
SCOTLAND = "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"


@pytest.mark.parametrize(
    "name",
    [
        "Ada",
        'O\'Brien "the <b>"',
        "アダ・ラブレス",
        "Ада Лавлейс",
        "عدا",
        "می\u200cخواهم",
        "क्\u200dष",
        "র\u200d্য",
        "ශ්\u200dරී",
        FAMILY,
        "❤\ufe0f\u200d🔥",
        "🧑🏽\u200d🚀",
        "🏳\ufe0f\u200d🌈",
        "🙂\u200d↔\ufe0f",
        SCOTLAND,
        "1\ufe0f\u20e3",
        "\U0001fae9 newer than Python",
        "葛\U000e0100",
        "ăấ",
        "x" * 128,
    ],
)
def test_a_name_may_hold_any_script_and_emoji(name: str) -> None:
    assert clean_name(name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "x" * 129,
        "a\x00b",
        "a\nb",
        "a\x7fb",
        "a\x85b",
        "a\u200bb",
        "a\u200db",
        "a\u200cb",
        "\u200d👩",
        "👩\u200d",
        "👩\u200d\u200d👧",
        "a\u202eb",
        "a\u2066b",
        "a\u200fb",
        "a\u00adb",
        "a\ufeffb",
        "a\u2028b",
        "a\ue000b",
        "a\ud800b",
        "a\U000e0041b",
        "a\U000e0fffb",
        "a\U000e0067\U000e007f",
        "a\u0378b",
        "a\uffffb",
        "a\u115fb",
        "a\u1160b",
        "a\u3164b",
        "a\uffa0b",
        "\u2800",
        "a\u034fb",
        "\u0301\u0302",
        "\ufe0f",
        "a" + "\u0316\u0317\u0318\u0319\u031c",
    ],
)
def test_a_name_that_deceives_or_shows_nothing_is_refused(name: str) -> None:
    with pytest.raises(BadRequest) as refused:
        clean_name(name)
    assert refused.value.detail.startswith("A name ")


def test_a_name_is_composed_and_trimmed() -> None:
    assert clean_name(" Zoe\u0308\u3000") == "Zo\u00eb"


def test_a_username_has_no_space_and_32_characters_at_most() -> None:
    assert clean_username("  ada ") == "ada"
    assert clean_username("x" * 32) == "x" * 32
    for username in ("ada lovelace", "ada\u00a0lovelace", "ada\u3000lovelace", "x" * 33, "", "a\u200bb"):
        with pytest.raises(BadRequest, match="A username"):
            clean_username(username)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("paypal", "раураӏ"),
        ("paypal", "PAYPAL"),
        ("paypal", "paypaI"),
        ("paypal", "paypa1"),
        ("paypal", "ｐａｙｐａｌ"),
        ("paypal", "𝐩𝐚𝐲𝐩𝐚𝐥"),
        ("admin", "АDМIN"),
        ("admin", "аdmin"),
        ("modern", "modem"),
        ("BOB", "ВОВ"),
        ("bob", "вов"),
        ("oscar", "0scar"),
        ("strasse", "Straße"),
        ("zoë", "ZOE\u0308"),
        ("ёлка", "ëлка"),
        ("❤", "❤\ufe0f"),
        ("ISTANBUL", "ıstanbul"),
    ],
)
def test_usernames_that_look_alike_are_one(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("ada", "adam"), ("van", "nan"), ("zoe", "zoë"), ("your", "uour"), ("a-b", "a_b"), ("8", "b"), ("мир", "мор")],
)
def test_usernames_that_look_different_are_two(one: str, other: str) -> None:
    assert skeleton(one) != skeleton(other)


@given(st.text(max_size=20))
def test_a_skeleton_is_its_own_skeleton_and_knows_no_case(text: str) -> None:
    assert skeleton(skeleton(text)) == skeleton(text)
    assert skeleton(text.upper()) == skeleton(text)


@given(st.text(st.characters(), max_size=140))
def test_any_text_is_cleaned_to_a_stable_name_or_refused(text: str) -> None:
    try:
        name = clean_name(text)
    except BadRequest:
        return
    assert clean_name(name) == name
    assert 1 <= len(name) <= 128
    assert skeleton(name)
