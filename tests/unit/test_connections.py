"""Servers that cannot be reached, that send elsewhere, or that are not who they should be."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tap_crm import errors
from tap_crm.ledger import Ledger
from tests.unit.loopback import QUESTION, Answer, ask, sending, serving, transport_to

if TYPE_CHECKING:
    from collections.abc import Iterator

CERTIFICATE = Path(__file__).with_name("self_signed.pem")


@pytest.fixture
def nobody() -> str:
    """Return an address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return f"http://127.0.0.1:{port}/v1"


def test_a_server_that_cannot_be_reached_is_given_up_soon(nobody: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong address is not tried for ten minutes."""
    monkeypatch.setattr("tap_crm.transport.session.FIRST_CONTACT_SECONDS", 0.2)
    began = time.monotonic()
    with pytest.raises(errors.GaveUp, match=r"people, page 3.*no connection to http://127\.0\.0\.1"):
        ask(transport_to(nobody, retry_seconds=600))
    assert time.monotonic() - began < 60


def test_that_it_cannot_be_reached_is_remembered(nobody: str) -> None:
    """The other streams fail at once, each with a line of its own."""
    transport = transport_to(nobody, retry_seconds=0)
    with pytest.raises(errors.GaveUp):
        ask(transport)
    ledger = Ledger()
    with pytest.raises(errors.GaveUp, match=r"people, page 3: no connection to .* check `api_url`"):
        ask(transport, ledger=ledger)
    assert ledger.requests == 0


def test_a_name_that_does_not_exist_is_no_connection() -> None:
    """A typing error in `api_url`."""
    with pytest.raises(errors.GaveUp, match=r"no connection to http://nowhere\.invalid"):
        ask(transport_to("http://nowhere.invalid/v1", retry_seconds=0))


def test_a_proxy_that_cannot_be_reached_is_no_connection(nobody: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell's proxy settings hold for the tap as well."""
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv("HTTP_PROXY", nobody)
    monkeypatch.setenv("http_proxy", nobody)
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(errors.GaveUp, match="no connection"):
        ask(transport_to("http://crm.invalid", retry_seconds=0))


def test_a_server_that_was_reached_once_is_not_given_up_for_good() -> None:
    """It went away for a while; the next question is asked."""
    with sending(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\nConnection: close\r\n\r\n") as server:
        transport = transport_to(server, retry_seconds=0)
        with pytest.raises(errors.GaveUp, match="status 500"):
            ask(transport)
    with pytest.raises(errors.GaveUp):
        ask(transport)
    ledger = Ledger()
    with pytest.raises(errors.GaveUp, match="gave up after 1 attempts"):
        ask(transport, ledger=ledger)
    assert ledger.requests == 1


@pytest.mark.parametrize("address", ["ftp://crm.example", "http://", "crm.example/v1", "http://a..b/v1"])
def test_an_address_that_is_none_is_a_mistake_in_the_config(address: str) -> None:
    """And not worth a retry."""
    with pytest.raises(errors.ConfigError, match="api_url"):
        ask(transport_to(address))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed_and_credentials_stay_here(status: int) -> None:
    """A POST would become a GET, and the key would go to whoever is named there."""
    with serving(Answer()) as elsewhere:
        redirect = Answer(status=status, headers={"Location": elsewhere.url})
        with serving(redirect) as server, pytest.raises(errors.ReadError, match=f"redirected \\({status}\\)"):
            ask(transport_to(server))
        assert elsewhere.asked == []
        assert len(server.asked) == 1


def test_a_netrc_file_does_not_replace_the_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They come from the config only."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with serving(Answer()) as server:
        ask(transport_to(server))
        assert "Authorization" not in server.asked[0].headers


@pytest.fixture
def impostor() -> Iterator[str]:
    """Serve TLS with a certificate that nobody vouches for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        try:
            while True:
                connection, _ = listener.accept()
                try:
                    context.wrap_socket(connection, server_side=True).close()
                except OSError:
                    connection.close()
        except OSError:
            pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{listener.getsockname()[1]}/v1"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def test_a_certificate_that_nobody_vouches_for_is_refused(impostor: str) -> None:
    """At once, without a second attempt, and before any credentials are sent."""
    ledger = Ledger()
    with pytest.raises(errors.ReadError, match="people, page 3: the server's TLS certificate") as caught:
        ask(transport_to(impostor), ledger=ledger)
    assert not isinstance(caught.value, errors.GaveUp)
    assert ledger.requests == 1


def test_a_server_that_speaks_no_tls_is_refused() -> None:
    """`https` in front of an address that is `http`: no certificate is wrong."""
    with serving(Answer()) as server, pytest.raises(errors.ReadError, match="speaks http, not https") as caught:
        ask(transport_to(server.url.replace("http:", "https:")), QUESTION)
    assert "`api_url`" in str(caught.value)
    assert "certificate" not in str(caught.value)


def test_a_connection_that_drops_while_tls_begins_is_tried_again() -> None:
    """A network's hiccup is no bad certificate."""
    with sending(b"") as server, pytest.raises(errors.GaveUp, match=r"after ([2-9]|\d\d) attempts"):
        ask(transport_to(server.url.replace("http:", "https:"), retry_seconds=1))
