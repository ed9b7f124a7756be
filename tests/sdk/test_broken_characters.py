"""A character that no text can hold costs no record: all others arrive unchanged, and it is told."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.faults import FaultRule
from tests.sdk.accounts import CRMS, account
from tests.singer import only

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.faults import Kind
    from tests.sdk.accounts import Account
    from tests.singer import Record

LEAST_LETTERS = 5


def a_text_that_is_there_once(records: list[Record]) -> str:
    """Return what stands once in all records, in a field that holds what people write."""
    everything = json.dumps(records, default=str)
    texts = (value for record in records for name, value in record.items() if "name" in name or "custom" in name)
    return next(
        text
        for text in texts
        if isinstance(text, str)
        and text[:1].isalpha()
        and text.isascii()
        and len(text) >= LEAST_LETTERS
        and everything.count(text) == 1
    )


def replaced_in(records: list[Record], text: str, by: str) -> list[Record]:
    """Return the records with another text in its place."""
    changed: list[Any] = json.loads(
        json.dumps(records, default=str).replace(json.dumps(text)[1:-1], json.dumps(by)[1:-1])
    )
    return changed


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], tuple[Account, list[Record], str]]]:
    """Return a function that serves an account, with the records of its stream, and a text that is there once."""
    with ExitStack() as stack:

        @cache
        def serve(crm: str) -> tuple[Account, list[Record], str]:
            served = stack.enter_context(account(crm, tmp_path_factory.mktemp(crm)))
            served = replace(served, tap=served.tap.given(only(served.tap.discover()[0], served.stream, "sync_audit")))
            whole = served.tap.sync().records(served.stream)
            return served, whole, a_text_that_is_there_once(whole)

        yield serve


@pytest.mark.parametrize(
    ("kind", "instead", "said"),
    [
        ("half_surrogate", "\ufffd", "broken characters in the CRM's answers: U+FFFD stands in their place"),
        ("null_character", "", "NUL characters in the CRM's answers are left out"),
        ("no_utf8", "\ufffd", "broken characters in the CRM's answers: U+FFFD stands in their place"),
    ],
    ids=["half a surrogate pair", "a NUL", "a byte that is no UTF-8"],
)
@pytest.mark.parametrize("crm", CRMS)
def test_one_broken_character_changes_one_record(
    opened: Callable[[str], tuple[Account, list[Record], str]], crm: str, kind: Kind, instead: str, said: str
) -> None:
    """The record that has it arrives too, at each run, and the audit counts what was done."""
    served, whole, text = opened(crm)
    served.app.behaviour.faults = [FaultRule([kind], every=1, text=text)]
    run = served.tap.sync()
    read = json.loads(json.dumps(run.records(served.stream), default=str))
    assert read == replaced_in(whole, text, text + instead)
    assert run.audit()[served.stream]["complete"]
    remarks = [note for note in run.audit()[served.stream]["notes"] if said in note]
    assert len(remarks) == 1
    assert f"{served.stream}: {remarks[0]}" in run.log
