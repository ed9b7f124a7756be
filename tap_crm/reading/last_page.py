"""Finds the last page of a listing that has rows, whatever the totals say."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

A = TypeVar("A")

#: How often a total is followed to the page that it points to, before galloping.
MOST_JUMPS = 2


def find_last_page(
    ask: Callable[[int], A], has_rows: Callable[[A], bool], guess: int, *, says: Callable[[A], int | None]
) -> tuple[int, A] | None:
    """Return the number and the answer of the last page with rows, or None if page 1 has none.

    Starts at ``guess``, goes where the answer's total ``says`` that the last page is, and gallops on from there
    where that is wrong or unknown: a right total costs one request, a missing one about ``2 log2(pages)``.
    """
    found: tuple[int, A] | None = None
    empty: int | None = None
    number, step, jumps = max(1, guess), 1, 0
    while found is None or empty is None or empty < found[0]:
        answer = ask(number)
        said = says(answer)
        if has_rows(answer):
            found = (number, answer)
            if said == number:
                return found
        else:
            empty = number
            if number == 1:
                return None
        if said is not None and said not in (number, 0) and jumps < MOST_JUMPS:
            jumps, number = jumps + 1, said
            continue
        number = found[0] + step if found is not None else max(1, number - step)
        step *= 2
    low, high = found[0], empty
    while high - low > 1:
        middle = (low + high) // 2
        answer = ask(middle)
        if has_rows(answer):
            low, found = middle, (middle, answer)
        else:
            high = middle
    return found
