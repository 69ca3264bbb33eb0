"""The ranking in Redis, shared by all servers."""

from scoreboard.ranking.redis.ranking import RedisRanking

__all__ = ["RedisRanking"]
