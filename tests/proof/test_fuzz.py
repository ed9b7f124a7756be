"""Broken inputs from outside: `./scripts/soak --of fuzz` tries thousands."""

from __future__ import annotations

import logging
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest

from tests.proof import fuzzing
from tests.proof.seam import Response, answered_by
from tests.proof.virtual_time import virtual_time

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.proof.accounts import Account
    from tests.proof.seam import Asked, Piece

#: Cases of each kind, for each CRM; those of answers take longest.
COUNTS = {"answers": 2, "config": 3, "catalog": 3, "state": 4, "Singer input": 8, "webhooks": 8}


@pytest.mark.parametrize("what", fuzzing.CASES)
def test_what_is_broken_ends_in_a_line_and_costs_nothing(
    account: Account,
    what: str,
    tmp_path: Path,
    unmeasured: None,  # noqa: ARG001
) -> None:
    """No traceback, no run without end, and no state after which something is missing."""
    logging.getLogger("singer_sdk").setLevel(logging.WARNING)
    for number in range(COUNTS[what]):
        assert not fuzzing.fuzzed(what, account.sample, number, tmp_path), number


def test_broken_headers_are_told_in_one_line_without_what_they_hold(account: Account) -> None:
    """The library below would log them, with a traceback."""

    def answer(asked: Asked) -> Iterable[Piece]:
        whole: Response = account.server.respond(asked)
        return [whole.head(date=formatdate(usegmt=True))[:-2] + b"private content\r\n\r\n" + whole.body]

    with virtual_time() as clock, answered_by(answer, clock.wait):
        run = account.run(account.sample.streams[:1], is_first=True)
    assert "headers that are broken" in run.log
    assert "Traceback" not in run.log
    assert "private" not in run.log
