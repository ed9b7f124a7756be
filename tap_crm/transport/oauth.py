"""OAuth with refresh tokens of which each one works once: the next is kept before anything is asked with it."""

from __future__ import annotations

import hashlib
import math
import threading
import time
from typing import TYPE_CHECKING, Any

import backoff
import msgspec
import requests
from requests.auth import AuthBase
from typing_extensions import override

from tap_crm import errors
from tap_crm.config.redaction import redact_logs
from tap_crm.transport import tls
from tap_crm.transport.body import Body
from tap_crm.transport.question import Doubtful
from tap_crm.transport.token_file import TokenFile, Tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import PreparedRequest

    from tap_crm.config.oauth_settings import OAuthSettings

OK, TOO_MANY, SERVER_ERROR = 200, 429, 500
REFUSALS = frozenset({400, 401, 403})
TIMEOUT = (10.0, 30.0)
#: Bytes of an answer: a token has some hundred.
LARGEST = 1_048_576
RETRY_SECONDS = 60.0
#: A token is renewed so many seconds before its end, so that no request is on its way with one that has run out.
MARGIN = 60.0
#: Assumed where the CRM does not say how long a token holds; an earlier end shows as a 401.
USUAL_LIFE = 3600.0
#: The standard's words for a refusal (RFC 6749, 5.2); no others are shown.
APP_REFUSED = ("invalid_client", "unauthorized_client")
REASONS = (*APP_REFUSED, "invalid_grant", "invalid_request", "unsupported_grant_type", "invalid_scope")
BEARER = "Bearer "


class _Granted(msgspec.Struct, frozen=True):
    """The answer of the token address."""

    access_token: str
    expires_in: Any = None
    refresh_token: str | None = None

    @property
    def life(self) -> float:
        """For how many seconds the access token holds.

        Some servers send the number as text. What is no number costs the usual life, and never the answer: the refresh
        token in it is the only one that still works.
        """
        said = self.expires_in
        try:
            seconds = float(said) if isinstance(said, (int, float, str)) and not isinstance(said, bool) else 0.0
        except (ValueError, OverflowError):
            return USUAL_LIFE
        return seconds if seconds > 0 and math.isfinite(seconds) else USUAL_LIFE


class _Unanswered(Exception):  # noqa: N818 - it names the answer
    """The token address brought nothing that says yes or no; another attempt may."""


