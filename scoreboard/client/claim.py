"""One score as it is sent, over either transport."""

from collections.abc import Mapping, Sequence
from typing import Any

Metadata = Mapping[str, str | int | float | bool | None]


def claim(
    board: str, action_token: str, score: int, tiebreakers: Sequence[int], metadata: Metadata | None
) -> dict[str, Any]:
    """The fields of a submission; what is optional and not given is left out."""
    fields: dict[str, Any] = {"board": board, "action_token": action_token, "score": score}
    fields |= {"tiebreakers": tuple(tiebreakers)} if tiebreakers else {}
    fields |= {"metadata": metadata} if metadata is not None else {}
    return fields
