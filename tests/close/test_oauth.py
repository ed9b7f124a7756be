"""OAuth end to end: rotating refresh tokens are kept, renewed in time, shared by runs, and shown to nobody."""

from __future__ import annotations

import json
import signal
import stat
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.close import ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN
from sandbox.exchange import Refusal
from tap_crm.contract.signals import REFUSED
from tests.close.killing import killed
from tests.close.truth import differences
from tests.singer import Run, Tap, environment, merged, only
from tests.warm_tap import WarmRun

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.close import CloseSandbox
    from sandbox.simulator import Moment
    from tests.close.conftest import Start

TOKEN = "oauth2/token"
COMPARED = ("leads", "emails", "users")
FEW: dict[str, Any] = {
    "leads": 30,
    "contacts": 3,
    "opportunities": 3,
    "tasks": 3,
    "activities": {"emails": 30},
    "events": 5,
    "custom_fields": 2,
}
#: Small ones, where a run has to last.
PAGES = {"data/search": 2, "activity": 2}


def with_oauth(tap: Tap, **parts: str) -> Path:
    """Sign the tap in by OAuth; returns the token file."""
    path = tap.folder / "tokens.json"
    del tap.config["api_key"]
    tap.config["oauth"] = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "refresh_token": REFRESH_TOKEN,
        "token_file": str(path),
        **parts,
    }
    return path


def assert_complete(app: CloseSandbox, run: Run) -> None:
    """Everything came."""
    for stream in COMPARED:
        assert differences(app.account, stream, merged(stream, run)) == {}, stream


def assert_nothing_shown(app: CloseSandbox, *logs: str, token_file: Path) -> None:
    """No log line has a secret, neither of those configured nor of those that the CRM gave."""
    kept = json.loads(token_file.read_bytes()) if token_file.exists() else {}
    secrets = {CLIENT_SECRET, REFRESH_TOKEN, app.oauth.refresh_token, *app.oauth.access}
    secrets |= {value for name, value in kept.items() if name.endswith("_token")}
    for log in logs:
        assert not [secret for secret in secrets if secret in log]


def exchanges(app: CloseSandbox) -> int:
    """Return how often the token address was asked."""
    return app.stats.by_path.get(TOKEN, 0)


def test_the_next_refresh_token_is_kept_before_anything_is_asked_with_it(start_some: Start) -> None:
    """One exchange; a file that only its owner may read; the next run needs no exchange at all."""
    app, tap = start_some(COMPARED, FEW)
    path = with_oauth(tap)
    early: list[str] = []

    def look(moment: Moment) -> None:
        if moment.when == "before" and moment.request.path != TOKEN:
            kept = path.read_text("utf-8") if path.exists() else ""
            if app.oauth.refresh_token not in kept or stat.S_IMODE(path.stat().st_mode) != 0o600:
                early.append(moment.request.path)

    app.on_answer(look)
    first = tap.sync()
    assert not early
    assert exchanges(app) == 1
    assert app.oauth.refresh_token != REFRESH_TOKEN
    assert_complete(app, first)
    second = tap.sync(state=first.state)
    assert exchanges(app) == 1
    assert_nothing_shown(app, first.log, second.log, token_file=path)


def test_a_token_that_runs_out_mid_run_is_renewed(start_some: Start) -> None:
    """By its lifetime, before it is refused."""
    app, tap = start_some(COMPARED, FEW, oauth_ttl=1.0, latency_ms=100, limit_caps=PAGES)
    path = with_oauth(tap)
    run = tap.sync()
    assert exchanges(app) >= 2
    assert app.stats.by_status.get("401", 0) == 0
    assert_complete(app, run)
    assert_nothing_shown(app, run.log, token_file=path)


def test_a_token_that_is_refused_early_is_renewed_and_the_question_asked_again(start_some: Start) -> None:
    """Close may end a token before its time: one 401 is no end of the run."""
    app, tap = start_some(COMPARED, FEW, limit_caps=PAGES)
    path = with_oauth(tap)

    def end_tokens(moment: Moment) -> None:
        if moment.when == "after" and moment.request.number in (5, 24):
            for token in list(app.oauth.access):
                app.oauth.access[token] = 0.0

    app.on_answer(end_tokens)
    run = tap.sync()
    assert app.stats.by_status["401"] >= 2
    assert exchanges(app) == 3
    assert_complete(app, run)
    assert_nothing_shown(app, run.log, token_file=path)


def test_two_runs_at_once_share_one_refresh_token(start_some: Start) -> None:
    """Both end well, though each exchange makes the other's token void; a third run goes on from the file."""
    app, tap = start_some(COMPARED, FEW, oauth_ttl=1.0, latency_ms=60, limit_caps=PAGES)
    tap.inside = False  # one process runs one at a time
    path = with_oauth(tap)
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: tap.sync(), range(2)))
    for run in both:
        assert_complete(app, run)
    third = tap.sync(state=both[0].state)
    assert exchanges(app) >= 3
    assert app.oauth.refresh_token in path.read_text("utf-8")
    assert_nothing_shown(app, *(run.log for run in (*both, third)), token_file=path)


