"""OAuth with rotating refresh tokens: none is lost, none is used twice, none is shown."""

from __future__ import annotations

import errno
import io
import json
import logging
import os
import signal
import stat
import sys
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tap_crm import errors
from tap_crm.config.oauth_settings import OAuthSettings
from tap_crm.transport import token_file as token_file_module
from tap_crm.transport.oauth import RotatingToken, rotating_token
from tests.started import PIPE, Program
from tests.unit.loopback import ask, transport_to
from tests.unit.token_server import APP, FIRST, TokenServer, granting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tap_crm.transport.session import Transport

GOOD = [{"id": 1}]


class Clock:
    """A wall clock that is put forward by hand."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def server() -> Iterator[TokenServer]:
    """Run a CRM that gives out tokens."""
    with granting() as server:
        yield server


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return where the tokens are kept."""
    return tmp_path / "tokens.json"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up on the token address soon."""
    monkeypatch.setattr("tap_crm.transport.oauth.RETRY_SECONDS", 1.0)


def auth_for(server: TokenServer, file: Path, **changes: Any) -> RotatingToken:  # noqa: ANN401 - its own arguments
    """Return what signs the requests."""
    options = {**APP, "refresh_token": FIRST, "token_file": str(file), "token_url": server.token_url, **changes}
    return RotatingToken(**options)


def transport_for(server: TokenServer, file: Path, **changes: Any) -> Transport:  # noqa: ANN401
    """Return a transport with such credentials."""
    return transport_to(server.url, auth=auth_for(server, file, **changes), retry_seconds=5)


def kept(file: Path) -> dict[str, Any]:
    """Return the file's content."""
    content: dict[str, Any] = json.loads(file.read_bytes())
    return content


def test_a_token_is_had_once_and_sent_with_every_request(server: TokenServer, file: Path) -> None:
    """Form-encoded, as the standard says."""
    transport = transport_for(server, file)
    assert server.forms == []
    assert ask(transport) == ask(transport) == GOOD
    assert server.forms == [{**APP, "grant_type": "refresh_token", "refresh_token": FIRST}]
    assert server.seen == [f"Bearer {server.access_token}"] * 2


def test_the_next_refresh_token_is_kept_before_the_access_token_is_used(server: TokenServer, file: Path) -> None:
    """Only its owner may read it, and nothing else is left in the folder but the lock."""
    found: list[str] = []
    server.on_question = lambda: found.append(kept(file)["refresh_token"])
    assert ask(transport_for(server, file)) == GOOD
    assert found == [server.refresh_token]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert FIRST not in file.read_text()
    assert {path.name for path in file.parent.iterdir()} <= {"tokens.json", "tokens.json.lock"}


def test_the_next_run_goes_on_with_the_kept_tokens(server: TokenServer, file: Path) -> None:
    """Without asking while the access token holds; with the kept refresh token afterwards."""
    clock = Clock()
    assert ask(transport_for(server, file, clock=clock)) == GOOD
    assert ask(transport_for(server, file, clock=clock)) == GOOD
    assert len(server.forms) == 1
    second = server.refresh_token
    clock.now += 4000
    assert ask(transport_for(server, file, clock=clock)) == GOOD
    assert server.forms[1]["refresh_token"] == second
    assert kept(file)["refresh_token"] == server.refresh_token != second


@pytest.mark.parametrize(("later", "asked"), [(3500, 1), (3541, 2)])
def test_a_token_is_renewed_a_minute_before_it_ends(server: TokenServer, file: Path, later: float, asked: int) -> None:
    """No request is on its way with one that has run out."""
    clock = Clock()
    transport = transport_for(server, file, clock=clock)
    ask(transport)
    clock.now += later
    ask(transport)
    assert len(server.forms) == asked


