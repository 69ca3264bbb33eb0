"""The laboratory of cheats: recorded or generated play through the very rules that the server judges by."""

from scoreboard.cheatlab.attempt import HONEST, Attempt
from scoreboard.cheatlab.cheats import CHEATS
from scoreboard.cheatlab.findings import FIRST, Findings, Suspect, findings
from scoreboard.cheatlab.laboratory import Laboratory
from scoreboard.cheatlab.recorded import Recording, recordings
from scoreboard.cheatlab.report import report
from scoreboard.cheatlab.trial import tried

__all__ = [
    "CHEATS",
    "FIRST",
    "HONEST",
    "Attempt",
    "Findings",
    "Laboratory",
    "Recording",
    "Suspect",
    "findings",
    "recordings",
    "report",
    "tried",
]
