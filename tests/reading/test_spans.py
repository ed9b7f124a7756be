"""How a list is cut into spans that are walked side by side: evenly, and at the cost of few questions."""

from __future__ import annotations

import pytest

from tap_crm.messages import Row
from tap_crm.reading.answer import Answer
from tap_crm.reading.spans import Spans

SIZE, SECONDS_OF_A_PAGE = 20, 100


def walk(pages: int, lanes: int, *, wanted: int = SIZE) -> tuple[int, int]:
    """Walk a list whose records are spread evenly over time, all lanes at one pace.

    Args:
        pages: how many there are.
        lanes: how many parts are walked at once.
        wanted: records that are asked for; the CRM gives fewer where this is more than a page has.

    Returns:
        In how many parts it was walked, and in how many turns: in each, every lane that has a part asks one question.
    """
    end, spans = pages * SECONDS_OF_A_PAGE, Spans(ascending=True, lanes=lanes)
    active, parts, turns = [spans.begin(0, None, None)], 1, 0
    while active:
        turns += 1
        for span in active.copy():
            far = end if span.far is None else min(span.far, end)
            position = span.near if span.position is None else span.position
            assert position is not None
            total = max(0, far - position) * SIZE // SECONDS_OF_A_PAGE
            answer = Answer((Row(0, (0,)),) * min(SIZE, total), b"", None, total, wanted, 0.0)
            span.pages += 1
            span.position = min(far, position + SECONDS_OF_A_PAGE)
            span.trail.append(span.position)
            if span.position >= far and spans.is_over(span, span.far):
                active.remove(span)
            elif behind := spans.cut(span, answer):
                active.append(behind)
                parts += 1
    return parts, turns


@pytest.mark.parametrize("pages", [400, 437, 1_000])
@pytest.mark.parametrize("lanes", [2, 4, 6])
def test_all_lanes_share_the_end_of_a_long_list(pages: int, lanes: int) -> None:
    """What one lane reads alone at the end leaves most of a high rate limit unused; each part costs a question."""
    parts, turns = walk(pages, lanes)
    assert turns <= 1.15 * pages / lanes
    assert parts <= 0.05 * pages


@pytest.mark.parametrize("lanes", [2, 4, 6])
def test_a_list_below_fifty_pages_is_one_part(lanes: int) -> None:
    """Nine thousand leads of Close cost a question for each page, and none besides."""
    assert walk(45, lanes) == (1, 45)


@pytest.mark.parametrize("lanes", [2, 4, 6])
def test_a_list_of_a_hundred_pages_is_a_few_parts(lanes: int) -> None:
    """Twenty thousand records of Copper."""
    parts, turns = walk(100, lanes)
    assert parts <= 5
    assert turns <= 55


@pytest.mark.parametrize("lanes", [2, 4, 6])
def test_pages_are_counted_as_large_as_the_crm_gives_them(lanes: int) -> None:
    """Where the CRM gives fewer records than it is asked for, as many pages are left as it will take."""
    assert walk(400, lanes, wanted=10 * SIZE) == walk(400, lanes)
