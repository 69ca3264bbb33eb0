import os

import msgspec
import pytest
from rich.console import Console

from scoreboard.bench.report import table
from scoreboard.bench.rounds import Plan
from scoreboard.bench.run import run
from scoreboard.bench.scenarios import SCENARIOS

TINY = Plan(rounds=1, seconds=0.1, players=1_000, sockets=5, signed_in=32)
LINES = {name: [name] for name in SCENARIOS} | {"fanout": ["fanout", "delivery"]}


@pytest.mark.parametrize("name", SCENARIOS)
async def test_a_scenario_measures_and_prints_its_lines(name: str) -> None:
    started: list[str] = []
    before = os.sched_getaffinity(0)
    lines = await run(TINY, [name], started.append)
    assert started == [name]
    assert [line.name for line in lines] == LINES[name]
    assert all(value > 0 for line in lines for value in [*line.figures.values(), *line.limits.values()])
    assert all(line.checks for line in lines)
    console = Console(width=200)
    with console.capture() as printed:
        console.print(table(lines))
    assert all(f"│ {line.name}" in printed.get() for line in lines)
    assert msgspec.json.decode(msgspec.json.encode(lines))[0]["name"] == name
    assert os.sched_getaffinity(0) == before
