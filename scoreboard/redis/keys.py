"""Every key and channel in Redis. What one script touches shares a hash tag, so that a cluster keeps it in one slot."""

import hashlib

from scoreboard.model import BoardPeriod


class Keys:
    """Names under a prefix, so that several scoreboards can share one Redis."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.control = f"{prefix}:control"
        """Channel: sessions, players and boards that every replica must hear of."""
        self.beat = f"{prefix}:beat"
        """Channel: each replica's heartbeat."""

    def ranking(self, period: BoardPeriod) -> str:
        """What all keys of a period's ranking begin with."""
        return f"{self._prefix}:{{{period.board}/{period.window}/{period.period}}}"

    def changed(self, period: BoardPeriod) -> str:
        """Channel: the versions of a period."""
        return f"{self._prefix}:changed/{period.board}/{period.window}/{period.period}"

    def periods(self, board: str) -> str:
        """Set: the board's periods that have a ranking, as `window/period`."""
        return f"{self._prefix}:periods/{board}"

    def player(self, player_id: str) -> str:
        """What all keys of a player's admission state begin with."""
        return f"{self._prefix}:{{{player_id}}}"

    def sign_ins(self, account: str) -> str:
        """What all keys of the sign-ins to an account begin with; a name may hold anything, so its digest stands."""
        return f"{self._prefix}:sign-in/{{{hashlib.blake2s(account.encode(), digest_size=16).hexdigest()}}}"

    def sign_ins_from(self, address: str) -> str:
        """Hash: failed sign-ins from an address."""
        return f"{self._prefix}:sign-in-from/{address}"

    def alert(self, cause: str) -> str:
        """There while a cause of alerts has been told of."""
        return f"{self._prefix}:alert/{cause}"

    @property
    def seats(self) -> str:
        """Sorted set: the replicas by the end of their leases; and what the hashes of their seats begin with."""
        return f"{self._prefix}:{{seats}}"

    @property
    def replicas(self) -> str:
        """Hash: what each replica says of itself."""
        return f"{self._prefix}:replicas"
