"""A part of the matrix of reading, with every stream and every fault of each CRM; `./scripts/soak` tries all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.crms import CRMS
from tests.proof import groups
from tests.proof.accounts import Account

if TYPE_CHECKING:
    from tests.contract.crm import Crm


@pytest.fixture(scope="module", params=list(CRMS.values()), ids=list(CRMS))
def account(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Account:
    """Return a tiny account of each CRM, loaded once and then changed."""
    crm: Crm = request.param
    return Account(crm, tmp_path_factory.mktemp(crm.name))


def test_faults_that_pass_cost_nothing(account: Account, unmeasured: None) -> None:  # noqa: ARG001
    """Each kind of question, each time it is asked first: everything is loaded, exit code 0."""
    for number, faults in enumerate(groups.once(account)):
        assert not groups.judge(account, faults, "once", is_first=bool(number % 2)), groups.named(faults)


def test_faults_that_stay_end_their_streams_only(account: Account, unmeasured: None) -> None:  # noqa: ARG001
    """Exit code 1, what is complete is true, and the next run has all of it."""
    for is_first, faults in zip((False, True), groups.for_ever(account), strict=False):
        assert not groups.judge(account, faults, "for ever", is_first=is_first), groups.named(faults)
