"""A small account of each CRM, and what a watch is to see of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox import close, copera, copper

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Watched:
    """A CRM.

    Attributes:
        app: makes its server, from knobs.
        credentials: as settings.
        streams: that are edited, each with what a round names then.
        per_round: requests of a round in which nothing changed.
        most_idle: requests a minute, at most, while nothing changes.
    """

    app: Callable[..., Any]
    credentials: dict[str, Any]
    streams: dict[str, str]
    per_round: int
    most_idle: float


def _copper(**knobs: Any) -> Any:  # noqa: ANN401 - the CRM's own server
    shape = copper.Shape(people=40, companies=5, opportunities=5, leads=5, projects=3, tasks=3, activities=30)
    return copper.copper_app(shape, **{"rate_limit": 0, **knobs})


def _close(**knobs: Any) -> Any:  # noqa: ANN401
    shape = close.Shape(leads=10, contacts=10, opportunities=5, tasks=5, activities=20, events=60)
    return close.close_app(shape, **{"rate_limit": 0, **knobs})


def _copera(**knobs: Any) -> Any:  # noqa: ANN401
    shape = copera.Shape(rows=10, documents=5, drive_files=5, channels=2, comments=2)
    return copera.copera_app(shape, **{"rate_limit": 0, **knobs})


CRMS = {
    "copper": Watched(
        _copper,
        {"api_key": copper.API_KEY, "user_email": copper.USER_EMAIL},
        {"people": "people", "leads": "leads", "tasks": "tasks"},
        per_round=7,
        most_idle=18,  # a tenth of the limit
    ),
    "close": Watched(
        _close,
        {"api_key": close.API_KEY},
        {"leads": "events", "opportunities": "events", "notes": "events"},
        per_round=1,
        most_idle=4,
    ),
    "copera": Watched(
        _copera,
        {"api_key": copera.PAT},
        {"documents": "documents"},
        per_round=2,  # of three, in turn: a tenth of 50 requests a minute is not more
        most_idle=5,
    ),
}
