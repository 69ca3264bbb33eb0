"""What every server of a run holds: its boards, and the players on the first of them."""

from scoreboard.clock import DAY
from scoreboard.model import ActionRule, BoardPeriod, BoardSettings, Rules

BOARDS = ("main", *(f"side-{number}" for number in range(7)))
"""A player's submissions on one board wait for each other: who sends eight at once sends them to eight boards."""

PERIOD = BoardPeriod("main", "all", "all")
TOKEN_TTL_S = 3600
HIGHEST = 1_000_000
MOST = 100
"""What an action earns at most."""

OLDEST = 365 * DAY
"""Age of the oldest account. Were they all made for the run, a thousand new ones at one address would be suspected."""

BOARD = BoardSettings(
    operator="sum",
    actions={"coin": ActionRule(max_score=MOST, ttl_s=TOKEN_TTL_S)},
    rules=Rules(too_fast="shadow", metronome="shadow", repetition="shadow", shared_address="shadow"),
)
"""All rules look, but players of a load test keep time like bots, and are to be let in."""


def player(number: int) -> str:
    """The id of a player who is on the board from the start."""
    return f"bench:{number}"
