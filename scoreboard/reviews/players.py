"""Players kept out: banned for a while or for ever, hidden, let in again, erased."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from scoreboard.admission.base import Admissions
from scoreboard.audit import ERASE, Audit
from scoreboard.clock import Clock
from scoreboard.errors import BadRequest, Forbidden, NotFound, Unavailable
from scoreboard.model import AuditEntry, HistoryItem, Player, Projection
from scoreboard.names import clean_username, skeleton
from scoreboard.oversight import PlayerFilter, PlayerStatus, ReviewFilter, StatusChanged
from scoreboard.pipeline import Rank
from scoreboard.reviews.official import Official, future
from scoreboard.storage.base import Storage
from scoreboard.wire import (
    AppointPlayer,
    BanPlayer,
    ChangePlayer,
    KnownPlayerOut,
    KnownPlayersOut,
    PlayerFileOut,
    PlayerList,
    PlayerRef,
    known_player_out,
    place_out,
    session_out,
    status_of,
    submission_out,
)

log = logging.getLogger(__name__)

PLACES = 100
SUBMISSIONS = 50
REVIEWS = 100
"""How much of each is shown of a player."""

LOOK_EVERY_S = 1.0
LIFTED_AT_ONCE = 100
"""How often ended bans are looked for, and how many are lifted then."""

Announce = Callable[[str, PlayerStatus], Awaitable[None]]
"""Parts from a player's connections here and tells the other servers."""

Renamed = Callable[[Player], Awaitable[None]]


class Effect(Protocol):
    """What a transaction did to a player's standings and sessions."""

    @property
    def changes(self) -> tuple[Projection, ...]: ...

    @property
    def outbox_id(self) -> int | None: ...

    @property
    def ended(self) -> tuple[str, ...]: ...


