"""What all messages are made of."""

from typing import Annotated

from msgspec import Meta, Struct

from scoreboard.model import Score

Name = Annotated[str, Meta(min_length=1, max_length=512, examples=["Ada"])]
Username = Annotated[str, Meta(min_length=1, max_length=128, examples=["ada"])]
Password = Annotated[str, Meta(min_length=8, max_length=256, examples=["correct horse"])]
Token = Annotated[str, Meta(min_length=1, max_length=4096)]
SubmissionId = Annotated[str, Meta(min_length=36, max_length=36, examples=["019ab2c4-7d1e-7a40-8c3e-4f3c2b1a0987"])]
Text = Annotated[str, Meta(max_length=512, examples=["Seen on video."])]
Instant = Annotated[str, Meta(max_length=40, examples=["2026-11-23T12:00:00Z"])]
"""An RFC 3339 time."""

Deadline = Annotated[str, Meta(max_length=40, examples=["2030-05-01T14:00:00Z"])]
"""An RFC 3339 time to come."""

Limit = Annotated[int, Meta(ge=1, le=100)]
Tiebreakers = Annotated[tuple[Score, ...], Meta(max_length=4)]
Flat = dict[Annotated[str, Meta(max_length=64)], str | int | float | bool | None]
"""Metadata is one flat object."""


class Input(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of what a client may ask for."""


class Output(Struct, frozen=True, kw_only=True):
    """Base of what the server answers."""


class Nothing(Input, frozen=True, kw_only=True):
    """An operation without parameters."""
