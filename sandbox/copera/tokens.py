"""The three kinds of token, and how far each reaches (copera.md, section 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from sandbox.copera.behaviour import Behaviour

Kind: TypeAlias = Literal["pat", "key", "oat"]

PAT = "cp_pat_sandbox0token0of0copera000001"
API_KEY = "cp_key_sandbox0token0of0copera000002"
OAUTH_TOKEN = "cp_oat_sandbox0token0of0copera000003"  # noqa: S105

BOT = "b07000000000000000000001"
"""The integration key's own user."""
AI_USER = "a10000000000000000000001"
"""Who changes rows when automations run."""

_SCOPES = {
    "boards": "access_boards",
    "export": "access_boards",
    "channels": "access_channels",
    "docs": "access_docs",
    "drive": "access_drive",
    "bookings": "access_bookings",
}
"""Scopes by area; the other areas need none."""


@dataclass(frozen=True, slots=True)
class Token:
    """Who asks."""

    kind: Kind
    user: str
    """The integration user that requests are counted for."""


def kind_of(secret: str) -> Kind | None:
    """Say by its prefix what kind of token a text is."""
    kinds: dict[str, Kind] = {"cp_pat_": "pat", "cp_key_": "key", "cp_oat_": "oat"}
    return kinds.get(secret[:7])


def reaches(token: Token, area: str, behaviour: Behaviour) -> bool:
    """Whether a token may use an area at all."""
    if token.kind == "key" and area not in ("boards", "channels"):
        return False
    if token.kind == "oat" and area == "bookings":
        return False
    return has_scope(token, _SCOPES.get(area), behaviour)


def has_scope(token: Token, scope: str | None, behaviour: Behaviour) -> bool:
    """Whether a token was given a scope; no scope is always there."""
    given = behaviour.scopes.get(token.kind)
    return scope is None or given is None or scope in given
