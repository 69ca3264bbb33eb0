"""The windows of boards that are followed, each showing its current period."""

from collections import OrderedDict
from collections.abc import Callable

from scoreboard import periods
from scoreboard.clock import SECOND
from scoreboard.errors import ScoreboardError
from scoreboard.live.own import OwnStandings
from scoreboard.live.topic import LINGER_S, Source, Topic
from scoreboard.live.wheel import Wheel
from scoreboard.model import BoardPeriod, BoardSettings

MAX_LINGERING = 256
"""At most that many places are kept that nobody follows any more; beyond it the longest idle goes first."""

Settings = Callable[[str], BoardSettings]
"""The settings of a board. Raises NotFound."""


class Place:
    """One window of one board, as long as it is followed and a while longer."""

    def __init__(self, places: "Places", board: str, window: str, source: Source) -> None:
        self.board = board
        self.window = window
        self.ends_at: int | None = None
        self.idle_since: int | None = None
        self.topic = Topic(BoardPeriod(board, window, ""), source)
        self.own = OwnStandings(self.topic.period, source)
        self._places = places

    @property
    def followed(self) -> bool:
        """Whether anybody follows the board's rows or their own standing here."""
        return self.topic.followed or self.own.followed

    @property
    def forgotten_at(self) -> int | None:
        """When it is forgotten, unless it is followed again before."""
        return None if self.idle_since is None else self.idle_since + LINGER_S * SECOND

    @property
    def deadline(self) -> int | None:
        """When it must be looked after."""
        return min((at for at in (self.ends_at, self.forgotten_at) if at is not None), default=None)

    def due(self, now: int) -> int | None:
        """Turn to the next period, or be forgotten."""
        return self._places.tend(self, now)


class Places:
    """Finds and makes places, turns them at the end of their periods, and forgets idle ones."""

    def __init__(self, source: Source, settings: Settings, wheel: Wheel) -> None:
        self._source = source
        self._settings = settings
        self._wheel = wheel
        self._places: dict[tuple[str, str], Place] = {}
        self._lingering: OrderedDict[Place, None] = OrderedDict()

    def __len__(self) -> int:
        """How many places are kept."""
        return len(self._places)

    def at(self, board: str, window: str) -> Place:
        """The place of a window about to be followed, in its current period. Raises ScoreboardError for none."""
        place = self._places.get((board, window))
        if place is None:
            place = Place(self, board, window, self._source)
        self._turn(place)
        self._places[board, window] = place
        place.topic.tidy(self._wheel.now())
        place.idle_since = None
        self._lingering.pop(place, None)
        self._wind(place)
        return place

    def get(self, board: str, window: str) -> Place | None:
        """The place of a window; one that is followed is there unless its board is gone."""
        return self._places.get((board, window))

    def of(self, board: str) -> tuple[Place, ...]:
        """The places of a board."""
        return tuple(place for place in self._places.values() if place.board == board)

    def showing(self, period: BoardPeriod) -> Place | None:
        """The place showing that period; one that should show it by now turns to it."""
        place = self._places.get((period.board, period.window))
        if place is None:
            return None
        if place.topic.period != period and place.ends_at is not None and self._wheel.now() >= place.ends_at:
            self.refresh(place)
        return place if place.topic.period == period else None

    def left(self, place: Place) -> None:
        """Somebody left: what nobody follows lingers."""
        place.topic.tidy(self._wheel.now())
        if place.followed or self._places.get((place.board, place.window)) is not place:
            return
        place.idle_since = self._wheel.now()
        self._lingering[place] = None
        self._wind(place)
        if len(self._lingering) > MAX_LINGERING:
            self._forget(next(iter(self._lingering)))

    def refresh(self, place: Place) -> None:
        """Take the board's settings and the time as they are now, and send everybody a snapshot."""
        try:
            self._turn(place)
        except ScoreboardError:  # the board or its window is gone
            self._forget(place)
            return
        self._wind(place)
        place.topic.resend()

    def tend(self, place: Place, now: int) -> int | None:
        """What a place's deadline is for: its period's end, or the end of its lingering."""
        if place.forgotten_at is not None and now >= place.forgotten_at:
            self._forget(place)
        elif place.ends_at is not None and now >= place.ends_at:
            self.refresh(place)
        return place.deadline if (place.board, place.window) in self._places else None

    def forget_all(self) -> None:
        """Let go of every place."""
        for place in tuple(self._places.values()):
            self._forget(place)

    def _turn(self, place: Place) -> None:
        settings, now = self._settings(place.board), self._wheel.now()
        # Outside its dates a season shows its only period.
        name = periods.period_at(settings, place.window, now) or place.window
        _, end = periods.bounds(settings, place.window, name)
        place.ends_at = end if end is not None and end > now else None
        period = BoardPeriod(place.board, place.window, name)
        if period != place.topic.period:
            place.topic.turn(period)
            place.own.turn(period)

    def _wind(self, place: Place) -> None:
        if place.deadline is None:
            self._wheel.cancel(place)
        else:
            self._wheel.schedule(place, place.deadline)

    def _forget(self, place: Place) -> None:
        self._places.pop((place.board, place.window), None)
        self._lingering.pop(place, None)
        self._wheel.cancel(place)
        place.topic.stop()
        place.own.stop()
