"""Credentials cross no network that others can listen to."""

from __future__ import annotations

import pytest

from tap_crm.config.kinds import url
from tap_crm.errors import ConfigError


@pytest.mark.parametrize(
    "address",
    [
        "https://api.copper.com/developer_api/v1",
        "https://203.0.113.7",
        "http://127.0.0.1:9000/developer_api/v1",
        "http://localhost:9000",
        "http://LOCALHOST",
        "http://[::1]:9000",
        "http://10.1.2.3",
        "http://192.168.0.4:8080",
        "http://sandbox:8000",
        "http://crm.internal",
    ],
)
def test_https_or_a_network_of_ones_own(address: str) -> None:
    """Whatever is near may be plain."""
    assert url().parse(address, "api_url") == address


@pytest.mark.parametrize(
    "address",
    [
        "http://api.copper.com",
        "http://8.8.8.8",
        "http://[2606:4700::1]",
        "http://127.0.0.1.example.com",
        "http://x.com.",
    ],
)
def test_plain_http_to_the_world_is_refused(address: str) -> None:
    """Before any request."""
    with pytest.raises(ConfigError, match="`api_url` must begin with https://"):
        url().parse(address, "api_url")
