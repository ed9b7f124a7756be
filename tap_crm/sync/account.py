"""Of which account a state is: no run goes on from the state of another one.

With the bookmarks of another account, whatever is older than these would count as read, and never arrive.
"""

from __future__ import annotations

import logging
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.contract.account_mark import account_mark
from tap_crm.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tap_crm.sync.run import Run, RunStream

_log = logging.getLogger("tap-crm")


@dataclass(frozen=True, slots=True)
class Account:
    """The account that a run reads.

    Attributes:
        mark: what the state keeps of it.
        id: the CRM's.
    """

    mark: str
    id: str


#: Seconds of retries where the state has nothing to be held against: a fault of this question should cost little.
BRIEFLY = 30.0


def own_mark(kept: Collection[str], marks: Sequence[str], title: str) -> str:
    """Return the mark for what this run writes: that of the state, else the first one.

    Args:
        kept: the marks that the state has.
        marks: of each account that the credentials may stand for, the user's own one first; mostly one.
        title: the CRM's name.

    Raises:
        OtherAccount: the state, or a part of it, is of none of these.
    """
    if set(kept) - set(marks):
        raise errors.OtherAccount(
            f"the state is of another account than the one that these credentials open in {title}: nothing was "
            "written. Each account needs a state of its own (in Meltano, an extractor of its own, by `inherit_from`); "
            "to load this account from its start, run without the state (`--full-refresh`), into tables of its own"
        )
    return next((mark for mark in marks if mark in kept), marks[0])


def account_of(run: Run, selected: Sequence[RunStream], kept: Collection[str]) -> Account | None:
    """Return the account that a run reads; None where the CRM does not tell it.

    It costs one request, unless the stream that reads the same answer is selected, which counts it.

    Args:
        run: the run.
        selected: its streams.
        kept: the marks that the state has.

    Raises:
        OtherAccount: the state is of another one.
        ReadError: the setting `account_column` needs the account, and the CRM does not tell it.
    """
    identity, provider = run.provider.identity, run.provider
    needed = run.settings.account_column is not None
    if identity is None and needed:
        raise errors.ConfigError(f"the setting `account_column`: {provider.title} does not tell which account it is")
    if identity is None or not selected:
        return None
    own = next((stream for stream in selected if stream.name == identity.stream), None)
    reading = (own or selected[0]).reading(lambda _: None, None)
    if own is None:  # the question is no other stream's: none counts it
        reading = replace(reading, ledger=Ledger())
    with nullcontext() if kept or needed else run.retrying_briefly(BRIEFLY):
        try:
            accounts = identity.ask(reading)
        except errors.ReadError as error:  # what concerns more than this question, the streams will meet, too
            if needed:
                raise
            _log.info("which account this is could not be found out: %s", error)
            accounts = ()
    if accounts:
        marks = {account_mark(provider.name, one): str(one) for one in accounts}
        mark = own_mark(kept, list(marks), provider.title)
        if needed and len(marks) > 1:
            raise errors.ConfigError(
                f"the setting `account_column`: these credentials open {len(marks)} accounts in {provider.title}, and "
                "no record tells of which it is; take a key of one account"
            )
        return Account(mark, marks[mark])
    if needed:
        raise errors.ReadError(
            f"the setting `account_column` needs the account's id, which {provider.title} does not tell: nothing was "
            "written; check the rights of the key's user"
        )
    if kept:
        _log.warning("%s does not tell which account this is: the state's was not checked", provider.title)
    return None
