"""Goes on with a question through a second of more records than an answer, while the list stands still.

A list that knows no upper bound has no other way through; for the others it is the cheap one, before the second is
read by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.reading.answer import Expired
from tap_crm.reading.believing import Believed
from tap_crm.reading.questions import OVERLAP

if TYPE_CHECKING:
    from tap_crm.messages import Row
    from tap_crm.reading.answer import Answer
    from tap_crm.reading.questions import Questions


def follow(questions: Questions, believed: Believed, second: int, far: int | None) -> Believed:
    """Go on with the question that begins at a second, up to a later time.

    Each answer must begin with the last records of the one before; else what was believed is returned as it is.
    """
    bounds, order, knows_until = questions.bounds(second, far), questions.order, questions.listing.knows_until
    answer = believed.answer
    followed = Believed(answer, believed.rows, believed.places)  # what it brings is found in any case
    while answer.after is not None:
        is_position = isinstance(answer.after, int)
        overlap = min(OVERLAP, len(answer.rows) // 2) if is_position else 0
        if not overlap and knows_until:
            return believed
        try:
            following = questions.ask(
                bounds, order, answer.after - overlap if isinstance(answer.after, int) else answer.after
            )
        except (errors.Refused, Expired):
            return believed
        fresh = _behind(answer, following, overlap)
        is_short = following.after is not None and len(following.rows) < following.size
        if not fresh or is_short or not followed.rows.keys().isdisjoint(row.key for row in fresh):
            return believed  # the list moves, or its ties come in another order each time
        answer = followed.answer = following
        questions.take(answer, followed.rows.keys())
        followed.take(answer)
        times = questions.times_within(answer, far)
        if times and times[-1] != second:
            # Whether that was the end, the next question tells: it may have been a cap.
            return followed if _is_counted(questions, followed, second) else believed
    total = answer.total
    followed.ended = questions.highest_total > total <= len(followed.rows) if total is not None else not knows_until
    return followed if followed.ended else believed


def _is_counted(questions: Questions, followed: Believed, second: int) -> bool:
    """Tell whether as many records of a second came as the CRM counts, if it does."""
    if followed.answer.total is None or not questions.listing.knows_until:
        return True
    answer = questions.ask(questions.bounds(second, second), questions.order)
    questions.take(answer, followed.rows.keys())
    keys = {row.key for row in followed.rows.values() if row.times[questions.index] == second}
    return answer.total is None or len(keys | {row.key for row in answer.rows}) >= answer.total


def _behind(answer: Answer, following: Answer, overlap: int) -> tuple[Row, ...] | None:
    """Return the rows of an answer behind those that it shares with the one before; None if it does not show them."""
    if not overlap:
        return following.rows
    shared, keys = [row.key for row in answer.rows[-overlap:]], [row.key for row in following.rows]
    if shared[0] not in keys:
        return None
    first = keys.index(shared[0])
    return following.rows[first + overlap :] if keys[first : first + overlap] == shared else None
