"""A character that no text can hold costs no record: all others arrive unchanged, and it is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.faults import FaultRule
from tests.sdk.accounts import CRMS, account
from tests.singer import only

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.faults import Kind
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
def test_one_broken_character_changes_one_record(tmp_path: Path, crm: str, kind: Kind, instead: str, said: str) -> None:
    """The record that has it arrives too, at each run, and the audit counts what was done."""
    with account(crm, tmp_path) as opened:
        catalog = only(opened.tap.discover()[0], opened.stream, "sync_audit")
        whole = opened.tap.sync(catalog=catalog).records(opened.stream)
        text = a_text_that_is_there_once(whole)
        opened.app.behaviour.faults = [FaultRule([kind], every=1, text=text)]
        run = opened.tap.sync(catalog=catalog)
    read = json.loads(json.dumps(run.records(opened.stream), default=str))
    assert read == replaced_in(whole, text, text + instead)
    assert run.audit()[opened.stream]["complete"]
    remarks = [note for note in run.audit()[opened.stream]["notes"] if said in note]
    assert len(remarks) == 1
    assert f"{opened.stream}: {remarks[0]}" in run.log
