"""Three kinds of token, and what each of them does not reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.copera import API_KEY, OAUTH_TOKEN, PAT
from tests.copera.conftest import table_streams
from tests.copera.truth import FIXED, differences, table_differences
from tests.target import Target

if TYPE_CHECKING:
    from sandbox.simulator import Moment
    from tests.copera.conftest import Start

BEYOND_A_KEY = {
    *("workspace", "members", "teams", "documents", "drive_files", "bookings", "booking_types", "notifications"),
}
SHAPE = {"boards": 3, "tables": 6, "rows": 60, "channels": 8, "documents": 6, "drive_files": 6}


@pytest.mark.parametrize("token", [PAT, OAUTH_TOKEN, API_KEY])
def test_a_token_brings_what_it_reaches(start: Start, token: str) -> None:
    """The rest is left out of the catalog and of a run, with a warning."""
    beyond = {PAT: set(), OAUTH_TOKEN: {"bookings", "booking_types"}, API_KEY: BEYOND_A_KEY}[token]
    app, tap = start(SHAPE)
    tap.config["api_key"] = token
    catalog, log = tap.discover()
    offered = {entry["tap_stream_id"] for entry in catalog["streams"]}
    assert set(FIXED) - offered == beyond
    run = tap.sync()
    target = Target(run)
    for stream in beyond:
        assert f"stream `{stream}` is left out" in log
        assert f"stream `{stream}` is left out" in run.log
        assert run.count(stream) == 0
    for stream in set(FIXED) - beyond:
        assert differences(app.account, stream, run, target) == {}, stream
    names: dict[str, str] | None = {} if token == API_KEY else None
    assert table_differences(app.account, run, target, names=names) == {}
    assert token not in run.log + log
    assert token[7:] not in run.log + log


def test_a_key_sees_its_boards_and_channels_only(start: Start) -> None:
    """The lists leave out the others, without a word; who users are is not known."""
    app, tap = start(SHAPE)
    boards, channels = app.account.lists["boards"], app.account.lists["channels"]
    app.behaviour.key_boards = [app.account.table_named("Leads").board]
    app.behaviour.key_channels = list(channels)[:5]
    tap.config["api_key"] = API_KEY
    run = tap.sync()
    assert len(boards) == 3
    # The sandbox may list a board that it then refuses, or not list it: in either case its tables are left out.
    assert table_streams(run) == ["sales__companies", "sales__deals", "sales__leads", "sales__people"]
    assert run.keys("channels") == {(key,) for key in list(channels)[:5]}
    named = [row for row in run.records("sales__deals") if row["owner"]]
    assert named
    assert "their names are null" in run.log


@pytest.mark.parametrize("token", ["cp_xyz_0123456789", "0123456789abcdef", "Bearer cp_pat_1", ""])
def test_a_token_that_is_none_of_coperas_is_refused_before_any_request(start: Start, token: str) -> None:
    """One line; the token is not in it."""
    app, tap = start(SHAPE)
    run = tap.sync(api_key=token, expect=1)
    assert app.stats.requests == 0
    assert "Traceback" not in run.log
    assert not token or token not in run.log


@pytest.mark.parametrize("scope", ["access_docs", "access_drive", "access_channels", "access_bookings"])
def test_a_missing_scope_leaves_out_its_streams(start: Start, scope: str) -> None:
    """The others are complete."""
    all_scopes = ["access_boards", "access_channels", "access_docs", "access_drive", "access_bookings"]
    app, tap = start(SHAPE, scopes={"pat": [one for one in all_scopes if one != scope]})
    gone = {
        "access_docs": {"documents"},
        "access_drive": {"drive_files"},
        "access_channels": {"channels", "channel_participants"},
        "access_bookings": {"bookings", "booking_types"},
    }[scope]
    run = tap.sync()
    target = Target(run)
    for stream in gone:
        assert f"stream `{stream}` is left out" in run.log
    for stream in set(FIXED) - gone:
        assert differences(app.account, stream, run, target) == {}, stream


def test_secrets_are_in_no_line_of_the_log_whatever_goes_wrong(start: Start) -> None:
    """Not even where the server says them back."""
    app, tap = start(SHAPE)

    def say(moment: Moment) -> None:
        if moment.answer is not None:
            moment.answer.status = 403
            moment.answer.body = f'{{"message":"no rights for {PAT}"}}'.encode()

    app.on_answer(say)
    for log in (tap.sync(expect=1).log, tap.discover(expect=1)[1]):
        assert PAT not in log
        assert PAT[7:] not in log
