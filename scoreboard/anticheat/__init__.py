"""Fair play: the rules that submissions are judged by, and what they compare with."""

from scoreboard.anticheat.case import Case, Facts
from scoreboard.anticheat.referee import Claimed, Referee
from scoreboard.anticheat.rules import JUST, RULES, VERSION, Judgement, judge, plan

__all__ = ["JUST", "RULES", "VERSION", "Case", "Claimed", "Facts", "Judgement", "Referee", "judge", "plan"]
