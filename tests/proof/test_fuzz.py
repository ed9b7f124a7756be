"""Broken inputs from outside: `./scripts/soak --of fuzz` tries thousands."""

from __future__ import annotations

import logging
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest

from tests.contract.crms import CRMS
from tests.proof import fuzzing
from tests.proof.accounts import Account
from tests.proof.seam import Response, answered_by
from tests.proof.test_crash_reading import KINDS
from tests.proof.virtual_time import virtual_time

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.contract.crm import Crm
    from tests.proof.seam import Asked, Piece

#: Cases of each kind, for each CRM; those of answers take longest.
COUNTS = {"answers": 3, "config": 8, "catalog": 8, "state": 8, "Singer input": 8, "webhooks": 8}


@pytest.fixture(scope="module", params=list(CRMS.values()), ids=list(CRMS))
def account(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Account:
    """Return a tiny account of each CRM, loaded once and then changed."""
    crm: Crm = request.param
    return Account(crm, tmp_path_factory.mktemp(crm.name))


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
        assert not fuzzing.fuzzed(what, account, KINDS[account.crm.name], number, tmp_path), number


@pytest.mark.parametrize("name", ["copper", "close", "copera"])
def test_broken_headers_are_told_in_one_line_without_what_they_hold(name: str, tmp_path: Path) -> None:
    """The library below would log them, with a traceback."""
    account = Account(CRMS[name], tmp_path)

    def answer(asked: Asked) -> Iterable[Piece]:
        whole: Response = account.server.respond(asked)
        return [whole.head(date=formatdate(usegmt=True))[:-2] + b"private content\r\n\r\n" + whole.body]

    with virtual_time() as clock, answered_by(answer, clock.wait):
        run = account.run(KINDS[name][:1], is_first=True)
    assert "headers that are broken" in run.log
    assert "Traceback" not in run.log
    assert "private" not in run.log
