"""The command `replay` against the real server: recorded contests end as they officially did."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scoreboard.client import Client
from scoreboard.contest import load
from scoreboard.errors import NotFound
from scoreboard.replay import Outcome, Replay
from tests.server import Server

SAMPLES = Path(__file__).parent / "data"
RECORDED = Path(os.environ.get("SCOREBOARD_DATA") or SAMPLES)
LOGS = sorted(RECORDED.glob("*/events*.ndjson")) or sorted(SAMPLES.glob("*/events*.ndjson"))
CLUB = SAMPLES / "club" / "events.ndjson"
LAPS = SAMPLES / "laps" / "events.ndjson"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all replays here; each gives its boards a suffix of its own."""
    with Server(tmp_path_factory.mktemp("replay")) as running:
        yield running


@pytest.fixture
def suffix(request: pytest.FixtureRequest) -> str:
    """A suffix for board ids that no other test uses."""
    return "-" + re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[-40:].strip("-")


async def command(*arguments: object) -> tuple[int, str, str]:
    """Run `scoreboard replay`; returns exit status, stdout and stderr."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "scoreboard", "replay", *map(str, arguments)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "COLUMNS": "200"},
    )
    output, errors = await process.communicate()
    return process.returncode or 0, output.decode(), errors.decode()


async def replayed(server: Server, log: Path, suffix: str, *, speed: float = 0.0, resume: bool = False) -> Outcome:
    async with Client(server.url, key=server.key) as client:
        return await Replay(client, load(log), suffix=suffix, speed=speed, resume=resume).run()


@pytest.mark.parametrize("log", LOGS, ids=lambda log: f"{log.parent.name}-{log.stem}")
async def test_a_recorded_contest_ends_with_the_official_standings(log: Path, shared: Server, suffix: str) -> None:
    status, output, errors = await command(log, "--url", shared.url, "--data", shared.data, "--suffix", suffix)
    assert status == 0, output + errors
    assert "identical" in output
    assert f"{len(log.read_bytes().splitlines())} events in" in output
    assert len(output.splitlines()) == 1


@pytest.mark.parametrize("log", sorted(SAMPLES.glob("*/events*.ndjson")), ids=lambda log: log.parent.name)
async def test_a_paced_replay_ends_the_same(log: Path, shared: Server, suffix: str) -> None:
    status, output, errors = await command(
        log, "--url", shared.url, "--key", shared.key, "--speed", 200, "--suffix", suffix
    )
    assert status == 0, output + errors


async def test_names_are_shown_as_recorded(shared: Server, suffix: str) -> None:
    await replayed(shared, CLUB, suffix)
    async with Client(shared.url) as spectator:
        shown = {row.player_id: row.name async for row in spectator.standings("club-night" + suffix)}
    assert shown == {event.player: event.name for event in load(CLUB).events}


async def test_boards_of_another_replay_can_be_told_apart_by_their_titles(shared: Server, suffix: str) -> None:
    await replayed(shared, CLUB, suffix)
    async with Client(shared.url) as spectator:
        assert (await spectator.board("club-night" + suffix)).title == "Club night" + suffix


async def test_standings_that_differ_end_with_one_and_a_table(shared: Server, tmp_path: Path, suffix: str) -> None:
    wrong = json.loads(CLUB.with_name("standings.json").read_text())
    wrong["boards"][0]["standings"][1]["score"] = 51
    expected = tmp_path / "wrong.json"
    expected.write_text(json.dumps(wrong))
    status, output, _ = await command(
        CLUB, "--url", shared.url, "--data", shared.data, "--expect", expected, "--suffix", suffix
    )
    assert status == 1
    assert "2. Robert'); DROP TABLE standings;-- (bob) 51" in output
    assert "2. Robert'); DROP TABLE standings;-- (bob) 50" in output
    assert "1 places differ" in output


async def test_a_player_who_must_not_be_there_is_found(shared: Server, tmp_path: Path, suffix: str) -> None:
    fewer = json.loads(LAPS.with_name("standings.json").read_text())
    fewer["boards"][0]["no_score"] = [fewer["boards"][0]["standings"].pop()]
    expected = tmp_path / "fewer.json"
    expected.write_text(json.dumps(fewer))
    status, output, _ = await command(
        LAPS, "--url", shared.url, "--data", shared.data, "--expect", expected, "--suffix", suffix
    )
    assert status == 1
    assert "nobody" in output


async def test_without_its_retractions_the_laps_end_otherwise(shared: Server, tmp_path: Path, suffix: str) -> None:
    for name in ("events.ndjson", "standings.json"):
        shutil.copy(LAPS.with_name(name), tmp_path / name)
    outcome = await replayed(shared, tmp_path / "events.ndjson", suffix)
    assert {one.board for one in outcome.differences} == {"hill-climb"}


async def test_a_second_replay_is_refused_and_resuming_changes_nothing(shared: Server, suffix: str) -> None:
    await replayed(shared, CLUB, suffix)
    status, _, errors = await command(CLUB, "--url", shared.url, "--data", shared.data, "--suffix", suffix)
    assert status == 1
    assert "--resume" in errors
    assert len(errors.splitlines()) == 1
    again = await replayed(shared, CLUB, suffix, resume=True)
    assert again.is_complete
    assert again.differences == ()


async def test_a_stopped_replay_says_how_far_it_got_and_can_be_resumed(shared: Server, suffix: str) -> None:
    stop = asyncio.Event()
    async with Client(shared.url, key=shared.key) as client:
        outcome = await Replay(
            client, load(CLUB), speed=50.0, suffix=suffix, stop=stop, progress=lambda count: stop.set()
        ).run()
    assert not outcome.is_complete
    assert 0 < outcome.events < len(load(CLUB).events)
    resumed = await replayed(shared, CLUB, suffix, resume=True)
    assert resumed.is_complete
    assert resumed.differences == ()


async def test_an_interrupt_ends_the_command_with_130(shared: Server, suffix: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "scoreboard", "replay", str(CLUB), "--url", shared.url),
        *("--data", str(shared.data), "--suffix", suffix, "--speed", "0.01"),
        stderr=asyncio.subprocess.PIPE,
    )
    async with Client(shared.url) as spectator:
        await _first_score(spectator, "club-night" + suffix)
    process.send_signal(signal.SIGINT)
    _, errors = await process.communicate()
    assert process.returncode == 130
    assert "stopped after 1 of 15 events" in errors.decode()


async def _first_score(spectator: Client, board: str) -> None:
    """Return when somebody is on the board."""
    total = 0
    while not total:
        with contextlib.suppress(NotFound):
            total = (await spectator.top(board)).total


async def test_a_retraction_of_an_unknown_event_is_refused_before_anything_is_posted(
    shared: Server, tmp_path: Path, suffix: str
) -> None:
    log = shutil.copy(CLUB, tmp_path / "events.ndjson")
    retraction = {"t_ms": 9, "player": "ada", "board": "club-night", "score": 1, "event_t_ms": 0}
    (tmp_path / "retractions.ndjson").write_text(json.dumps(retraction))
    status, _, errors = await command(log, "--url", shared.url, "--data", shared.data, "--suffix", suffix)
    assert status == 1
    assert "not in the log" in errors
    async with Client(shared.url) as spectator:
        assert [board.board for board in await spectator.boards() if board.board.endswith(suffix)] == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["missing.ndjson"], "No such file"),
        ([CLUB, "--data", "nowhere"], "admin.key"),
        ([CLUB, "--key", "sk_wrong.key"], ""),
        ([CLUB, "--key", "x", "--url", "http://127.0.0.1:1"], "does not answer"),
    ],
)
async def test_what_cannot_work_is_said_in_one_line(
    shared: Server, tmp_path: Path, arguments: list[object], complaint: str
) -> None:
    url = [] if "--url" in arguments else ["--url", shared.url]
    status, output, errors = await command(*arguments, *url)
    assert status == 1
    assert output == ""
    assert complaint in errors
    assert len(errors.splitlines()) == 1
