"""Signing in, and who is signed in."""

from typing import Annotated

from msgspec import Meta

from scoreboard.clock import rfc3339
from scoreboard.model import Player, PlayerId, Role, Session
from scoreboard.wire.base import Input, Name, Output, Password, Token, Username

OldPassword = Annotated[str, Meta(max_length=256, examples=["correct horse"])]
NewPassword = Annotated[Password, Meta(examples=["battery staple"])]


class Register(Input, frozen=True, kw_only=True):
    username: Username
    password: Password
    name: Name | None = None


class Login(Input, frozen=True, kw_only=True):
    username: Username
    password: OldPassword


class Refresh(Input, frozen=True, kw_only=True):
    refresh_token: Token


class ChangePassword(Input, frozen=True, kw_only=True):
    password: OldPassword
    new_password: NewPassword


class Exchange(Input, frozen=True, kw_only=True):
    player_id: PlayerId
    name: Name | None = None


class PlayerOut(Output, frozen=True, kw_only=True):
    id: Annotated[str, Meta(examples=["p_7k3v9c"])]
    name: str
    role: Annotated[Role, Meta(examples=["player"])]


class SignedIn(Output, frozen=True, kw_only=True):
    player: PlayerOut
    access_token: str
    expires_in: Annotated[int, Meta(examples=[900])]
    refresh_token: str
    token_type: str = "Bearer"


class MeOut(Output, frozen=True, kw_only=True):
    id: str
    name: str
    role: Role
    created_at: str
    sessions: int


class SessionOut(Output, frozen=True, kw_only=True):
    id: str
    created_at: str
    last_used_at: str
    expires_at: str
    address: str
    user_agent: str
    current: bool


class SessionsOut(Output, frozen=True, kw_only=True):
    sessions: tuple[SessionOut, ...]


def player_out(player: Player) -> PlayerOut:
    """What a player's own tokens tell about them."""
    return PlayerOut(id=player.id, name=player.name, role=player.role)


def session_out(session: Session, current: str | None) -> SessionOut:
    """A sign-in as its owner sees it."""
    return SessionOut(
        id=session.id,
        created_at=rfc3339(session.created_at),
        last_used_at=rfc3339(session.last_used_at),
        expires_at=rfc3339(session.expires_at),
        address=session.address,
        user_agent=session.user_agent,
        current=session.id == current,
    )
