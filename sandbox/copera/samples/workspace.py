"""Makes the workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.copera.moments import DAY, SECOND, object_id, text_of

if TYPE_CHECKING:
    from random import Random

    from sandbox.copera.shape import Shape
    from sandbox.exchange import Record


def workspace(shape: Shape, rng: Random) -> Record:
    """Make the workspace."""
    moment = (shape.now - 5 * 365 * 86_400) * SECOND
    return {
        "_id": object_id(moment, rng),
        "name": "Überseehandel 🌍",
        "slug": "ueberseehandel",
        "description": "",
        "seats": shape.members + 5,
        "createdAt": text_of(moment),
        "updatedAt": text_of(moment + 900 * DAY),
    }
