"""The ranking inside this process: sorted lists of order keys."""

from scoreboard.ranking.memory.ranking import MemoryRanking

__all__ = ["MemoryRanking"]
