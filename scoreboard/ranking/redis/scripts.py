"""The scripts of the ranking; each begins with what they share."""

from scoreboard.redis import Script, load_script


def _script(name: str) -> Script:
    return load_script("scoreboard.ranking.redis", "standings", name)


BEGIN = _script("begin")
FILL = _script("fill")
FINISH = _script("finish")
ABANDON = _script("abandon")
CLAIM = _script("claim")
DROP = _script("drop")
PROJECT = _script("project")
RENAME = _script("rename")
TOUCH = _script("touch")
FACTS = _script("facts")
RANGE = _script("range")
PLAYERS = _script("players")
SCORE = _script("score")
