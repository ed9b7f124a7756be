"""Makes the options of columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.copera.moments import object_id

if TYPE_CHECKING:
    from random import Random

    from sandbox.exchange import Record

COLORS = ("RED", "ORANGE", "GREEN", "BLUE", "YELLOW", "PURPLE", "GRAY")
_GROUPS = ("TODO", "IN_PROGRESS", "IN_PROGRESS", "DONE", "DONE")
_OPTIONS = {
    "STATUS": ("New", "Qualifié", "商談中", "Won 🎉", "Lost"),
    "DROPDOWN": ("Web", "Messe", "Referral", "Web", "その他"),
    "LABELS": ("vip", "cold", "été", "重要", "prio A", "😀"),
}


def options(kind: str, moment: int, rng: Random) -> list[Record]:
    """Make the options of a column that has some."""
    made: list[Record] = []
    for n, label in enumerate(_OPTIONS.get(kind, ())):
        option: Record = {"optionId": object_id(moment, rng), "order": n}
        if n < 4:  # noqa: PLR2004
            option |= {"label": label, "color": COLORS[n % len(COLORS)]}
        elif kind != "DROPDOWN":
            option["label"] = label
        if kind == "STATUS":
            option["statusGroup"] = _GROUPS[n]
        made.append(option)
    return made