class RotatingToken(AuthBase):
    """Puts a bearer token onto a request and renews it in time; safe for threads, and for several runs at once.

    After :meth:`settle`, whoever needs another token gets ``Cancelled``: the run is ending.

    Raises:
        ConfigError: the token file cannot be used. Nothing was asked by then.
    """

    def __init__(  # noqa: PLR0913 - an OAuth app has so many parts
        self,
        *,
        client_id: str,
        client_secret: str,
        refresh_token: str,
        token_file: str,
        token_url: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        redact_logs([client_secret, refresh_token])
        self._app = {"client_id": client_id, "client_secret": client_secret}
        self._configured = refresh_token
        self._origin = hashlib.sha256(refresh_token.encode()).hexdigest()
        self._file = TokenFile(token_file)
        self._url = token_url
        self._clock = clock
        self._lock = threading.Lock()
        self._exchanging = threading.Lock()
        self._ending = threading.Event()
        self._tokens: Tokens | None = None
        self._unwritten: Tokens | None = None
        self._refusal: str | None = None
        self._patience = RETRY_SECONDS

    @override
    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign the request."""
        request.headers["Authorization"] = BEARER + self._usable().access_token
        return request

    def ready(self) -> None:
        """Have a token that can be sent.

        Raises:
            CredentialsRefused: the CRM refused the refresh token or the app.
            ReadError: no token could be had or kept for another reason.
        """
        self._usable()

    def renew(self, refused: PreparedRequest) -> None:
        """Have another token than the one in this request; raises as :meth:`ready` does."""
        sent = str(refused.headers.get("Authorization", "")).removeprefix(BEARER)
        with self._lock:
            if self._tokens is None or self._tokens.access_token == sent:
                self._get(sent)

    def settle(self, seconds: float) -> None:
        """Begin no other exchange, and wait so long, at most, until one that is under way is finished and stored.

        Ended in its middle, it would lose the only refresh token that still works.
        """
        self._ending.set()
        if self._exchanging.acquire(timeout=seconds):
            self._exchanging.release()

    def _usable(self) -> Tokens:
        with self._lock:
            if self._tokens is None or self._clock() >= self._tokens.renew_at:
                return self._get("")
            return self._tokens

    def _get(self, refused: str) -> Tokens:
        """Take the tokens that another run has just got, or ask for new ones; the caller holds the threads' lock."""
        if self._refusal is not None:
            raise errors.CredentialsRefused(self._refusal)
        try:
            with self._file.lock():
                self._file.recover()
                self._tokens = self._newest(refused) or self._refresh()
        except errors.ConfigError as fault:  # found out before the run, unless somebody changed the file since
            raise errors.ReadError(str(fault)) from None
        except errors.CredentialsRefused as final:
            self._refusal = str(final)
            raise
        return self._tokens

    def _newest(self, refused: str) -> Tokens | None:
        """Return the file's tokens if the access token is worth a try."""
        kept = self._kept()
        if self._unwritten is not None or kept is None or kept.access_token == refused:
            return None
        return kept if self._clock() < kept.renew_at else None

    def _kept(self) -> Tokens | None:
        """Return the tokens that grew from the configured refresh token; those of another one are worth nothing."""
        kept = self._file.read() or self._tokens
        if kept is None or kept.grown_from != self._origin:
            return None
        redact_logs([kept.refresh_token, kept.access_token])
        return kept

    def _refresh(self) -> Tokens:
        """Exchange the refresh token, and write down the next one before anybody uses what came with it."""
        with self._file.replacing() as write:
            if self._unwritten is not None:
                write(self._unwritten)
            else:
                kept = self._kept()
                self._exchange(kept.refresh_token if kept else self._configured, write)
        written, self._unwritten = self._unwritten, None
        assert written is not None  # noqa: S101 - for the type checker
        return written

    def _exchange(self, refresh_token: str, write: Callable[[Tokens], None]) -> None:
        attempt = backoff.on_exception(
            backoff.expo, _Unanswered, max_time=self._patience, factor=0.5, max_value=15.0, logger=None
        )(self._exchange_once)
        try:
            attempt(refresh_token, write)
        except _Unanswered as doubt:
            self._patience = 0.0  # the other streams need not wait as long again: they ask once each
            raise errors.GaveUp(
                f"no OAuth token could be had: {doubt}; check the network and `oauth.token_url`, if it is set"
            ) from None
        self._patience = RETRY_SECONDS

    def _exchange_once(self, refresh_token: str, write: Callable[[Tokens], None]) -> None:
        """Ask once, and store the answer.

        Raises:
            Cancelled: the run is ending, and nothing was asked.
        """
        with self._exchanging:
            if self._ending.is_set():
                raise errors.Cancelled
            # From here until `write` has put the answer onto the disk, a crash loses the only refresh token that still
            # works: the CRM has thrown the old one away and only this process knows the new one. That cannot be
            # repaired from here, so the file is open and its space taken before, a signal waits, and nothing else
            # happens in between.
            granted = self._ask(refresh_token)
            following = granted.refresh_token or refresh_token
            redact_logs([following, granted.access_token])
            renew_at = self._clock() + granted.life - min(MARGIN, granted.life / 2)
            self._unwritten = Tokens(self._origin, following, granted.access_token, renew_at)
            write(self._unwritten)

    def _ask(self, refresh_token: str) -> _Granted:
        """Send the refresh token once."""
        form = {**self._app, "grant_type": "refresh_token", "refresh_token": refresh_token}
        try:
            response = requests.post(
                self._url, form, timeout=TIMEOUT, allow_redirects=False, auth=_unsigned, stream=True
            )
            with response:
                response.raw = Body(response.raw, TIMEOUT[1], LARGEST)
                _ = response.content  # now, since what follows looks at it
        except Doubtful as doubt:
            raise _Unanswered(f"no answer from the token address ({doubt})") from None
        except requests.exceptions.SSLError as fault:
            raise errors.ReadError(f"the token address: {tls.explain(fault, 'oauth.token_url')}") from None
        except (requests.exceptions.RequestException, ValueError) as fault:
            raise _Unanswered(f"no answer from the token address ({type(fault).__name__})") from None
        status = response.status_code
        if status in REFUSALS:
            raise errors.CredentialsRefused(_refusal(response))
        if status == TOO_MANY or status >= SERVER_ERROR:
            raise _Unanswered(f"the token address answered with status {status}")
        if status != OK:
            raise errors.ReadError(f"the token address answered with status {status}; check `oauth.token_url`")
        try:
            granted = msgspec.json.decode(response.content, type=_Granted)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise _Unanswered("the token address did not answer with a token") from None
        if not (granted.access_token.isascii() and granted.access_token.isprintable() and granted.access_token):
            raise _Unanswered("the token address answered with a token that cannot be sent")
        return granted


def _refusal(response: requests.Response) -> str:
    """Return one line on what was refused and what to do."""
    try:
        body = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        body = None
    said = body.get("error") if isinstance(body, dict) else None
    shown = f"{response.status_code}, {said}" if said in REASONS else str(response.status_code)
    if said in APP_REFUSED:
        return f"the CRM refused the OAuth app ({shown}); check `oauth.client_id` and `oauth.client_secret`"
    return (
        f"the CRM refused the OAuth refresh token ({shown}): it was used up or revoked, or is another app's; "
        "authorize the app again and put the new one into `oauth.refresh_token`"
    )


def _unsigned(request: PreparedRequest) -> PreparedRequest:
    """Keep a netrc file's credentials out."""
    return request


def rotating_token(oauth: OAuthSettings, token_url: str) -> AuthBase:
    """Return what signs requests for the user's OAuth app; ``token_url`` is the CRM's, unless the user names another.

    Raises:
        ConfigError: the token file cannot be used.
    """
    return RotatingToken(
        client_id=oauth.client_id,
        client_secret=oauth.client_secret,
        refresh_token=oauth.refresh_token,
        token_file=oauth.token_file,
        token_url=oauth.token_url or token_url,
    )
