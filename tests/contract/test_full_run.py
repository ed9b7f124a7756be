"""A first run loads every record of every stream, exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from sandbox.server import running
from tests.contract.conftest import tap_for
from tests.contract.crms import CRMS

if TYPE_CHECKING:
    from tests.contract.crm import Crm
    from tests.singer import Run


@pytest.fixture(scope="module", params=list(CRMS.values()), ids=list(CRMS))
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Crm, Any, Run]:
    """Return an account, and what a first run writes of it, for tests that only look at it."""
    crm: Crm = request.param
    app = crm.app({**crm.shape, **crm.everything}, rate_limit=0, **crm.knobs)
    with running(app) as url:
        return crm, app, tap_for(crm, url, tmp_path_factory.mktemp(crm.name)).sync()


def test_every_record_of_every_stream_is_valid_and_equal_to_the_truth(loaded: tuple[Crm, Any, Run]) -> None:
    """Against the SCHEMA that was emitted, formats included; by their own keys."""
    crm, app, run = loaded
    told = {stream for stream in run.schemas if crm.is_of_account(stream)}
    assert set(run.schemas) == {*crm.default, *told, "sync_audit"}
    for stream, message in run.schemas.items():
        if stream != "sync_audit":
            assert tuple(message["key_properties"]) == crm.key_of(stream), stream
        check = jsonschema.Draft202012Validator(message["schema"], format_checker=jsonschema.FormatChecker())
        for record in run.records(stream):
            check.validate(record)
    crm.assert_complete(app, run, streams=crm.comparable(run))
    assert all(run.count(stream) > 0 for stream in crm.comparable(run))


def test_each_record_comes_once(loaded: tuple[Crm, Any, Run]) -> None:
    """Where nothing changes meanwhile, what is asked for again at the edges of pages is not written again."""
    crm, _, run = loaded
    assert {stream for stream in crm.comparable(run) if run.count(stream) > len(run.keys(stream))} == set()


def test_the_audit_says_that_all_is_complete(loaded: tuple[Crm, Any, Run]) -> None:
    """Nothing is unexplained."""
    crm, app, run = loaded
    rows = run.audit()
    assert rows.keys() >= set(crm.default)
    assert all(row["complete"] and row["unexplained"] == 0 for row in rows.values())
    assert sum(row["requests"] for row in rows.values()) == app.stats.requests
