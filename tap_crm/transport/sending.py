"""Sends one request: paced, with timeouts, and with a name for each way in which no answer came."""

from __future__ import annotations

import logging
import time
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING

import msgspec
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import LocationValueError, NewConnectionError, ReadTimeoutError

from tap_crm import errors
from tap_crm.transport import body, tls
from tap_crm.transport.body import Body
from tap_crm.transport.judging import OK, TOO_MANY
from tap_crm.transport.pacing.headers import limit_of
from tap_crm.transport.question import Doubtful

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from requests.auth import AuthBase

    from tap_crm.ledger import Ledger
    from tap_crm.transport.pacing.pacing import Pacing
    from tap_crm.transport.question import Question

_log = logging.getLogger("tap-crm.transport")

CONNECT_TIMEOUT = 10.0
#: Connections that are kept open, more than threads ask at once.
CONNECTIONS = 24
UNUSABLE_ADDRESS = "`api_url` is not a usable http(s) address"
BROKEN_HEADERS = "an answer has headers that are broken; what can be read of it is used"


def _without_content(record: logging.LogRecord) -> bool:
    """Let urllib3 tell of broken headers in one line: its own has what they hold, and a traceback."""
    if record.exc_info:
        record.msg, record.args, record.exc_info, record.exc_text = BROKEN_HEADERS, (), None, None
    return True


class Sender:
    """Sends requests, each once; shared by all threads of a run.

    Args:
        base_url: the API's root.
        auth: puts the credentials onto a request.
        pacing: spaces the requests.
        stopping: set when the run ends; nothing is sent then.
        headers: sent with every request.
        read_timeout: seconds without a byte after which no answer is expected any more.

    Attributes:
        base_url: the API's root, without a slash at the end.
        latency: seconds that answers took of late; 0 before the first one.
        has_reached: whether anything ever answered, or at least took the connection.
    """

    def __init__(  # noqa: PLR0913 - it is built in one place
        self,
        base_url: str,
        auth: AuthBase,
        pacing: Pacing,
        *,
        stopping: threading.Event,
        headers: Mapping[str, str],
        read_timeout: float,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.latency = 0.0
        self.has_reached = False
        self._pacing, self._stopping = pacing, stopping
        self._timeout = (CONNECT_TIMEOUT, read_timeout)
        logging.getLogger("urllib3.connection").addFilter(_without_content)
        self._session = requests.Session()
        self._session.auth = auth
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # an API needs none
        self._session.headers.update(headers)
        self._settle_environment()
        adapter = HTTPAdapter(pool_connections=2, pool_maxsize=CONNECTIONS)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def _settle_environment(self) -> None:
        """Take proxies and CA bundle from the environment once: there is one address, and no redirect is followed."""
        try:
            found = self._session.merge_environment_settings(self.base_url, {}, None, None, None)
        except ValueError:  # no usable address, which each request says
            return
        self._session.proxies, self._session.verify = found["proxies"], found["verify"]
        self._session.trust_env = False

    def send(self, question: Question, ledger: Ledger) -> requests.Response:
        """Send once, and learn from the answer how fast it may go on."""
        with self._pacing.turn(question.method, question.path) as turn:
            ledger.add(waited=turn.waited)
            if self._stopping.is_set():
                raise errors.Cancelled
            ledger.add(requests=1)
            started = time.monotonic()
            response = self._sent(question)
            limited = response.status_code == TOO_MANY
            turn.is_let_through = not limited
        took = time.monotonic() - started
        self.latency = 0.8 * self.latency + 0.2 * took if self.latency else took
        self._pacing.learn(question.method, question.path, response.headers, limited=limited)
        told = limit_of(response.headers)
        _log.debug(
            "%s %s: %d in %.2f s, waited %.2f s before it, rate limit left: %s",
            question.method,
            question.path,
            response.status_code,
            took,
            turn.waited,
            "not told" if told is None or told.remaining is None else f"{told.remaining:g}",
        )
        return response

    def _sent(self, question: Question) -> requests.Response:
        """Send, and return what comes.

        Raises:
            Doubtful, ReadError, ConfigError: nothing came.
        """
        try:
            patience = max(self._timeout[1], question.patience)
            response = self._session.request(
                question.method,
                self.base_url + question.path,
                params=dict(question.params) or None,
                data=None if question.body is None else msgspec.json.encode(question.body),
                headers={"Content-Type": "application/json"} if question.body is not None else None,
                timeout=(self._timeout[0], patience),
                allow_redirects=False,
                stream=True,
            )
            self.has_reached = True
            is_spooled = question.spooled and response.status_code == OK
            response.raw = Body(response.raw, patience, body.LARGEST_SPOOLED if is_spooled else body.LARGEST)
            if not is_spooled:
                _ = response.content  # now, so that the connection is free; a refusal is small
        except requests.exceptions.RequestException as fault:
            raise self.fault(fault, question) from None
        except LocationValueError:  # requests lets these through
            raise errors.ConfigError(UNUSABLE_ADDRESS) from None
        except ValueError:  # requests looks at the address of a redirect, followed or not
            raise Doubtful("broken answer") from None
        return response

    def fault(self, fault: requests.exceptions.RequestException, question: Question) -> Exception:
        """Return what a request that brought no answer means."""
        if isinstance(
            fault,
            (
                requests.exceptions.InvalidURL,
                requests.exceptions.InvalidSchema,
                requests.exceptions.MissingSchema,
            ),
        ):
            return errors.ConfigError(UNUSABLE_ADDRESS)
        cause = fault.args[0] if fault.args else None
        reason = getattr(cause, "reason", cause)
        if isinstance(fault, requests.exceptions.SSLError) and not tls.was_dropped(fault):
            return errors.ReadError(f"{question.label}: {tls.explain(fault, 'api_url')}")
        never_connected = (requests.exceptions.ConnectTimeout, requests.exceptions.ProxyError)
        if isinstance(fault, never_connected) or isinstance(reason, NewConnectionError):
            return Doubtful(f"no connection to {self.base_url}", unsent=True)
        self.has_reached = True
        if isinstance(fault, requests.exceptions.ReadTimeout) or isinstance(reason, ReadTimeoutError):
            return Doubtful("no answer in time", timed_out=True)
        return Doubtful(f"broken answer ({type(fault).__name__})")
