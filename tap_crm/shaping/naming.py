"""Names of streams and properties from what people called their boards, tables, columns and custom fields."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

#: What PostgreSQL keeps of a name.
LONGEST = 63
#: How much of an id sets equal names apart, and the most that a suffix such as `_labels` takes.
ID_PART, ROOM_FOR_A_SUFFIX = 6, 8
_OTHER = re.compile(r"[^a-z0-9]+")
_ROOM_FOR_A_MARK = 1


def slug(text: str, most: int = LONGEST) -> str:
    """Return the text in lower-case ASCII letters, digits and single underscores; "" if nothing is left of it."""
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode().lower()
    return _OTHER.sub("_", plain).strip("_")[:most].rstrip("_")


def distinct_names(
    labels: Iterable[tuple[str, str]], taken: Collection[str] = (), *, otherwise: str, most: int = LONGEST
) -> dict[str, str]:
    """Return a name for each id, from pairs of id and label; one that leaves nothing is called ``otherwise``."""
    room = most - ID_PART - 1 - _ROOM_FOR_A_MARK
    return set_apart([(key, slug(label, room) or otherwise) for key, label in labels], {*taken, otherwise}, most)


def set_apart(pairs: Sequence[tuple[str, str]], taken: Collection[str], most: int = LONGEST) -> dict[str, str]:
    """Return a name for each id, the same whatever their order.

    Names that are equal, or equal to one that is taken, end in a part of the id, all of them; in the whole id, where a
    part of it does not set them apart. A name that would begin with a digit begins with an underscore.
    """
    plain = {key: f"_{name}" if name[:1].isdigit() else name for key, name in pairs}
    used = Counter(plain.values())
    names = {
        key: name if used[name] == 1 and name not in taken else f"{name}_{key[-ID_PART:].lower()}"
        for key, name in plain.items()
    }
    used = Counter(names.values())
    return {
        key: name if used[name] == 1 and name not in taken else f"{name[: most - len(key) - 1]}_{key.lower()}"
        for key, name in names.items()
    }
