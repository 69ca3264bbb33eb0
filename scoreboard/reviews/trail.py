"""The audit trail as it is read."""

import msgspec

from scoreboard.errors import BadRequest
from scoreboard.oversight import AuditFilter, Position
from scoreboard.reviews.official import instant
from scoreboard.storage.base import Storage
from scoreboard.tokens import Cursors
from scoreboard.wire import AuditList, AuditOut, audit_entry_out


class Trail:
    """Pages through the entries, newest first."""

    def __init__(self, storage: Storage, cursors: Cursors) -> None:
        self._storage = storage
        self._cursors = cursors

    async def list(self, asked: AuditList) -> AuditOut:
        """A page of entries. Raises BadRequest for a cursor that is not ours."""
        wanted = AuditFilter(asked.actor, asked.act, asked.subject, instant(asked.since, "since"))
        before = None if asked.cursor is None else self._place(asked.cursor)
        found = await self._storage.audit(before, asked.limit + 1, wanted)
        shown = found[: asked.limit]
        return AuditOut(
            entries=tuple(audit_entry_out(entry) for entry in shown),
            next=self._cursor(shown[-1].at, shown[-1].chain, shown[-1].number) if len(found) > asked.limit else None,
        )

    def _cursor(self, *place: int | str) -> str:
        return self._cursors.sign(msgspec.msgpack.encode(("audit", *place)))

    def _place(self, cursor: str) -> Position:
        try:
            _, at, chain, number = msgspec.msgpack.decode(self._cursors.open(cursor), type=tuple[str, int, str, int])
        except msgspec.DecodeError:
            raise BadRequest("The cursor is not valid.") from None
        return at, chain, number
