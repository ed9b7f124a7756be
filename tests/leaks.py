"""Looks for secrets in what runs write. Every way in which the tests run a command goes through here."""

from __future__ import annotations

import base64
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

#: Settings that are secrets, as they are named in configs, token files and variables.
SECRETS = frozenset(
    {"api_key", "access_token", "client_secret", "refresh_token", "inbox_token", "inbox_signature_key", "password"}
)
#: Settings that may be an address with a password in it, and the file of tokens.
ADDRESSES, TOKEN_FILE = frozenset({"journal", "inbox"}), "token_file"
#: What is shorter stands in other words, too.
SHORTEST = 8
_PASSWORD = re.compile(r"://([^/@:\s]*):([^/@\s]+)@")


class SecretShownError(AssertionError):
    """A run has shown a secret."""


def check(command: Sequence[str], variables: Mapping[str, str], *outputs: bytes) -> None:
    """Search the outputs of a run for each secret that it was given, and for those that it keeps in a file.

    Raises:
        SecretShownError: one of them is there.
    """
    for name, secret in sorted(set(_given(command, variables))):
        for form in _forms(secret):
            if any(form in output for output in outputs):
                raise SecretShownError(f"`{name}` is shown by {' '.join(command[:4])}")


def check_files(command: Sequence[str], variables: Mapping[str, str], descriptors: Iterable[int]) -> None:
    """Search outputs that are files, as descriptors that may only be written to."""
    check(command, variables, *(Path(f"/proc/self/fd/{one}").read_bytes() for one in descriptors))


def _given(command: Sequence[str], variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each secret."""
    for option, value in pairwise(command):
        if option == "--config" and (content := _json_of(value)) is not None:
            yield from _in(content)
    for name, value in variables.items():
        setting = re.sub(r"^(TAP|TARGET)_[A-Z]+?_", "", name).lower()
        if setting != name.lower():
            yield from _in({setting: value})


def _in(content: object, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(content, dict):
        for key, value in content.items():
            yield from _in(value, str(key))
    elif isinstance(content, list):
        for value in content:
            yield from _in(value, name)
    elif isinstance(content, str):
        yield from _in_text(content.strip(), name)


def _in_text(text: str, name: str) -> Iterator[tuple[str, str]]:
    if text.startswith("{"):
        yield from _in(_parsed(text), name)
    elif name == TOKEN_FILE:
        yield from _in(_json_of(text))
    elif name in SECRETS and len(text) >= SHORTEST:
        yield name, text
    for user, password in _PASSWORD.findall(text):
        if len(password) >= SHORTEST and password != user:
            yield f"password of {name}", password


def _forms(secret: str) -> Iterator[bytes]:
    """Yield the ways in which a secret may be written: as it is, in an address, in a header."""
    for text in {secret, unquote(secret)}:
        yield text.encode()
        yield quote(text, safe="").encode()
        yield base64.b64encode(text.encode()).rstrip(b"=")
        yield base64.b64encode(f"{text}:".encode()).rstrip(b"=")


def _json_of(path: str) -> Any:  # noqa: ANN401 - any JSON
    """Return what a file holds; None where it is none, or holds no JSON: tests give such files, too."""
    try:
        return _parsed(Path(path).read_text("utf-8"))
    except (OSError, ValueError):
        return None


def _parsed(text: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
