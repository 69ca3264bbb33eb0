"""The referee: puts submissions before the rules, with what this process knows of boards and addresses.

How everybody scores on a board, and what fresh accounts behind an address do, is remembered by each process for
itself: bounded, and empty after a start. Replicas behind a load balancer each see an even sample of the same play, and
a sample has the quantiles of the whole. A player's own history is not kept here: it comes with the admission.
"""

from bisect import bisect_left
from collections import OrderedDict

from msgspec import Struct

from scoreboard.anticheat.case import Case
from scoreboard.anticheat.history import last_at
from scoreboard.anticheat.neighbours import Neighbours
from scoreboard.anticheat.rules import Judgement, Plan, judge, plan
from scoreboard.anticheat.sketch import Sketch, bucket_of
from scoreboard.clock import DAY, HOUR
from scoreboard.model import ActionRule, Board, RuleName

FRESH = DAY
AGES = (HOUR, DAY, 7 * DAY, 30 * DAY)
"""Ages of an account up to which it is compared with its like; older ones are all alike."""

MAX_ADDRESSES = 10_000
MAX_LANES = 2_000
"""Addresses, and actions of boards, that are remembered; beyond it the one unheard of for longest is forgotten."""

COUNTED_PLAYERS = 20

LOOK_AT_SCORES_ALONE: frozenset[RuleName] = frozenset({"outlier"})
"""The rules that have something to say of a score of which nothing else is known."""

_NO_RULE = ActionRule()


class Claimed(Struct, frozen=True):
    """A submission as the referee is told of it; instants in microseconds.

    `history` are the player's submissions before, as admission keeps them. `born_at`, when the account was made, is
    None, and `network` is empty, where nobody knows. One that was judged before is `again`: it is not remembered
    twice.
    """

    player_id: str
    action: str
    score: int
    at: int
    started_at: int
    history: bytes = b""
    born_at: int | None = None
    network: str = ""
    again: bool = False


class _Lane:
    """One action of a board: its rules, and how everybody scores there, all together and by age of account."""

    __slots__ = ("everyone", "peers", "plan", "revision", "rule", "vouched")

    def __init__(self, board: Board, action: str) -> None:
        self.everyone = Sketch(COUNTED_PLAYERS)
        self.peers = tuple(Sketch(COUNTED_PLAYERS) for _ in range(len(AGES) + 1))
        self.read(board, action)

    def read(self, board: Board, action: str) -> None:
        """Follow the board's settings."""
        self.revision = board.revision
        self.rule = board.settings.actions.get(action, _NO_RULE)
        self.plan: Plan = plan(board.settings.rules, self.rule.rules)
        self.vouched: Plan = {name: self.plan[name] for name in self.plan.keys() & LOOK_AT_SCORES_ALONE}


class Referee:
    """Judges, and remembers what the rules compare with."""

    def __init__(self) -> None:
        self._lanes: OrderedDict[tuple[str, str], _Lane] = OrderedDict()
        self._addresses: OrderedDict[tuple[str, str, str], Neighbours] = OrderedDict()

    def judge(self, board: Board, claimed: Claimed) -> Judgement:
        """The verdict on one submission."""
        lane = self._lane(board, claimed.action)
        age = None if claimed.born_at is None else claimed.at - claimed.born_at
        peers = lane.peers[_age_class(age)]
        case = Case(
            claimed.score,
            lane.rule,
            claimed.at,
            claimed.started_at,
            board.settings.order,
            claimed.history,
            lane.everyone,
            peers,
            self._neighbours(board.id, claimed) if claimed.network and age is not None and age <= FRESH else None,
        )
        judgement = judge(case, lane.plan)
        if judgement.verdict == "accepted" and not claimed.again:
            bucket = bucket_of(claimed.score)
            lane.everyone.add(claimed.player_id, bucket)
            peers.add(claimed.player_id, bucket)
        return judgement

    def vouched(self, board: Board, player_id: str, score: int, at: int) -> Judgement:
        """The verdict on a score that a backend vouches for.

        When and where it was played, and what the player did before, is the backend's business; so there is only the
        score to look at, and what others score.
        """
        lane = self._lane(board, "")
        case = Case(score, lane.rule, at, at, board.settings.order, peers=lane.everyone)
        judgement = judge(case, lane.vouched)
        if judgement.verdict == "accepted":
            lane.everyone.add(player_id, bucket_of(score))
        return judgement

    def _lane(self, board: Board, action: str) -> _Lane:
        key = (board.id, action)
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane(board, action)
            if len(self._lanes) > MAX_LANES:
                self._lanes.popitem(last=False)
        else:
            self._lanes.move_to_end(key)
            if lane.revision != board.revision:
                lane.read(board, action)
        return lane

    def _neighbours(self, board: str, claimed: Claimed) -> Neighbours:
        """The fresh accounts at the address of this one, with what is claimed now."""
        key = (board, claimed.action, claimed.network)
        neighbours = self._addresses.get(key)
        if neighbours is None:
            neighbours = self._addresses[key] = Neighbours()
            if len(self._addresses) > MAX_ADDRESSES:
                self._addresses.popitem(last=False)
        else:
            self._addresses.move_to_end(key)
        if not claimed.again:
            last = last_at(claimed.history)
            neighbours.add(claimed.player_id, None if last is None else claimed.at - last, claimed.score)
        return neighbours


def _age_class(age: int | None) -> int:
    return len(AGES) if age is None else bisect_left(AGES, age)
