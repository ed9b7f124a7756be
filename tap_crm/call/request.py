"""One request, or every page of a list: what is asked, and whether that is allowed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tap_crm import errors
from tap_crm.call.lines import DECODER, ENCODER, lines_of
from tap_crm.config.endpoints import Endpoint, Paging, check_path
from tap_crm.contract.stream import StreamSpec
from tap_crm.ledger import Ledger
from tap_crm.providers.common.endpoint_answers import ANY_LIST
from tap_crm.providers.common.endpoint_source import EndpointSource
from tap_crm.providers.common.endpoints import paging_of
from tap_crm.transport.question import Question

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_crm.config.settings import Settings
    from tap_crm.contract.stream import Provider
    from tap_crm.transport.question import Reply
    from tap_crm.transport.session import Transport

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True, slots=True)
class Call:
    """What the command is asked to do.

    Attributes:
        every_page: read a whole list, not one answer.
        paging: the kind of paging; None for what is usual for the path.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    every_page: bool = False
    paging: str | None = None

    @property
    def label(self) -> str:
        """For messages."""
        return f"{self.method} {self.path}"

    def check(self, provider: Provider, *, may_write: bool) -> None:
        """Check what can be checked without asking.

        Raises:
            ConfigError: the path is none, the method writes and nobody allowed it, or options contradict each other.
        """
        if not check_path(self.path) or "{" in self.path:
            raise errors.ConfigError("the path must be one below the API's base, such as /people/123")
        writes = not provider.endpoints.reads(self.method, self.path)
        if writes and not may_write:
            raise errors.ConfigError(f"{self.label} may write; add `--write` if that is meant")
        if writes and self.every_page:
            raise errors.ConfigError("`--all` is for lists; a request that writes is sent once")
        if self.paging is not None and not self.every_page:
            raise errors.ConfigError("`--paging` goes with `--all`")
        if self.body is not None and self.method == "GET":
            raise errors.ConfigError("`--body` has no use with GET")


def perform(call: Call, provider: Provider, settings: Settings, transport: Transport) -> Iterator[bytes]:
    """Ask, and yield a line of JSON for each record, or for the answer that is no list of them.

    Raises:
        ReadError: the CRM refuses, or gives no answer that can be believed.
        EffectUnknown: whether a request that writes took effect is not known.
    """
    if call.every_page:
        yield from _all_pages(call, provider, settings, transport)
    else:
        yield from _one_answer(call, provider, transport)


def _one_answer(call: Call, provider: Provider, transport: Transport) -> Iterator[bytes]:
    question = Question(
        call.method,
        _full_path(call.path, provider),
        call.label,
        params=dict(call.query),
        body=call.body,
        writes=not provider.endpoints.reads(call.method, call.path),
    )
    body = transport.ask(question, _decoded, Ledger())
    for part in body if isinstance(body, list) else () if body is None else (body,):
        yield ENCODER.encode(part)


def _decoded(reply: Reply) -> Any:  # noqa: ANN401 - any JSON
    return DECODER.decode(reply.body) if reply.body.strip() else None


def _full_path(path: str, provider: Provider) -> str:
    return path if path.endswith("/") or not provider.endpoints.ends_in_slash else f"{path}/"


def _all_pages(call: Call, provider: Provider, settings: Settings, transport: Transport) -> Iterator[bytes]:
    """Yield the records of a list, in the order in which they come."""
    rules = provider.endpoints
    paging = Paging(call.paging or rules.usual(call.method, call.path))
    endpoint = Endpoint("call", call.path, (), call.method, call.query, call.body, records=ANY_LIST, paging=paging)
    spec = StreamSpec(call.label, (), EndpointSource(endpoint, rules, paging_of(endpoint, rules)))
    return lines_of(spec, settings, transport)
