"""Folders in memory where the system has them, and a tiny account of each CRM that all these tests begin with."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, TypeAlias

import pytest

from tests.contract.crms import CRMS
from tests.proof.accounts import Account
from tests.target_crm.conftest import tmp_path

if TYPE_CHECKING:
    from collections.abc import Callable

    AccountOf: TypeAlias = Callable[[str], Account]

__all__ = ["tmp_path"]


@pytest.fixture(scope="session")
def account_of(tmp_path_factory: pytest.TempPathFactory) -> AccountOf:
    """Return a function that gives a tiny account of a CRM, loaded once and then changed.

    It is the same one for all tests of a process: none of them may change it but in a copy of that process.
    """
    return cache(lambda name: Account(CRMS[name], tmp_path_factory.mktemp(name)))


@pytest.fixture(scope="module", params=list(CRMS))
def account(request: pytest.FixtureRequest, account_of: AccountOf) -> Account:
    """Return that account of each CRM."""
    return account_of(request.param)
