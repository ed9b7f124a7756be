"""What proves that an event is the CRM's own."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

import pytest

from tap_crm.contract.events import Proven, Request
from tap_crm.providers import PROVIDERS
from tests.inbox.serving import KEY, TOKEN, close_headers, copera_headers

if TYPE_CHECKING:
    from collections.abc import Mapping

BODY = b'{"event":{"id":"ev_1"}} \xff'
NOW = 1_780_000_000.0
OTHER = "0ddb" * 16


def prove(crm: str, headers: Mapping[str, str], *keys: str, body: bytes = BODY) -> Proven | None:
    """Return what a CRM's proof makes of a request."""
    rules = PROVIDERS[crm].events
    assert rules is not None
    small = {name.lower(): value for name, value in headers.items()}
    request = Request(small, body, TOKEN, keys, NOW)
    proven = rules.prove(request)
    if proven is not None:
        assert rules.may_prove(Request(small, b"", TOKEN, (), NOW))
    return proven


# Copper


def test_copper_is_proven_by_the_token_in_the_header_that_we_subscribed_with() -> None:
    assert prove("copper", {"X-Tap-Crm-Token": TOKEN}) == Proven()


@pytest.mark.parametrize("headers", [{}, {"X-Tap-Crm-Token": ""}, {"X-Tap-Crm-Token": TOKEN[:-1]}, {"Token": TOKEN}])
def test_copper_is_not_proven_by_anything_else(headers: dict[str, str]) -> None:
    assert prove("copper", headers) is None


def test_an_umlaut_in_a_header_is_no_error() -> None:
    assert prove("copper", {"X-Tap-Crm-Token": "ä" * 40}) is None
    assert prove("close", {"close-sig-hash": "ä", "close-sig-timestamp": "ä"}, KEY) is None
    assert prove("copera", {"X-Copera-Signature": "sha256=ä"}, KEY) is None


# Close


def test_close_is_proven_by_time_and_body_under_any_key_that_is_kept() -> None:
    headers = close_headers(BODY, at=NOW)
    assert prove("close", headers, KEY) == Proven()
    assert prove("close", headers, OTHER, KEY, OTHER) == Proven()


def test_a_known_signature() -> None:
    """Made by hand: `printf '1780000000{}' | openssl dgst -sha256 -mac HMAC -macopt hexkey:5eed…`."""
    signature = "90646222632e4a66e0026ebf8372c02aad1d83e3d1bdcbaff730f7f2e65913ef"
    headers = {"close-sig-hash": signature, "close-sig-timestamp": "1780000000"}
    assert prove("close", headers, KEY, body=b"{}") == Proven()
    assert prove("close", headers | {"close-sig-hash": signature.upper()}, KEY, body=b"{}") == Proven()


@pytest.mark.parametrize(
    ("change", "keys"),
    [
        ({}, [OTHER]),
        ({}, []),
        ({}, ["no digits"]),
        ({"close-sig-timestamp": str(int(NOW) + 1)}, [KEY]),
        ({"close-sig-hash": "00" * 32}, [KEY]),
        ({"close-sig-hash": ""}, [KEY]),
    ],
)
def test_close_is_not_proven_by_another_key_time_or_signature(change: dict[str, str], keys: list[str]) -> None:
    assert prove("close", close_headers(BODY, at=NOW) | change, *keys) is None


def test_close_is_not_proven_for_another_body() -> None:
    assert prove("close", close_headers(BODY, at=NOW), KEY, body=BODY + b" ") is None


@pytest.mark.parametrize("name", ["close-sig-hash", "close-sig-timestamp"])
def test_close_needs_both_headers(name: str) -> None:
    headers = close_headers(BODY, at=NOW)
    del headers[name]
    assert prove("close", headers, KEY) is None


@pytest.mark.parametrize(
    ("seconds", "is_stale"), [(0, False), (-299, False), (299, False), (-301, True), (301, True), (-72 * 3600, True)]
)
def test_an_old_time_is_marked_and_accepted(seconds: int, is_stale: bool) -> None:
    """Close tries for 72 hours, and does not say whether it signs again."""
    assert prove("close", close_headers(BODY, at=NOW + seconds), KEY) == Proven(stale=is_stale)


def test_a_time_of_another_form_is_stale() -> None:
    at = "2026-03-01T12:00:00Z"
    signature = hmac.new(bytes.fromhex(KEY), at.encode() + BODY, "sha256").hexdigest()
    assert prove("close", {"close-sig-hash": signature, "close-sig-timestamp": at}, KEY) == Proven(stale=True)


# Copera


@pytest.mark.parametrize("key", [KEY.encode(), bytes.fromhex(KEY)])
def test_copera_is_proven_by_its_key_as_text_or_as_digits(key: bytes) -> None:
    """Which one it is, is not documented."""
    assert prove("copera", copera_headers(BODY, key), KEY) == Proven()


def test_copera_may_have_a_key_that_is_no_number() -> None:
    assert prove("copera", copera_headers(BODY, b"whsec_%%"), OTHER, "whsec_%%") == Proven()


@pytest.mark.parametrize("value", ["", "sha256=", "sha1=00", "00" * 32])
def test_copera_is_not_proven_by_another_signature(value: str) -> None:
    assert prove("copera", {"X-Copera-Signature": value}, KEY) is None
    assert prove("copera", copera_headers(BODY), OTHER) is None
    assert prove("copera", {}, KEY) is None
