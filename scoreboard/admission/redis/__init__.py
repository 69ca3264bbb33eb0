"""Admission state in Redis, shared by all servers."""

from scoreboard.admission.redis.admissions import RedisAdmissions

__all__ = ["RedisAdmissions"]
