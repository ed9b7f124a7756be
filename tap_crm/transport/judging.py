"""What the status of an answer means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.transport.question import Doubtful
from tap_crm.transport.refusals import retry_after, wait_asked, words

if TYPE_CHECKING:
    import requests

    from tap_crm.transport.question import Question

OK, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, TOO_MANY = 200, 401, 403, 404, 429
NOT_IN_PLAN, CONFLICT = 402, 409
QUESTION_REFUSED = frozenset({400, 405, 406, 410, 415, 422})
FINAL = QUESTION_REFUSED | {NOT_IN_PLAN, FORBIDDEN, NOT_FOUND}
CREDENTIALS_REFUSED = (
    "the CRM refused the credentials (401); check that `api_key` (or the token) is valid, not expired and not revoked, "
    "and that it belongs to the configured user"
)


def judge(response: requests.Response, question: Question, now: float) -> None:
    """Raise unless an answer is a 200 with JSON in it; a question that writes is answered by any 2xx.

    Args:
    response: the answer.
    question: what was asked.
    now: the server's present, in epoch seconds.

    Raises:
    CredentialsRefused, Forbidden, NotThere, Refused: the CRM's final word.
    Doubtful: another attempt may bring more.
    """
    status = response.status_code
    if status == TOO_MANY:
        hold = wait_asked(response.headers, now, response.content)
        raise Doubtful("rate limit reached (429)", hold=hold, limited=True)
    if status == UNAUTHORIZED:
        raise errors.CredentialsRefused(f"{question.label}: {CREDENTIALS_REFUSED}")
    if status in FINAL:
        raise _final_word(status, question, words(response, question.secrets))
    if 300 <= status < 400:  # noqa: PLR2004 - redirects, never followed with credentials
        raise errors.ReadError(
            f"{question.label}: redirected ({status}); check `api_url`, credentials are not sent elsewhere"
        )
    if question.writes and status == CONFLICT:
        # another record has what may be there once only, or a rule of the CRM forbids it
        said = words(response, question.secrets)
        raise errors.InConflict(
            f"{question.label}: the CRM refused the write (409): {said or 'no explanation'}",
            said=said or "409 Conflict",
        )
    if question.writes and OK <= status < 300:  # noqa: PLR2004 - created, accepted, no content
        return
    if status != OK:
        raise Doubtful(f"status {status}", hold=retry_after(response.headers, now))
    kind = response.headers.get("Content-Type", "application/json")
    if "json" not in kind.lower():
        raise Doubtful("the answer is not JSON")


def _final_word(status: int, question: Question, said: str) -> errors.FinalWord:
    """Return the error of a question that the CRM refuses for good."""
    if status == NOT_IN_PLAN:
        return errors.Forbidden(
            f"{question.label}: the account's plan does not give this (402); {_without(question)}", said=said
        )
    if status == FORBIDDEN:
        does = "write" if question.writes else "read"
        return errors.Forbidden(
            f"{question.label}: the key's user may not {does} this (403); {_without(question)}, switch the feature on "
            "in the CRM, or use an admin's key",
            said=said,
        )
    if status == NOT_FOUND:
        return errors.NotThere(f"{question.label}: not found (404); check `api_url`, or the record is gone", said=said)
    what = "write" if question.writes else "question"
    return errors.Refused(
        f"{question.label}: the CRM refused the {what} ({status}): {said or 'no explanation'}", said=said
    )


def _without(question: Question) -> str:
    return "do not send the stream to the target" if question.writes else "deselect the stream"