@pytest.mark.parametrize("expires_in", [None, 0, -5, 1, 30, 1e300, True, "3600", "30.5", "", "never", "nan", "9" * 500])
def test_a_strange_life_is_survived(server: TokenServer, file: Path, expires_in: float | str | None) -> None:
    """A short one is used for half of its time; none is an hour."""
    server.expires_in = expires_in
    clock = Clock()
    transport = transport_for(server, file, clock=clock)
    ask(transport)
    assert ask(transport) == GOOD
    assert len(server.forms) == 1


def test_a_refresh_token_that_does_not_change_is_kept(server: TokenServer, file: Path) -> None:
    """Not every CRM rotates."""
    server.rotates = False
    clock = Clock()
    transport = transport_for(server, file, clock=clock)
    ask(transport)
    clock.now += 4000
    assert ask(transport) == GOOD
    assert kept(file)["refresh_token"] == FIRST


def test_a_401_in_the_middle_of_a_run_renews_once(server: TokenServer, file: Path) -> None:
    """The token was revoked, or its life was told wrongly."""
    transport = transport_for(server, file)
    ask(transport)
    server.access_token = "another"
    assert ask(transport) == GOOD
    assert len(server.forms) == 2


def test_several_threads_with_the_same_refused_token_renew_once(server: TokenServer, file: Path) -> None:
    """Those that come later find the new one."""
    transport = transport_for(server, file)
    ask(transport)
    server.access_token = "another"
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(ask(transport))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [GOOD] * 6
    assert len(server.forms) == 2


def test_a_401_for_a_new_token_is_final(server: TokenServer, file: Path) -> None:
    """And no further question is asked."""
    transport = transport_for(server, file)
    server.on_question = lambda: setattr(server, "access_token", "another")
    for _ in range(2):
        with pytest.raises(errors.CredentialsRefused, match="refused the credentials"):
            ask(transport)
    assert (len(server.forms), len(server.seen)) == (2, 2)


def test_a_newly_configured_refresh_token_wins_over_the_file(server: TokenServer, file: Path) -> None:
    """The user authorized again; what the file holds grew from the old one."""
    ask(transport_for(server, file))
    server.refresh_token = "refresh-of-another-authorization"
    assert ask(transport_for(server, file, refresh_token=server.refresh_token)) == GOOD
    assert server.forms[1]["refresh_token"] == "refresh-of-another-authorization"
    assert kept(file)["refresh_token"] == server.refresh_token


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (400, b'{"error": "invalid_grant"}', "(400, invalid_grant)"),
        (401, b'{"error": "refresh-0-8c1f0a6d5b is spent"}', "(401)"),
        (400, b"<html>", "(400)"),
        (401, b'{"error": "invalid_client"}', "`oauth.client_secret`"),
    ],
)
def test_a_refusal_is_one_line_and_final(server: TokenServer, file: Path, status: int, body: bytes, told: str) -> None:
    """It names the setting and what to do; the token address is not asked again."""
    server.faults = [(status, body)]
    transport = transport_for(server, file)
    for _ in range(3):
        with pytest.raises(errors.CredentialsRefused) as caught:
            ask(transport)
        assert told in str(caught.value)
        assert "`oauth." in str(caught.value)
        assert FIRST not in str(caught.value)
        assert APP["client_secret"] not in str(caught.value)
    assert len(server.forms) == 1
    assert server.seen == []


@pytest.mark.parametrize(
    "fault",
    [(500, b""), (503, b"{}"), (429, b""), (200, b"<html>"), (200, b'{"access_token": 5}'), (200, b" " * 2_000_000)],
)
def test_the_token_address_is_asked_again_after_a_hiccup(
    server: TokenServer, file: Path, fault: tuple[int, bytes]
) -> None:
    """A refusal is final, silence is not."""
    server.faults = [fault]
    assert ask(transport_for(server, file)) == GOOD
    assert len(server.forms) == 2


