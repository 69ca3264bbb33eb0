"""The variable that ends a server at a marked step is for tests alone."""

from collections.abc import Mapping, Sequence

import pytest

from scoreboard.app.crash import VARIABLE, marked
from scoreboard.errors import ConfigError
from scoreboard.pipeline import Judged
from scoreboard.storage.base import Committal


async def commit(batch: Sequence[Judged]) -> Committal:
    return Committal((), None)


def publish(committal: Committal) -> None:
    """Nobody is told."""


@pytest.mark.parametrize("production", [False, True])
def test_without_the_variable_the_steps_stay_as_they_are(production: bool) -> None:
    assert marked(commit, publish, {}, production) == (commit, publish)


@pytest.mark.parametrize(
    ("environ", "production"),
    [
        ({VARIABLE: "committed:1"}, True),
        ({VARIABLE: "judged:1"}, False),
        ({VARIABLE: "committed"}, False),
        ({VARIABLE: "committed:-1"}, False),
        ({VARIABLE: ""}, False),
    ],
)
def test_a_server_does_not_start_with_a_mark_that_cannot_be(environ: Mapping[str, str], production: bool) -> None:
    with pytest.raises(ConfigError, match=VARIABLE):
        marked(commit, publish, environ, production)
