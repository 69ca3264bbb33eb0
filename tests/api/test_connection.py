import pytest

from scoreboard.api.connection import WARN_US, Connection, Step, Timing
from scoreboard.clock import MINUTE, SECOND
from scoreboard.config import LiveSettings
from scoreboard.live.farewell import IDLE, NOT_AUTHENTICATED, TOKEN_EXPIRED, Farewell

START = 1_000 * SECOND
TIMING = Timing.of(LiveSettings())


def life(connection: Connection, start: int, end: int, *, answers: bool = True) -> list[tuple[int, Step | Farewell]]:
    """What happens from `start` until `end`, each with its second after START; the client answers pings, or not."""
    happened: list[tuple[int, Step | Farewell]] = []
    now = start
    while now <= end:
        steps, following = connection.due(now)
        happened.extend(((now - START) // SECOND, step) for step in steps)
        if any(isinstance(step, Farewell) or step is Step.CUT for step in steps):
            return happened
        assert following > now, "a deadline that has passed would never end"
        if answers and Step.PING in steps:
            connection.heard()
        now = following
    return happened


def pings(happened: list[tuple[int, Step | Farewell]]) -> list[int]:
    return [second for second, step in happened if step is Step.PING]


def rest(happened: list[tuple[int, Step | Farewell]]) -> list[tuple[int, Step | Farewell]]:
    return [(second, step) for second, step in happened if step is not Step.PING]


def signed_in(timing: Timing = TIMING, expires_at: int | None = None) -> Connection:
    connection = Connection(timing, START)
    connection.signed_in(START, expires_at)
    return connection


def test_a_socket_nobody_signs_in_on_ends_after_five_seconds() -> None:
    assert life(Connection(TIMING, START), START, START + MINUTE) == [(5, NOT_AUTHENTICATED)]


def test_pings_come_at_the_interval_or_a_little_early() -> None:
    connection = signed_in()
    seconds = pings(life(connection, START, START + 4 * MINUTE))
    gaps = [later - earlier for earlier, later in zip([0, *seconds], seconds, strict=False)]
    assert all(22 <= gap <= 25 for gap in gaps)
    assert len(seconds) >= 9


def test_a_silent_peer_is_cut_ten_seconds_after_a_ping() -> None:
    happened = life(signed_in(), START, START + 5 * MINUTE, answers=False)
    (ping,) = pings(happened)
    assert [step for _, step in rest(happened)] == [Step.CUT]
    assert 9 <= rest(happened)[0][0] - ping <= 10


def test_an_idle_player_sleeps_after_five_minutes_and_is_parted_from_fifteen_later() -> None:
    connection = signed_in(expires_at=START + 600 * MINUTE)
    assert rest(life(connection, START, START + 60 * MINUTE)) == [(5 * 60, Step.PAUSE), (20 * 60, IDLE)]


def test_acting_wakes_and_starts_the_idle_time_afresh() -> None:
    connection = signed_in()
    life(connection, START, START + 6 * MINUTE)
    assert connection.state == "inactive"
    assert connection.acted(START + 6 * MINUTE)
    assert not connection.acted(START + 7 * MINUTE)
    later = START + 7 * MINUTE
    assert rest(life(connection, later, later + 60 * MINUTE)) == [(12 * 60, Step.PAUSE), (27 * 60, IDLE)]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (LiveSettings(inactive_s=0), [(15 * 60, IDLE)]),
        (LiveSettings(close_s=0), [(5 * 60, Step.PAUSE)]),
        (LiveSettings(inactive_s=0, close_s=0), []),
        (LiveSettings(spectators_idle_out=False), []),
    ],
)
def test_idle_times_can_be_switched_off(settings: LiveSettings, expected: list[tuple[int, Step | Farewell]]) -> None:
    assert rest(life(signed_in(Timing.of(settings)), START, START + 60 * MINUTE)) == expected


def test_a_player_is_never_exempt_from_idling_out() -> None:
    connection = signed_in(Timing.of(LiveSettings(spectators_idle_out=False)), START + 600 * MINUTE)
    assert rest(life(connection, START, START + 60 * MINUTE))[-1] == (20 * 60, IDLE)


def test_expiry_is_announced_a_minute_ahead() -> None:
    connection = signed_in(expires_at=START + 3 * MINUTE)
    assert rest(life(connection, START, START + 4 * MINUTE)) == [(2 * 60, Step.WARN), (3 * 60, TOKEN_EXPIRED)]


def test_a_renewed_token_moves_the_expiry() -> None:
    connection = signed_in(expires_at=START + WARN_US)
    assert rest(life(connection, START, START)) == [(0, Step.WARN)]
    connection.signed_in(START, START + 4 * MINUTE)
    assert rest(life(connection, START, START + 5 * MINUTE)) == [(3 * 60, Step.WARN), (4 * 60, TOKEN_EXPIRED)]


def test_the_same_expiry_is_announced_once_however_often_the_token_is_sent() -> None:
    connection = signed_in(expires_at=START + WARN_US)
    assert rest(life(connection, START, START)) == [(0, Step.WARN)]
    connection.signed_in(START, START + WARN_US)
    assert rest(life(connection, START, START + 2 * MINUTE)) == [(60, TOKEN_EXPIRED)]
