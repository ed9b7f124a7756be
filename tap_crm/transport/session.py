"""Asks the CRM: paced, retried, and believed only if the answer is whole and of the declared shape."""

from __future__ import annotations

import logging
import random
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

import backoff
import msgspec
import requests

from tap_crm import errors
from tap_crm.ledger import Ledger
from tap_crm.transport.characters import Mender
from tap_crm.transport.clock import ServerClock
from tap_crm.transport.judging import CREDENTIALS_REFUSED, UNAUTHORIZED, judge
from tap_crm.transport.outage import Outage
from tap_crm.transport.question import Doubtful, NoText, Question, Reply
from tap_crm.transport.sending import Sender
from tap_crm.transport.spooled import spooled

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

    from backoff.types import Details
    from requests import PreparedRequest
    from requests.auth import AuthBase

    from tap_crm.transport.pacing.pacing import Pacing

T = TypeVar("T")
_log = logging.getLogger("tap-crm.transport")

FIRST_WAIT, LONGEST_WAIT = 0.25, 30.0
FIRST_HOLD, LONGEST_HOLD = 1.0, 60.0
#: A spooled answer is taken in pieces of so many bytes.
PIECE = 262_144
FIRST_CONTACT_SECONDS = 45.0
MOST_DOUBLINGS = 10
#: After so many failures of one question the log warns.
FIRST_TO_WORRY = 4
#: How often something is asked that was answered before, until it counts as not answered any more.
ATTEMPTS_TO_HEAR_AGAIN = 2
#: How often bytes that are no UTF-8 are taken for a damaged transfer, before they count as what the CRM has.
LOOKS_AT_BROKEN_BYTES = 2
#: Longer than an answer of a token address may take: see `tap_crm.transport.oauth`.
SETTLE_SECONDS = 45.0


@runtime_checkable
class Renewable(Protocol):
    """Credentials that hold for a while and can get themselves new ones."""

    def ready(self) -> None:
        """Have a token that can be sent; raise a ``ReadError`` if there is none to be had."""

    def renew(self, refused: PreparedRequest) -> None:
        """Get another token than the one in this request, which was refused; nothing to do if that has happened."""

    def settle(self, seconds: float) -> None:
        """Wait so long, at most, until nothing is half done."""