def test_a_refresh_token_that_is_used_up_is_said_in_one_line(start_some: Start) -> None:
    """An exit code of its own, nothing is read, and the file stays as it is."""
    app, tap = start_some(COMPARED, FEW)
    path = with_oauth(tap, refresh_token="a-refresh-token-of-last-year")
    run = tap.sync(expect=REFUSED)
    complaints = [line for line in run.log.splitlines() if "refresh token" in line]
    assert any("used up or revoked" in line and "oauth.refresh_token" in line for line in complaints)
    assert "Traceback" not in run.log
    assert "a-refresh-token-of-last-year" not in run.log
    assert set(app.stats.by_path) == {TOKEN}
    assert exchanges(app) == 1
    assert not path.exists()
    assert run.messages == [message for message in run.messages if message["type"] != "RECORD"] or (
        {message["stream"] for message in run.messages if message["type"] == "RECORD"} <= {"sync_audit"}
    )


def test_an_app_that_is_refused_is_said(start_some: Start) -> None:
    """The secret is not shown."""
    _, tap = start_some(COMPARED, FEW)
    with_oauth(tap, client_secret="not-the-secret-of-this-app")
    run = tap.sync(expect=REFUSED)
    assert "`oauth.client_id` and `oauth.client_secret`" in run.log
    assert "not-the-secret-of-this-app" not in run.log


def test_a_new_refresh_token_in_the_config_counts_more_than_the_file(start_some: Start) -> None:
    """Who authorizes the app anew puts the token into the config and need not think of the file."""
    app, tap = start_some(COMPARED, FEW)
    path = with_oauth(tap)
    tap.sync()
    app.oauth.refresh_token = "sandbox-close-authorized-anew"
    app.oauth.access.clear()
    tap.config["oauth"]["refresh_token"] = "sandbox-close-authorized-anew"
    run = tap.sync()
    assert_complete(app, run)
    assert app.oauth.refresh_token in path.read_text("utf-8")


def test_a_killed_run_leaves_a_token_that_works(start_some: Start) -> None:
    """The file is there before anything is asked. An exchange that is cut off costs the token: none is under way."""
    app, tap = start_some(COMPARED, FEW, oauth_ttl=1.0, latency_ms=20, limit_caps=PAGES)
    with_oauth(tap)

    def hold(moment: Moment) -> None:
        if moment.when == "before" and moment.request.path == TOKEN and moment.request.number > 1:
            raise Refusal(503, "Not now")

    release = app.on_answer(hold)
    killed(tap, app, 20)
    release()
    assert exchanges(app) >= 1
    assert_complete(app, tap.sync())


@pytest.mark.parametrize(
    ("how", "signals", "number"),
    [
        pytest.param("discovery", 1, signal.SIGTERM, id="discovery-once"),
        pytest.param("discovery", 2, signal.SIGINT, id="discovery-twice"),
        pytest.param("set-up", 1, signal.SIGINT, id="set-up-once"),
        pytest.param("set-up", 2, signal.SIGTERM, id="set-up-twice"),
        pytest.param("sync", 1, signal.SIGTERM, id="sync-once"),
        pytest.param("sync", 2, signal.SIGINT, id="sync-twice"),
    ],
)
def test_a_signal_waits_until_the_next_refresh_token_is_stored(
    start: Start, catalog: dict[str, Any], how: str, signals: int, number: signal.Signals
) -> None:
    """Wherever it comes: the old token is used up by then, and the next run needs the new one."""
    app, tap = start({**FEW, "custom_fields": 1})
    path = with_oauth(tap)
    command = tap.command(catalog=only(catalog, "users") if how == "sync" else None, custom_fields="columns")

    def interrupt(moment: Moment) -> None:
        if moment.when == "after" and moment.request.path == TOKEN:
            for _ in range(signals):
                run.send_signal(number)
                time.sleep(0.15)  # the signal is there before the answer

    release = app.on_answer(interrupt)
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as log:
        command += ["--discover"] if how == "discovery" else []
        # Not measured: coverage writes its data before a process may leave at once, and the run is over by then.
        run = WarmRun(command, environment(measured=False), output.fileno(), log.fileno())
        try:
            assert run.wait(60) == 128 + number
        finally:
            run.close()
        log.seek(0)
        assert b"Traceback" not in log.read()
    release()
    assert exchanges(app) == 1
    assert app.oauth.refresh_token in path.read_text("utf-8")
    app.oauth.access.clear()  # so that the next run needs the refresh token
    assert tap.sync(catalog=only(catalog, "users")).count("users") > 0


def test_a_static_access_token(start_some: Start) -> None:
    """Without a refresh token; it is in no log line."""
    app, tap = start_some(COMPARED, FEW)
    del tap.config["api_key"]
    run = tap.sync(access_token=ACCESS_TOKEN)
    assert_complete(app, run)
    assert exchanges(app) == 0
    assert ACCESS_TOKEN not in run.log


@pytest.mark.parametrize("kind", ["500", "429", "cut_connection", "broken_json"])
def test_a_token_address_that_stumbles_is_asked_again(start_some: Start, kind: Any) -> None:  # noqa: ANN401
    """Unless it answered: then the old refresh token may be used up, and that is said."""
    from sandbox.faults import FaultRule  # noqa: PLC0415

    app, tap = start_some(COMPARED, FEW)
    path = with_oauth(tap)
    app.behaviour.faults = [FaultRule([kind], at=[1], path=TOKEN)]
    lost = kind not in ("500", "429")  # the server had exchanged it, and its answer did not arrive
    run = tap.sync(expect=REFUSED if lost else 0)
    if lost:
        assert "used up or revoked" in run.log
    else:
        assert_complete(app, run)
    assert_nothing_shown(app, run.log, token_file=path)