class Moderation:
    """Changes what a player may do and what is seen of them; the database decides, and the rest is told at once."""

    def __init__(
        self,
        storage: Storage,
        admissions: Admissions,
        rank: Rank,
        audit: Audit,
        clock: Clock,
        *,
        announce: Announce,
        renamed: Renamed,
    ) -> None:
        self._storage = storage
        self._admissions = admissions
        self._rank = rank
        self._audit = audit
        self._clock = clock
        self._announce = announce
        self._renamed = renamed

    async def list(self, asked: PlayerList) -> KnownPlayersOut:
        """A page of players by id."""
        wanted = PlayerFilter(asked.query, _skeleton(asked.query), asked.status)
        found = await self._storage.players(wanted, asked.after, asked.limit + 1)
        shown = found[: asked.limit]
        return KnownPlayersOut(
            players=tuple(known_player_out(player) for player in shown),
            next=shown[-1].id if len(found) > asked.limit else None,
        )

    async def get(self, asked: PlayerRef) -> PlayerFileOut:
        """What is known of a player. Raises NotFound."""
        player = await self._player(asked.player_id)
        sessions = await self._storage.sessions(player.id, self._clock.now())
        places = await self._storage.places(player.id, PLACES)
        reviews = await self._storage.reviews(ReviewFilter(player_id=player.id), None, REVIEWS)
        boards = {place.period.board for place in places} | {review.submission.board for review in reviews}
        items = [item for board in sorted(boards) for item in await self._recent(board, player.id)]
        items.sort(key=lambda item: (item.accepted_at, item.id), reverse=True)
        return PlayerFileOut(
            player=known_player_out(player),
            sessions=tuple(session_out(session, None) for session in sessions),
            standings=tuple(place_out(place) for place in places),
            submissions=tuple(submission_out(item) for item in items[:SUBMISSIONS]),
            open_reviews=tuple(review.submission.id for review in reviews if review.state == "open"),
        )

    async def ban(self, asked: BanPlayer, official: Official) -> KnownPlayerOut:
        """Keep a player out: standings hidden, sessions ended, sockets closed everywhere.

        Raises NotFound, Forbidden for one whom the official may not ban, BadRequest for an end in the past.
        """
        until = future(asked.until, "until", self._clock.now())
        entry = self.ban_entry(asked.player_id, official, asked.reason, asked.until)
        return await self._change(asked.player_id, official, "banned", entry, until)

    async def hide(self, asked: ChangePlayer, official: Official) -> KnownPlayerOut:
        """Hide a player from everybody else; the player goes on as if nothing were. Raises as `ban` does."""
        entry = self._audit.entry("player.hide", official.name, asked.player_id, reason=asked.reason)
        return await self._change(asked.player_id, official, "hidden", entry)

    async def lift(self, asked: ChangePlayer, official: Official) -> KnownPlayerOut:
        """Let a banned or hidden player in again, exactly as before. Raises as `ban` does."""
        entry = self._audit.entry("player.lift", official.name, asked.player_id, reason=asked.reason)
        return await self._change(asked.player_id, official, "active", entry)

    async def appoint(self, asked: AppointPlayer, official: Official) -> KnownPlayerOut:
        """Make a player a moderator, or one no longer: whoever it is signs in again. Raises NotFound, Forbidden."""
        if (await self._player(asked.player_id)).role == "admin":
            raise Forbidden("An admin stays one.")
        entry = self._audit.entry("player.role", official.name, asked.player_id, role=asked.role, reason=asked.reason)
        changed = await self._audit.within(
            [entry],
            lambda entries: self._storage.set_role(asked.player_id, asked.role, entry.at, entries),
            written=lambda changed: changed is not None,
        )
        if changed is None:
            raise NotFound("There is no such player.")
        if changed.ended:
            await self._admissions.revoke(asked.player_id, changed.ended)
        return known_player_out(changed.player)

    async def erase(self, player_id: str, actor: str) -> None:
        """Remove all that tells who a player was, for ever. Raises NotFound, Forbidden for an admin."""
        player = await self._player(player_id)
        if player.role == "admin":
            raise Forbidden("An admin cannot be erased.")
        entry = self._audit.entry(ERASE, actor, player_id)
        changed = await self._audit.within(
            [entry],
            lambda entries: self._storage.erase_player(player_id, self._clock.now(), entries),
            written=lambda changed: changed is not None,
        )
        if changed is not None:
            await self.enforce(player_id, "banned", changed)
            await self._renamed(changed.player)

    async def check(self, player_id: str, official: Official) -> None:
        """Raise NotFound for an unknown player, and Forbidden for one whom the official may not keep out."""
        player = await self._player(player_id)
        if player.role == "admin":
            raise Forbidden("An admin cannot be kept out.")
        if player.role == "moderator" and not official.is_admin:
            raise Forbidden("A moderator can be kept out by an admin only.")

    def ban_entry(
        self, player_id: str, official: Official, reason: str, until: str | None, submission_id: str | None = None
    ) -> AuditEntry:
        """What the audit trail keeps of a ban; `submission_id` is the case that it is for."""
        detail = {"reason": reason, "until": until, "submission_id": submission_id}
        told = {name: value for name, value in detail.items() if value is not None}
        return self._audit.entry("player.ban", official.name, player_id, **told)

    async def enforce(self, player_id: str, status: PlayerStatus, done: Effect) -> None:
        """Have what the database says hold everywhere at once.

        The goodbye of a ban comes before that of its ended sessions: it is final.
        """
        await self._announce(player_id, status)
        await self._admissions.ban(player_id, status == "banned")
        if done.ended:
            await self._admissions.revoke(player_id, done.ended)
        await self._rank.project(done.changes, (), done.outbox_id)

    async def make_good(self, player_ids: Sequence[str]) -> None:
        """Have what the database says of players hold: whoever changed it may not have come to tell."""
        for player_id in player_ids:
            player = await self._storage.player(player_id)
            if player is not None and player.banned:
                await self._announce(player_id, "banned")
                await self._admissions.ban(player_id, True)

    async def lift_ended(self) -> int:
        """Lift the bans that have ended, as far as no other server did; how many were found."""
        now = self._clock.now()
        ended = await self._storage.ended_bans(now, LIFTED_AT_ONCE)
        for player_id in ended:
            await self._lift_ended(player_id, now)
        return len(ended)

    async def _lift_ended(self, player_id: str, now: int) -> None:
        await self._admissions.ban(player_id, False)  # first: once it is lifted nobody comes back to tell
        changed = await self._audit.within(
            [self._audit.entry("player.lift", "", player_id, reason="The ban has ended.")],
            lambda entries: self._storage.lift_ended_ban(player_id, now, entries),
            written=lambda changed: changed is not None,
        )
        if changed is not None:
            await self.enforce(player_id, _status(changed), changed)

    async def keep_lifting(self) -> None:
        """Lift ended bans for as long as the server runs."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                while await self.lift_ended() == LIFTED_AT_ONCE:
                    pass
            except Unavailable as fault:
                log.debug("ended bans could not be lifted: %s", fault)
            except Exception:  # the next look tries again
                log.exception("ended bans could not be lifted")

    async def _change(
        self, player_id: str, official: Official, status: PlayerStatus, entry: AuditEntry, until: int | None = None
    ) -> KnownPlayerOut:
        await self.check(player_id, official)
        if status == "active":
            await self._admissions.ban(player_id, False)  # first: a server that dies after it has nothing left to tell
        changed = await self._audit.within(
            [entry],
            lambda entries: self._storage.set_status(player_id, status, entry.at, until=until, entries=entries),
        )
        await self.enforce(player_id, _status(changed), changed)
        return known_player_out(changed.player)

    async def _player(self, player_id: str) -> Player:
        player = await self._storage.player(player_id)
        if player is None:
            raise NotFound("There is no such player.")
        return player

    async def _recent(self, board: str, player_id: str) -> tuple[HistoryItem, ...]:
        return await self._storage.history(board, player_id, None, SUBMISSIONS)


def _status(changed: StatusChanged) -> PlayerStatus:
    """The status as all are told it: an erased player is banned."""
    status = status_of(changed.player)
    return "banned" if status == "erased" else status


def _skeleton(query: str | None) -> str | None:
    """What a username looks like that begins with the query, None where none can."""
    try:
        return None if query is None else skeleton(clean_username(query))
    except BadRequest:
        return None