class Transport:
    """The one way to the CRM; shared by all streams and threads of a run.

    Args:
        base_url: the API's root, without a slash at the end.
        auth: puts the credentials onto a request.
        pacing: spaces the requests.
        headers: sent with every request.
        retry_seconds: how long an answer is retried before its stream fails.
        read_timeout: seconds without a byte after which an attempt counts as failed.
        stopping: set when the run ends; nobody starts another attempt then.
    """

    def __init__(  # noqa: PLR0913 - it is built in one place, from the settings
        self,
        base_url: str,
        auth: AuthBase,
        pacing: Pacing,
        *,
        stopping: threading.Event,
        headers: Mapping[str, str] | None = None,
        retry_seconds: float = 600.0,
        read_timeout: float = 120.0,
    ) -> None:
        self.clock = ServerClock()
        self.pacing = pacing
        self.retry_seconds = self._wished_patience = retry_seconds
        self._sender = Sender(
            base_url, auth, pacing, stopping=stopping, headers=headers or {}, read_timeout=read_timeout
        )
        self._stopping = stopping
        self._unreachable = False
        self._refused = ""
        self._answered: Question | None = None
        self._pause = "", 0.0
        self.outage = Outage(self._answers_still, clock=time.monotonic)
        self._renewable = auth if isinstance(auth, Renewable) else None

    @property
    def latency(self) -> float:
        """Seconds that answers took of late; 0 before the first one."""
        return self._sender.latency

    def waiting(self) -> str | None:
        """Return why the last failed attempt is not tried again yet, and for how long; None where nothing waits."""
        why, until = self._pause
        left = until - time.monotonic()
        return f"{why}; tries again in {left:.0f} s" if left > 0 else None

    def ask(self, question: Question, parse: Callable[[Reply], T], ledger: Ledger) -> T:
        """Return the parsed answer.

        ``parse`` raises :class:`Doubtful` or a ``msgspec`` error for a body that cannot be believed, which
        counts as a failed attempt like a 500 does.

        Raises:
            CredentialsRefused, Forbidden, NotThere, Refused: the CRM's final word (401, 403, 404, other 4xx).
            GaveUp: no attempt succeeded within ``retry_seconds``, or nothing at all was answered for so long.
            EffectUnknown: a question that writes was sent, and no answer tells whether it took effect.
            Cancelled: the run is ending.
        """
        attempts = without_text = 0
        failed_first: float | None = None  # until then it may have waited for its turn, however long that takes
        self._spare(question)

        def gives_up(doubt: Exception) -> bool:
            nonlocal failed_first
            failed_first = time.monotonic() if failed_first is None else failed_first
            return self._gives_up(question, doubt, time.monotonic() - failed_first)

        def retrying(details: Details) -> None:
            assert failed_first is not None  # noqa: S101 - it was just looked at
            patience = self._patience()
            left = max(0.0, patience - (time.monotonic() - failed_first))
            setting = " (`retry_seconds`)" if patience == self._wished_patience else ""
            doubt = details["exception"]
            assert isinstance(doubt, Doubtful)  # noqa: S101 - nothing else is tried again
            level = logging.INFO if attempts < FIRST_TO_WORRY else logging.WARNING
            told = "%s: %s; attempt %d follows, and it is given up in %.0f s%s"
            _log.log(level, told, question.label, doubt, attempts + 1, left, setting)
            ledger.add(waited=self._wait(min(doubt.wait, left)))

        @backoff.on_exception(
            backoff.runtime,
            Doubtful,
            value=lambda _: 0.0,  # `retrying` waits: a run that is ending does not sleep on
            jitter=None,
            giveup=gives_up,
            on_backoff=retrying,
            logger=None,
        )
        def attempt() -> T:
            nonlocal attempts, without_text
            attempts += 1
            mender = Mender(replacing=without_text >= LOOKS_AT_BROKEN_BYTES)
            try:
                return self._try(question, parse, ledger, mender, attempts)
            except NoText:
                without_text += 1
                raise

        try:
            return attempt()
        except Doubtful as doubt:
            raise self._failure(question, doubt, attempts) from None

    def _wait(self, seconds: float) -> float:
        """Wait so many seconds, and return them; raise ``Cancelled`` as soon as the run is to end."""
        if self._stopping.wait(seconds):
            raise errors.Cancelled
        return seconds

    def _gives_up(self, question: Question, doubt: Exception, failing: float) -> bool:
        """Tell whether to give up: what may have been written is not sent again.

        Nor is a server asked on and on that never answered, or that answers nobody any more.

        Args:
            question: what was asked.
            doubt: how the last attempt failed.
            failing: seconds since the first attempt failed.
        """
        if question.writes and not _is_without_effect(doubt):
            return True
        if self.outage.lasts(self.retry_seconds):
            return True
        return failing >= self._patience()

    def _patience(self) -> float:
        """Return for how many seconds a question may fail; of a server that never answered, it is known sooner."""
        return self.retry_seconds if self._sender.has_reached else min(FIRST_CONTACT_SECONDS, self.retry_seconds)

    def _failure(self, question: Question, doubt: Doubtful, attempts: int) -> errors.CrmError:
        """Return the error of a question that nobody answered in a way that can be believed."""
        if question.writes and not _is_without_effect(doubt):
            return errors.EffectUnknown(
                f"{question.label}: {doubt}; whether it took effect is not known, look before it is sent again"
            )
        if self.outage.is_over_all:
            return self._silence(question, str(doubt))
        self._unreachable = not self._sender.has_reached
        if self._unreachable:
            return errors.GaveUp(f"{question.label}: {doubt}; check `api_url` and the network", is_over_all=True)
        return errors.GaveUp(
            f"{question.label}: gave up after {attempts} attempts; the last one: {doubt}. "
            "Nothing is lost: the next run goes on from the last state.",
            timed_out=doubt.timed_out,
        )

    def _try(self, question: Question, parse: Callable[[Reply], T], ledger: Ledger, mender: Mender, number: int) -> T:
        """Make an attempt, the first one or a later one, and note what it tells of the CRM as a whole."""
        if self._stopping.is_set():
            raise errors.Cancelled
        if number > 1:
            ledger.add(retries=1)
        try:
            answer = self._attempt(question, parse, ledger, mender)
        except errors.FinalWord:
            self.outage.note_answer()
            raise
        except Doubtful as doubt:
            ledger.add(rate_limited=int(doubt.limited))
            self.outage.note_failure(question.endpoint)
            self._prepare_retry(question, doubt, number)
            raise
        self.outage.note_answer()
        if question.is_safe:
            self._answered = question
        return answer

    def settle(self) -> None:
        """Wait a moment for whatever must not be broken off; called when the run ends."""
        if self._renewable:
            self._renewable.settle(SETTLE_SECONDS)

    def _spare(self, question: Question) -> None:
        """Raise without asking where the answer is known: credentials refused, or a server out of reach."""
        if self._refused:
            raise errors.CredentialsRefused(f"{question.label}: {self._refused}")
        if self.outage.is_over_all:
            raise self._silence(question)
        if self._unreachable:
            raise errors.GaveUp(
                f"{question.label}: no connection to {self._sender.base_url}; check `api_url` and the network",
                is_over_all=True,
            )

    def _silence(self, question: Question, last: str = "") -> errors.GaveUp:
        """Return the error of whoever asks while the CRM as a whole is down."""
        return errors.GaveUp(
            f"{question.label}: the CRM has not answered anything for {self.outage.seconds:.0f} seconds"
            f"{f' (the last attempt: {last})' if last else ''}, so nothing more is asked in this run. "
            "Nothing is lost: the next run goes on from the last state.",
            is_over_all=True,
        )

    def _answers_still(self) -> bool | None:
        """Ask what was answered before, a few times; None where nothing was."""
        question = self._answered
        if question is None:
            return None
        for _ in range(ATTEMPTS_TO_HEAR_AGAIN):
            try:
                self._attempt(question, lambda _: None, Ledger(), Mender(replacing=True))
            except Doubtful:
                time.sleep(FIRST_WAIT)
            except errors.ReadError:
                return True  # a refusal is an answer, too
            else:
                return True
        return False

    def _prepare_retry(self, question: Question, doubt: Doubtful, attempts: int) -> None:
        """Choose the wait before the next attempt; a 429 holds back everybody that asks the same group."""
        growth = 2.0 ** min(attempts - 1, MOST_DOUBLINGS)
        if doubt.limited or doubt.hold is not None:
            hold = min(LONGEST_HOLD, FIRST_HOLD * growth) if doubt.hold is None else doubt.hold
            hold = min(hold, self.retry_seconds)
            self.pacing.hold(question.method, question.path, hold)  # it waits, for this thread as for the others
            self._pause = str(doubt), time.monotonic() + hold
        else:
            longest = min(LONGEST_WAIT, FIRST_WAIT * growth)
            doubt.wait = random.uniform(longest / 2, longest)
            self._pause = str(doubt), time.monotonic() + doubt.wait

    def _attempt(self, question: Question, parse: Callable[[Reply], T], ledger: Ledger, mender: Mender) -> T:
        """Ask, a second time if the token had run out, and judge the answer."""
        response = self._send(question, ledger)
        if response.status_code == UNAUTHORIZED and self._renewable:
            self._sign_in(response.request)
            response = self._send(question, ledger)
        server_time = self.clock.note(response.headers.get("Date"))
        try:
            judge(response, question, self.clock.server())
        except errors.CredentialsRefused:
            self._refused = CREDENTIALS_REFUSED
            raise
        if question.spooled:
            parsed = self._believe_file(response, server_time, question, parse, mender)
        else:
            body = _mended(mender, response.content, last=True)
            parsed = _believe(Reply(body, response.headers, server_time), parse)
        ledger.add(characters_replaced=mender.replaced, characters_removed=mender.removed)
        return parsed

    def _believe_file(
        self,
        response: requests.Response,
        server_time: float,
        question: Question,
        parse: Callable[[Reply], T],
        mender: Mender,
    ) -> T:
        """Take a body to its end into a file, which goes with what ``parse`` returns if that raises nothing."""
        with ExitStack() as stack:
            stack.callback(response.close)
            file = stack.enter_context(spooled())
            try:
                for piece in response.iter_content(PIECE):
                    file.write(_mended(mender, piece))
                    self._go_on()
            except requests.exceptions.RequestException as fault:
                raise self._sender.fault(fault, question) from None
            file.write(_mended(mender, b"", last=True))
            parsed = _believe(Reply(b"", response.headers, server_time, file), parse)
            stack.pop_all()
            response.close()
        return parsed

    def _go_on(self) -> None:
        if self._stopping.is_set():
            raise errors.Cancelled

    def _send(self, question: Question, ledger: Ledger) -> requests.Response:
        self._sign_in()
        return self._sender.send(question, ledger)

    def _sign_in(self, refused: PreparedRequest | None = None) -> None:
        """Have a token, another one than was refused; if there is none to be had, no other question gets one."""
        if self._renewable is None:
            return
        try:
            if refused is None:
                self._renewable.ready()
            else:
                self._renewable.renew(refused)
        except errors.CredentialsRefused as final:
            self._refused = str(final)
            raise


def _mended(mender: Mender, piece: bytes, *, last: bool = False) -> bytes:
    """Return a piece of a body without characters that no text can hold."""
    try:
        return mender.take(piece, last=last)
    except UnicodeDecodeError:  # parsers that skip what they do not need would not notice
        raise NoText from None


def _believe(reply: Reply, parse: Callable[[Reply], T]) -> T:
    """Parse, and turn whatever does not fit into a doubt that says no content."""
    try:
        return parse(reply)
    except msgspec.ValidationError:
        raise Doubtful("the answer has another shape than documented") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Doubtful("the answer is broken or cut JSON") from None


def _is_without_effect(doubt: Exception) -> bool:
    """Tell whether the CRM certainly did nothing: it was not reached, or it refused for the rate limit."""
    return isinstance(doubt, Doubtful) and (doubt.limited or doubt.unsent)
