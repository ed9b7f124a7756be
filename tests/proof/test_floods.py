"""An answer or a request of two gigabytes ends in one line, and never in the memory: `./scripts/soak --of floods`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from target_crm.writers import WRITERS
from tests.contract.crms import CRMS
from tests.proof import flooded
from tests.proof.floods import ALL_FORMS, FORMS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.proof.conftest import AccountOf

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")


@pytest.mark.parametrize("name", CRMS)
def test_answers_of_two_gigabytes_fail_their_streams(name: str, account_of: AccountOf, unmeasured: None) -> None:  # noqa: ARG001
    """In each form; the others go on, and the log says why."""
    found = flooded.reading(account_of(name), flooded.STREAMS[name])
    assert not found.wrong
    assert {*found.forms} >= {*FORMS}


def test_answers_of_two_gigabytes_fail_what_is_written(tmp_path: Path, unmeasured: None) -> None:  # noqa: ARG001
    """In two forms, of one CRM, since all are asked alike: to what is asked for it, and to what writes."""
    forms = FORMS[0], FORMS[-2]
    found = flooded.writing(next(iter(WRITERS)), tmp_path, forms)
    assert not found.wrong
    assert {*found.forms} == {*forms}


def test_requests_of_two_gigabytes_are_refused(tmp_path: Path, unmeasured: None) -> None:  # noqa: ARG001
    """In each form, and of each CRM; the receiver goes on."""
    found = flooded.receiving(tmp_path)
    assert not found.wrong
    assert {*found.forms} == {*FORMS}


def test_every_form_is_two_gigabytes() -> None:
    """Unpacked; and as long as it says."""
    for form in ALL_FORMS:
        size = sum(map(len, form.pieces()))
        if not form.is_zipped:
            assert size > 2_000_000_000
        if not form.is_chunked:
            assert size == int(form.headers["content-length"])