def test_a_token_address_that_stays_away_is_given_up_in_one_line(server: TokenServer, file: Path) -> None:
    """Nothing is lost; the next stream asks once, and finds it there again or not."""
    server.faults = [(503, b"")] * 50
    transport = transport_for(server, file)
    with pytest.raises(errors.GaveUp, match=r"no OAuth token could be had.*503"):
        ask(transport)
    asked = len(server.forms)
    assert asked > 1
    with pytest.raises(errors.GaveUp):
        ask(transport)
    assert len(server.forms) == asked + 1
    assert not file.exists()
    server.faults.clear()
    assert ask(transport) == GOOD
    file.unlink()
    with pytest.raises(errors.GaveUp, match="no answer from the token address"):
        ask(transport_for(server, file, token_url="http://127.0.0.1:9/oauth2/token/"))
    assert not file.exists()


@pytest.mark.parametrize("status", [301, 404, 405])
def test_a_wrong_token_address_is_said_at_once(server: TokenServer, file: Path, status: int) -> None:
    """It names its setting."""
    server.faults = [(status, b"")]
    with pytest.raises(errors.ReadError, match=r"`oauth\.token_url`"):
        ask(transport_for(server, file))
    assert len(server.forms) == 1


def test_tokens_that_could_not_be_kept_are_not_used(
    server: TokenServer, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are kept as soon as that is possible, without asking again: the old refresh token is spent."""
    transport = transport_for(server, file)
    before = token_file_module._sync_folder  # noqa: SLF001 - a disk that fails at the last moment

    def fail(_: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(token_file_module, "_sync_folder", fail)
    for _ in range(2):
        with pytest.raises(errors.ReadError, match=r"`oauth\.token_file` cannot be written \(Input/output error\)"):
            ask(transport)
    assert server.seen == []
    monkeypatch.setattr(token_file_module, "_sync_folder", before)
    assert ask(transport) == GOOD
    assert len(server.forms) == 1
    assert kept(file)["refresh_token"] == server.refresh_token


def test_tokens_that_could_not_be_put_into_their_place_are_there_for_the_next_run(
    server: TokenServer, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are on the disk, beside the file; the run that had them is over."""

    def fail(*_: object) -> None:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.replace", fail)
        with pytest.raises(errors.ReadError, match=r"`oauth\.token_file` cannot be written"):
            ask(transport_for(server, file))
    assert ask(transport_for(server, file)) == GOOD
    assert len(server.forms) == 1
    assert kept(file)["refresh_token"] == server.refresh_token


KILLED = """
import os, pathlib, signal, sys
from tap_crm.transport.oauth import RotatingToken
url, file, first, secret = sys.argv[1:]
pathlib.Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
RotatingToken(client_id="app-1", client_secret=secret, refresh_token=first, token_file=file,
              token_url=url + "/oauth2/token/").ready()
"""


@pytest.mark.skipif(os.name != "posix", reason="there is no SIGKILL")
def test_tokens_that_were_written_down_outlive_a_kill_before_they_are_in_their_place(
    server: TokenServer, file: Path
) -> None:
    """The old refresh token is spent by then."""
    command = [sys.executable, "-c", KILLED, server.url, str(file), FIRST, APP["client_secret"]]
    with Program(command, stdin=PIPE, stdout=PIPE, stderr=PIPE) as run:
        said = run.communicate(timeout=60)
    assert run.returncode == -signal.SIGKILL, said
    assert not file.exists()
    assert ask(transport_for(server, file)) == GOOD
    assert len(server.forms) == 1
    assert kept(file)["refresh_token"] == server.refresh_token
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("left", ["", " " * 8192, '{"grown_from": "x", "refr', "{}"], ids=len)
def test_what_is_left_of_a_run_that_died_before_its_tokens_came_is_not_taken_for_them(
    server: TokenServer, file: Path, left: str
) -> None:
    """It is written over."""
    ask(transport_for(server, file))
    before = kept(file)
    file.with_name("tokens.json.next").write_text(left)
    assert ask(transport_for(server, file)) == GOOD
    assert kept(file) == before


def test_a_disk_without_room_is_found_out_before_the_refresh_token_is_spent(
    server: TokenServer, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The space is taken first."""
    transport = transport_for(server, file)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("tap_crm.transport.token_file.os.fsync", full)
        with pytest.raises(errors.ReadError, match="No space left"):
            ask(transport)
    assert server.forms == []
    assert ask(transport) == GOOD


def test_a_file_that_vanishes_in_the_run_is_written_again(server: TokenServer, file: Path) -> None:
    """What it held is remembered by the run."""
    clock = Clock()
    transport = transport_for(server, file, clock=clock)
    ask(transport)
    file.unlink()
    clock.now += 4000
    assert ask(transport) == GOOD
    assert kept(file)["refresh_token"] == server.refresh_token


@pytest.mark.parametrize(
    "content", ["no json", "[]", '{"a": 1}', '{"refresh_token": 5}', "\xff\xfe", "[" * 5000], ids=str.__len__
)
def test_a_file_that_is_something_else_is_not_touched(server: TokenServer, file: Path, content: str) -> None:
    """It is said before any request, with the setting and the path."""
    file.write_text(content, encoding="latin-1")
    with pytest.raises(errors.ConfigError) as caught:
        auth_for(server, file)
    assert "`oauth.token_file`" in str(caught.value)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert file.read_text(encoding="latin-1") == content


def test_an_empty_file_is_one_that_will_be_written(server: TokenServer, file: Path) -> None:
    """It was made beforehand, by `touch`."""
    file.touch(mode=0o644)
    assert ask(transport_for(server, file)) == GOOD
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_folder_that_is_none_or_a_file_that_is_a_folder_is_said_before_any_request(
    server: TokenServer, tmp_path: Path
) -> None:
    """With the setting and the path."""
    for path in (tmp_path / "missing" / "tokens.json", tmp_path):
        with pytest.raises(errors.ConfigError, match=r"`oauth\.token_file` cannot be .*") as caught:
            auth_for(server, path)
        assert str(path) in str(caught.value)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="an administrator may write anywhere")
def test_a_folder_that_may_not_be_written_is_said_before_any_request(server: TokenServer, tmp_path: Path) -> None:
    """Before the refresh token is spent."""
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(errors.ConfigError, match="Permission denied"):
            auth_for(server, tmp_path / "tokens.json")
    finally:
        tmp_path.chmod(0o700)


def test_a_lock_that_stays_is_given_up(server: TokenServer, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another run hangs; the message says where its lock is."""
    monkeypatch.setattr(token_file_module, "LOCK_SECONDS", 0.2)
    transport = transport_for(server, file)
    with token_file_module.TokenFile(str(file)).lock(), pytest.raises(errors.GaveUp, match=r"lock.*tokens\.json"):
        ask(transport)
    assert server.forms == []
    assert ask(transport) == GOOD


def test_a_lock_that_cannot_be_made_is_said(server: TokenServer, file: Path) -> None:
    """Before anything is asked."""
    file.with_name("tokens.json.lock").mkdir()
    with pytest.raises(errors.ReadError, match=r"`oauth\.token_file` cannot be locked"):
        ask(transport_for(server, file))
    assert server.forms == []


ONE_OF_TWO = """
import sys, time
from tap_crm.transport.oauth import RotatingToken
from tests.unit.loopback import ask, transport_to
url, file, first, secret = sys.argv[1:]
auth = RotatingToken(client_id="app-1", client_secret=secret, refresh_token=first, token_file=file,
                     token_url=url + "/oauth2/token/")
transport = transport_to(url, auth=auth, retry_seconds=5)
print("ready", flush=True)
for _ in sys.stdin:
    for _ in range(8):
        assert ask(transport) == [{"id": 1}]
        time.sleep(0.1)
    print("asked", flush=True)
"""


def test_two_runs_at_once_do_not_use_up_each_others_tokens(server: TokenServer, file: Path) -> None:
    """Each finds what the other has just got, whether it soon expires or not; the file has the last refresh token."""
    command = [sys.executable, "-c", ONE_OF_TWO, server.url, str(file), FIRST, APP["client_secret"]]
    with ExitStack() as stack:
        runs = [stack.enter_context(Program(command, stdin=PIPE, stdout=PIPE, stderr=PIPE)) for _ in range(2)]
        said = [_next_line(run) for run in runs]
        sent = []
        for server.expires_in in (0.3, 3600):
            for run in runs:
                assert run.stdin is not None
                run.stdin.write(b"go\n")
                run.stdin.flush()
            said += [_next_line(run) for run in runs]
            sent.append([form["refresh_token"] for form in server.forms])
        faults = [run.communicate(timeout=60)[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], faults
    assert said == ["ready\n"] * 2 + ["asked\n"] * 4
    assert len(sent[0]) >= 3
    assert len(sent[1]) == len(set(sent[1])) == len(sent[0]) + 1
    assert kept(file)["refresh_token"] == server.refresh_token


def _next_line(run: Program) -> str:
    assert run.stdout is not None
    return run.stdout.readline().decode()


def test_no_secret_is_shown_in_logs_or_errors(server: TokenServer, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """New tokens are hidden as well, also when libraries write them."""
    written = io.StringIO()
    monkeypatch.setattr(logging.getLogger(), "handlers", [logging.StreamHandler(written)])
    monkeypatch.setattr(logging.getLogger(), "level", logging.DEBUG)
    auth = auth_for(server, file)
    transport = transport_to(server.url, auth=auth)
    ask(transport)
    secrets = [FIRST, APP["client_secret"], server.refresh_token, server.access_token]
    logging.getLogger("library").warning("%s", secrets)
    server.faults = [(400, json.dumps({"error": secrets}).encode())]
    server.access_token = "another"
    with pytest.raises(errors.CredentialsRefused) as caught:
        ask(transport)
    shown = written.getvalue() + str(caught.value) + repr(vars(auth)["_tokens"])
    assert [secret for secret in secrets if secret in shown] == []


def test_what_is_in_the_file_of_an_earlier_run_is_hidden_too(
    server: TokenServer, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody configured it."""
    ask(transport_for(server, file))
    written = io.StringIO()
    monkeypatch.setattr(logging.getLogger(), "handlers", [logging.StreamHandler(written)])
    ask(transport_for(server, file))
    logging.getLogger("library").warning("%s %s", server.refresh_token, server.access_token)
    assert written.getvalue() == "[hidden] [hidden]\n"


def test_the_end_of_a_run_waits_for_a_renewal_that_has_begun(server: TokenServer, file: Path) -> None:
    """A process that ended in its middle would lose the refresh token."""
    auth = auth_for(server, file)
    transport = transport_to(server.url, auth=auth)
    server._lock.acquire()  # noqa: SLF001 - the server takes its time
    renewing = threading.Thread(target=auth.ready)
    renewing.start()
    threading.Timer(0.3, server._lock.release).start()  # noqa: SLF001
    while not server.entered:
        time.sleep(0.01)
    transport.settle()
    assert kept(file)["refresh_token"] == server.refresh_token != FIRST
    renewing.join()


def test_the_users_token_address_overrides_the_crms(server: TokenServer, file: Path) -> None:
    """For a sandbox."""
    for token_url in (None, server.token_url):
        oauth = OAuthSettings(**APP, refresh_token=server.refresh_token, token_file=str(file), token_url=token_url)
        fallback = "http://127.0.0.1:9/" if token_url else server.token_url
        assert ask(transport_to(server.url, auth=rotating_token(oauth, fallback))) == GOOD


def test_a_token_address_that_speaks_no_tls_is_said(server: TokenServer, file: Path) -> None:
    """`https` in front of an address that is `http`."""
    transport = transport_for(server, file, token_url=server.token_url.replace("http:", "https:"))
    with pytest.raises(
        errors.ReadError, match=r"the token address: the server speaks http, not https.*oauth\.token_url"
    ):
        ask(transport)


def test_no_exchange_begins_when_the_run_ends(server: TokenServer, file: Path) -> None:
    """Its token could be lost."""
    transport = transport_for(server, file)
    transport.settle()
    with pytest.raises(errors.Cancelled):
        ask(transport)
    assert server.forms == []
