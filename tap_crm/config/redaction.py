"""Keeps secrets out of every log line, also out of those that libraries write."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

HIDDEN = "[hidden]"


class _Redaction(logging.Formatter):
    """Formats as before, then hides the secrets in the finished line, tracebacks included."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner
        self._secrets: tuple[str, ...] = ()

    def hide(self, secrets: Iterable[str]) -> None:
        """Hide these as well; the longest first, since one may be part of another."""
        self._secrets = tuple(sorted({*self._secrets, *secrets}, key=len, reverse=True))

    @override
    def format(self, record: logging.LogRecord) -> str:
        return self.without_secrets(self._inner.format(record))

    def without_secrets(self, line: str) -> str:
        """Return a line with the secrets hidden."""
        for secret in self._secrets:
            line = line.replace(secret, HIDDEN)
        return line


def redact_logs(secrets: Iterable[str]) -> None:
    """Hide the secrets, besides those of earlier calls, in whatever the present log handlers write from now on."""
    found = {secret for secret in secrets if secret}
    if not found:
        return
    for handler in logging.getLogger().handlers:
        redaction = handler.formatter
        if not isinstance(redaction, _Redaction):
            redaction = _Redaction(redaction or logging.Formatter())
            handler.setFormatter(redaction)
        redaction.hide(found)


def redacted(text: str) -> str:
    """Return a text without the secrets that the present log handlers hide."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, _Redaction):
            text = handler.formatter.without_secrets(text)
    return text


def texts_in(value: Any, shown: Collection[str] = ()) -> Iterator[str]:  # noqa: ANN401 - any JSON
    """Yield every text in the value of a setting, whatever form it was given in.

    Args:
        value: as it was given.
        shown: the parts of an object that are left out where they are text, as they should be.
    """
    if isinstance(value, dict):
        value = {name: part for name, part in value.items() if not (name in shown and isinstance(part, str))}
    return _texts(value)


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _texts(part)
    elif value is not None and not isinstance(value, bool):
        yield str(value).strip()
