"""Answers of a list that are not what the list has, whichever way it goes on."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from sandbox.faults import FaultRule

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.exchange import Request
    from sandbox.simulator import Moment
    from tests.endpoints.cases import Case

#: Kinds that change what a list answers, and those that break an answer as such.
OF_A_LIST = ("short_pages", "lacking_rows", "same_page_once", "same_page", "endless", "empty_page", "empty_list")
OF_AN_ANSWER = ("429", "cut_json")
#: Records of a short page; those that an answer lacks.
SHORT, LACKING = 7, 2
OK, THIRD = 200, 3
#: Which answers break: about every third one, without a period that one of several lanes could fall into.
PRIMES = [number for number in range(2, 2_000) if all(number % other for other in range(2, number))]


def break_list(app: Any, case: Case, fault: str) -> Callable[[], None]:  # noqa: ANN401 - a sandbox
    """Let the answers of an endpoint have a fault; returns what ends it."""
    if fault in OF_AN_ANSWER:
        rule = FaultRule([fault], at=PRIMES, path=case.path, retry_after=0.1)  # type: ignore[list-item]
        app.behaviour.faults.append(rule)
        return lambda: app.behaviour.faults.remove(rule)
    end: Callable[[], None] = app.on_answer(_Listener(case, fault))
    return end


class _Listener:
    """Changes the answers of one endpoint; each path has a list of its own.

    Args:
        case: the endpoint.
        fault: what is wrong with them.
    """

    def __init__(self, case: Case, fault: str) -> None:
        self._case, self._fault = case, fault
        self._answers: Counter[str] = Counter()
        self._last: dict[str, tuple[object, bytes]] = {}
        self._first: dict[str, bytes] = {}

    def __call__(self, moment: Moment) -> None:
        """Change a question, or an answer that has records."""
        path = moment.request.path
        if self._case.path not in path:
            return
        if moment.when == "before":
            if self._fault == "short_pages":
                _ask_for_few(moment.request)
            return
        if moment.answer is None or moment.answer.status != OK:
            return
        body = msgspec.json.decode(moment.answer.body)
        records = _records(body, self._case)
        if records is None or self._fault == "short_pages":
            return
        self._answers[path] += 1
        whole = moment.answer.body
        moment.answer.body = getattr(self, f"_{self._fault}")(moment, body, records)
        self._last[path] = _question(moment.request), whole
        self._first.setdefault(path, whole)

    def _is_asked_again(self, request: Request) -> bool:
        return request.path in self._last and _question(request) == self._last[request.path][0]

    def _is_due(self, moment: Moment) -> bool:
        """Tell whether the answer is a second one, and to a new question."""
        return self._answers[moment.request.path] % 2 == 0 and not self._is_asked_again(moment.request)

    # Each returns what is answered, from the answer, its decoded body, and the records in it

    def _lacking_rows(self, moment: Moment, body: Any, records: list[Any]) -> bytes:  # noqa: ANN401
        """Each second answer lacks two rows; the same question, asked again, has them.

        An answer that says to be the last one stays: without a count, nothing tells that rows are behind it.
        """
        if self._is_due(moment) and len(records) > LACKING and not _says_to_be_last(body):
            del records[-LACKING:]
        return msgspec.json.encode(body)

    def _same_page_once(self, moment: Moment, body: Any, records: list[Any]) -> bytes:  # noqa: ANN401, ARG002
        """The third answer is the second one."""
        assert moment.answer is not None
        is_third = self._answers[moment.request.path] == THIRD and not self._is_asked_again(moment.request)
        return self._last[moment.request.path][1] if is_third else moment.answer.body

    def _same_page(self, moment: Moment, body: Any, records: list[Any]) -> bytes:  # noqa: ANN401, ARG002
        """Each answer is the first one."""
        assert moment.answer is not None
        return self._first.get(moment.request.path, moment.answer.body)

    def _endless(self, moment: Moment, body: Any, records: list[Any]) -> bytes:  # noqa: ANN401, ARG002
        """Each answer says that there is more."""
        if isinstance(body, dict):
            body |= {"has_more": True} if "has_more" in body else {}
            for name in {"cursor_next", "nextCursor"} & body.keys():
                body[name] = body[name] or moment.request.query.get("cursor") or moment.request.query.get("_cursor")
        return msgspec.json.encode(body)

    def _empty_page(self, moment: Moment, body: Any, records: list[Any]) -> bytes:  # noqa: ANN401
        """Each second answer has no row; the same question, asked again, has them."""
        if self._is_due(moment):
            records.clear()
        return msgspec.json.encode(body)

    def _empty_list(self, moment: Moment, body: Any, records: list[Any]) -> bytes:  # noqa: ANN401
        """The list is empty, and says so in every way."""
        assert moment.answer is not None
        records.clear()
        moment.answer.headers[:] = [one for one in moment.answer.headers if one[0].lower() != b"x-pw-total"]
        if isinstance(body, dict):
            for name in {"total_results", "cursor_next", "nextCursor", "pageInfo"} & body.keys():
                del body[name]
            body |= {"has_more": False} if "has_more" in body else {}
        return msgspec.json.encode(body)


def _records(body: Any, case: Case) -> list[Any] | None:  # noqa: ANN401 - any JSON
    """Return the list of records in an answer; None where it has none."""
    if isinstance(body, list):
        return body
    found = body.get(case.endpoint.get("records", "data")) if isinstance(body, dict) else None
    return found if isinstance(found, list) else None


def _says_to_be_last(body: Any) -> bool:  # noqa: ANN401 - any JSON
    if not isinstance(body, dict) or "pageInfo" in body:
        return False
    return body.get("has_more") is False or any(
        name in body and not body[name] for name in ("cursor_next", "nextCursor")
    )


def _question(request: Request) -> object:
    return request.path, request.query_text, request.body


def _ask_for_few(request: Request) -> None:
    """Let a question be for a few records only, whatever it asks for; one that asks for no number stays."""
    for name in {"_limit", "limit"} & request.query.keys():
        request.query[name] = str(SHORT)
