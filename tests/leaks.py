"""Looks for secrets in what runs write. Every way in which the tests run a command goes through here.

Searched are its outputs, and the files that its settings and arguments name: journals, reports, inboxes, states. Those
are left out from which the secrets come: configs, and files of tokens.
"""

from __future__ import annotations

import base64
import json
import os
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
#: Options that name what a run is given, and which it does not write.
INPUTS = ("--catalog", "--input")
#: What is longer is no path.
LONGEST = 1_000
#: What is shorter stands in other words, too.
SHORTEST = 8
_PASSWORD = re.compile(r"://([^/@:\s]*):([^/@\s]+)@")


class SecretShownError(AssertionError):
    """A run has shown a secret."""


def check(command: Sequence[str], variables: Mapping[str, str], *outputs: bytes) -> None:
    """Search the outputs of a run, and the files that it wrote, for each secret that it was given or keeps in a file.

    Raises:
        SecretShownError: one of them is there.
    """
    given = {*_given(command, variables)}
    if not given:
        return
    found = {f"output {number}": one for number, one in enumerate(outputs, 1)}
    found |= {str(path): path.read_bytes() for path in {*_written(command, variables)}}
    _search(given, found, " ".join(command[:4]))


def check_folder(variables: Mapping[str, str], folder: Path) -> None:
    """Search all files below a folder for each secret that is in variables."""
    files = {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    _search({*_given([], variables)}, files, str(folder))


def check_config(config: Mapping[str, Any], *outputs: bytes) -> None:
    """Search the outputs of what was given a config, and the files that it wrote, for each secret of that config."""
    found = {f"output {number}": one for number, one in enumerate(outputs, 1)}
    found |= {str(path): path.read_bytes() for path in {*_named(config)}}
    _search({*_in(config)}, found, "what was given this config")


def contents(descriptors: Iterable[int]) -> list[bytes]:
    """Return what is in files, by descriptors that may only be written to."""
    return [Path(f"/proc/self/fd/{one}").read_bytes() for one in descriptors]


def _search(secrets: Iterable[tuple[str, str]], found: Mapping[str, bytes], by: str) -> None:
    for name, secret in sorted(secrets):
        for form in {*_forms(secret)}:
            for place, content in found.items():
                if form in content:
                    raise SecretShownError(f"`{name}` is shown in {place} by {by}")


def _written(command: Sequence[str], variables: Mapping[str, str]) -> Iterator[Path]:
    """Yield the files that a run may have written, by what it was given."""
    for option, value in pairwise(command):
        if option == "--config":
            yield from _named(_json_of(value))
        elif option not in INPUTS:
            yield from _named({option: value})
    yield from _named({_setting(name): value for name, value in variables.items() if _setting(name)})


def _named(content: object, name: str = "") -> Iterator[Path]:
    """Yield the files that settings name, with those that SQLite keeps beside them."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield from _named(value, str(key))
    elif isinstance(content, list):
        for value in content:
            yield from _named(value, name)
    elif isinstance(content, str) and "/" in content and name not in (TOKEN_FILE, "oauth") and len(content) < LONGEST:
        path = content.removeprefix("sqlite:///")
        yield from (Path(one) for one in (path, f"{path}-wal", f"{path}-journal") if os.path.isfile(one))  # noqa: PTH113 - says no to odd texts


def _given(command: Sequence[str], variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each secret."""
    for option, value in pairwise(command):
        if option == "--config" and (content := _json_of(value)) is not None:
            yield from _in(content)
    for name, value in variables.items():
        if setting := _setting(name):
            yield from _in({setting: value})


def _setting(variable: str) -> str:
    """Return the setting that a variable is about, "" for none."""
    setting = re.sub(r"^(TAP|TARGET)_[A-Z]+?_", "", variable)
    return setting.lower() if setting != variable else ""


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
