"""Makes comment threads and comments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.close.moments import SECOND, text_of

if TYPE_CHECKING:
    from sandbox.close.samples.random_values import RandomValues
    from sandbox.exchange import Record


def comments_and_threads(source: RandomValues) -> dict[str, list[Record]]:
    """Make threads about notes, and comments in them; some were removed."""
    notes = source.ids["notes"]
    threads: list[Record] = []
    comments: list[Record] = []
    for n in range(source.shape.comments):
        if n % 3 == 0:
            lead_id = source.maybe(0.9, source.ids["leads"])
            number = notes[len(threads) % len(notes)] if notes else source.long("acti")
            threads.append({"id": source.short("comthr"), "object_type": "activity.note", "object_id": number})
            threads[-1] |= {"lead_id": lead_id, "num_comments": 0, "participating": [source.user()]}
            threads[-1] |= _created_and_updated(source, n) | {"organization_id": source.organization_id}
        thread = threads[-1]
        thread["num_comments"] += 1
        removed = n % 5 == 4  # noqa: PLR2004
        comments.append(
            {
                "id": source.short("comm"),
                "thread_id": thread["id"],
                "lead_id": thread["lead_id"],
                "body": "" if removed else "Schön 👍\nZeile 2",
                "mentions": [],
                "created_by": source.user(),
                "updated_by": source.user(),
                "removed_at": _created_and_updated(source, n)["updated_at"] if removed else None,
                "removed_by": source.user() if removed else None,
                "organization_id": source.organization_id,
            }
            | _created_and_updated(source, n)
        )
    return {"comment_threads": threads, "comments": comments}


def _created_and_updated(source: RandomValues, place: int) -> Record:
    moment = (source.shape.now - 86_400 * (90 - place % 80)) * SECOND
    return {"created_at": text_of(moment), "updated_at": text_of(moment + 5_000)}
