"""Names people choose: what may be in one, and which login names are too alike to tell apart."""

import re
import unicodedata
from functools import cache

from confusable_homoglyphs.utils import load

from scoreboard.errors import BadRequest

MAX_NAME = 128
MAX_USERNAME = 32
MAX_MARKS = 4
"""Combining marks in a row; living scripts need fewer, more climb over the neighbouring lines."""

_JOINER, _NON_JOINER = "\u200d", "\u200c"
_REFUSED = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
# Blank although their category says otherwise: Hangul fillers, Braille blank, invisible marks, an empty note head.
_BLANKS = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5\U0001d159")
_SELECTORS = re.compile("[\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_SKIN_TONES = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
_INVISIBLE = re.compile(f"{_JOINER}|{_NON_JOINER}|{_SELECTORS.pattern}")
_REGIONAL_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f")
_VIRAMA = 9


def clean_name(text: str) -> str:
    """A display name as it is kept: NFC, trimmed, 1-128 characters of any script, emoji included.

    Raises BadRequest with a sentence that says what is wrong.
    """
    return _clean(text, MAX_NAME, "name")


def clean_username(text: str) -> str:
    """A login name as it is kept: as a display name, but 1-32 characters and no white space inside."""
    username = _clean(text, MAX_USERNAME, "username")
    if any(character.isspace() for character in username):
        raise BadRequest("A username has no spaces inside")
    return username


def _clean(text: str, longest: int, noun: str) -> str:
    name = unicodedata.normalize("NFC", text)
    _check_characters(_REGIONAL_FLAG.sub("\U0001f3f4", name), noun)
    name = name.strip()
    if not 1 <= len(name) <= longest:
        raise BadRequest(f"A {noun} has 1 to {longest} characters")
    if not any(unicodedata.category(character)[0] in "LNPS" for character in name):
        raise BadRequest(f"A {noun} has at least one visible character")
    return name


def _check_characters(name: str, noun: str) -> None:
    marks = 0
    for index, character in enumerate(name):
        if not (_joins(name, index) if character in (_JOINER, _NON_JOINER) else _allowed(character)):
            raise BadRequest(f"A {noun} may not hold the character U+{ord(character):04X} there")
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if marks > MAX_MARKS:
            raise BadRequest(f"A {noun} has at most {MAX_MARKS} combining marks in a row")


def _allowed(character: str) -> bool:
    if character in _BLANKS:
        return False
    return unicodedata.category(character) not in _REFUSED or _future_emoji(character)


def _future_emoji(character: str) -> bool:
    """Code points reserved for emoji, which Unicode versions newer than Python's fill year by year."""
    return "\U0001f300" <= character <= "\U0001faff" and unicodedata.category(character) == "Cn"


def _joins(name: str, index: int) -> bool:
    """Whether the joiner at `index` has work to do: in an emoji sequence, at a virama, between Arabic letters."""
    before, after = name[:index], name[index + 1 : index + 2]
    if _is_virama(before[-1:]):
        return True
    if name[index] == _JOINER:
        drawn = _SELECTORS.sub("", before).rstrip(_SKIN_TONES)[-1:]
        return (_is_emoji(drawn) and _is_emoji(after)) or (before[-1:].isalpha() and _is_virama(after))
    letter = "".join(character for character in before if not unicodedata.combining(character))[-1:]
    return _is_arabic(letter) and _is_arabic(after)


def _is_virama(character: str) -> bool:
    return character != "" and unicodedata.combining(character) == _VIRAMA


def _is_emoji(character: str) -> bool:
    return character != "" and (
        unicodedata.category(character) == "So" or character == "\u2194" or _future_emoji(character)
    )


def _is_arabic(character: str) -> bool:
    return character != "" and unicodedata.bidirectional(character) == "AL"


# Two usernames are the same if their skeletons are (Unicode Technical Standard 39, section 4). The standard knows no
# case; usernames ignore it. So text is casefolded before and after each character is replaced by its prototype, until
# nothing changes, and the table is completed for case: as I looks like l, so counts i; as the Cyrillic capital em looks
# like M, its small form, which looks like no Latin small letter, counts as m.


def skeleton(username: str) -> str:
    """What a username looks like: two with equal skeletons are one. Works on any text; idempotent."""
    table = _prototypes()
    before, text = "", username
    while text != before:
        before = text
        text = unicodedata.normalize("NFKD", _INVISIBLE.sub("", text.casefold()))
        text = "".join([table.get(character, character) for character in text])
    return unicodedata.normalize("NFC", text)


@cache
def _prototypes() -> dict[str, str]:
    table = _published_prototypes()
    completed = dict(table)
    for character, prototype in table.items():
        small, looks_like = character.casefold(), prototype.casefold()
        if len(small) == 1 and small != character and looks_like.isascii():
            _complete(completed, small, looks_like, only_latin=not character.isascii())
    return {source: target for source, target in completed.items() if source != target}


def _complete(table: dict[str, str], small: str, looks_like: str, only_latin: bool) -> None:
    """Let the small letter count as what its capital looks like, unless it looks like another Latin letter itself."""
    prototype = table.get(small, small)
    if only_latin and prototype.isascii():
        return
    table[prototype if len(prototype) == 1 else small] = looks_like


def _published_prototypes() -> dict[str, str]:
    """Character to prototype, from the package's table, which lists every pair of the standard both ways.

    A prototype has many look-alikes and each of them has it alone; of a lone pair the longer text is the prototype,
    else the lower code point. Right-to-left characters come wrapped in marks.
    """
    published = load("confusables.json").items()
    listed = {_bare(source): [_bare(found["c"]) for found in others] for source, others in published}
    table = {}
    for source, others in listed.items():
        if len(source) == 1 and len(others) == 1:
            (other,) = others
            lone = len(listed.get(other, ())) == 1 and len(other) == 1
            table[source] = min(source, other) if lone else other
    return table


def _bare(text: str) -> str:
    return text.replace("\u200e", "")
