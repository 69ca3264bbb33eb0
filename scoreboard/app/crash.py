"""Ends the process at a marked step of the submission path, as `kill -9` would: tests look at what is left then.

The variable SCOREBOARD_CRASH_AT, read once while the server starts, names the step and the number of submissions:
`committed:20` ends the process once twenty are in the database and the last of them not in the ranking yet,
`ranked:20` before anybody hears of it, `published:20` before it is answered.
"""

import os
import signal
from collections.abc import Mapping, Sequence

from scoreboard.errors import ConfigError
from scoreboard.pipeline import CommitStep, Judged, PublishStep
from scoreboard.storage.base import Committal

VARIABLE = "SCOREBOARD_CRASH_AT"
STEPS = ("committed", "ranked", "published")


class Crash:
    """The steps as they are, and the end of the process at one of them."""

    def __init__(self, commit: CommitStep, publish: PublishStep, mark: str) -> None:
        """Raises ConfigError for a mark that names no step and number."""
        step, _, number = mark.partition(":")
        if step not in STEPS or not number.isdecimal():
            raise ConfigError(f"{VARIABLE}: must be one of {', '.join(STEPS)}, a colon and a number")
        self._commit = commit
        self._publish = publish
        self._step = step
        self._left = int(number)

    async def commit(self, batch: Sequence[Judged]) -> Committal:
        """Commit, and be no more if this is the step."""
        committal = await self._commit(batch)
        self._left -= len(batch)
        self._reach("committed")
        return committal

    def publish(self, committal: Committal) -> None:
        """Publish, and be no more before or after it."""
        self._reach("ranked")
        self._publish(committal)
        self._reach("published")

    def _reach(self, step: str) -> None:
        if step == self._step and self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


def marked(
    commit: CommitStep, publish: PublishStep, environ: Mapping[str, str], production: bool
) -> tuple[CommitStep, PublishStep]:
    """The two steps, unchanged where the variable is not set. Raises ConfigError, in production whenever it is."""
    mark = environ.get(VARIABLE)
    if mark is None:
        return commit, publish
    if production:
        raise ConfigError(f"{VARIABLE}: is for tests, and not allowed in production")
    crash = Crash(commit, publish, mark)
    return crash.commit, crash.publish
