"""Clients that ask the APIs as their documentation says, without retries: for tests and trials."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

import requests

from sandbox import close, copera
from sandbox.copper import API_KEY, USER_EMAIL


def _session() -> requests.Session:
    """Return a session that looks for no proxy in the environment: that takes as long as a request."""
    session = requests.Session()
    session.trust_env = False
    return session


class _Client:
    """A session at one address, and the server's control endpoints."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = _session()

    def control(self, path: str, order: object = None) -> Any:  # noqa: ANN401
        """Use a control endpoint, without credentials."""
        address = urljoin(self.url, f"/_sandbox/{path}")
        with _session() as session:
            answer = (
                session.get(address, timeout=60) if order is None else session.post(address, json=order, timeout=60)
            )
            return answer.json()

    def close(self) -> None:
        """Close the connections."""
        self.session.close()


class Client(_Client):
    """Asks Copper as a careful client would: right headers, parameters in the body, no retries."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.session.headers.update(
            {
                "X-PW-AccessToken": API_KEY,
                "X-PW-Application": "developer_api",
                "X-PW-UserEmail": USER_EMAIL,
                "Content-Type": "application/json",
            }
        )

    def get(self, path: str, **query: object) -> requests.Response:
        """GET a path of the API."""
        return self.session.get(f"{self.url}/{path}", params=query or None, timeout=10)  # type: ignore[arg-type]

    def post(self, path: str, body: object = None, **query: object) -> requests.Response:
        """POST a body to a path of the API."""
        return self.session.post(
            f"{self.url}/{path}",
            json={} if body is None else body,
            params=query or None,  # type: ignore[arg-type]
            timeout=10,
        )

    def put(self, path: str, body: object) -> requests.Response:
        """PUT a body to a path of the API."""
        return self.session.put(f"{self.url}/{path}", json=body, timeout=10)

    def delete(self, path: str, body: object = None) -> requests.Response:
        """DELETE a path of the API; relations are named by a body."""
        return self.session.delete(f"{self.url}/{path}", json=body, timeout=10)

    def search(self, name: str, /, **body: object) -> list[dict[str, Any]]:
        """Give one page of a search that must succeed."""
        answer = self.post(f"{name}/search", body)
        answer.raise_for_status()
        rows: list[dict[str, Any]] = answer.json()
        return rows

    def everything(self, name: str, /, **body: object) -> list[dict[str, Any]]:
        """Read all pages up to the first empty one."""
        rows: list[dict[str, Any]] = []
        for number in range(1, 10_000):
            page = self.search(name, page_number=number, page_size=50, **body)
            if not page:
                return rows
            rows += page
        raise RuntimeError("the pages never end")


class CloseClient(_Client):
    """Asks Close as a careful client would: Basic credentials, paths that end in a slash, no retries."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.session.auth = (close.API_KEY, "")

    def get(self, path: str, **query: object) -> requests.Response:
        """GET a path of the API."""
        return self.session.get(f"{self.url}/{path}/", params=query or None, timeout=10)  # type: ignore[arg-type]

    def rows(self, path: str, **query: object) -> list[dict[str, Any]]:
        """Give the rows of one answer that must succeed."""
        answer = self.get(path, **query)
        answer.raise_for_status()
        rows: list[dict[str, Any]] = answer.json()["data"]
        return rows

    def everything(self, path: str, **query: object) -> list[dict[str, Any]]:
        """Read all pages of a list by `_skip`, while it has more."""
        rows: list[dict[str, Any]] = []
        while True:
            answer = self.get(path, _skip=len(rows), **query)
            answer.raise_for_status()
            rows += answer.json()["data"]
            if not answer.json()["has_more"]:
                return rows

    def events(self, **query: object) -> list[dict[str, Any]]:
        """Read all pages of the event log."""
        rows: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            answer = self.get("event", **query, **cursor)
            answer.raise_for_status()
            rows += answer.json()["data"]
            if not answer.json()["cursor_next"]:
                return rows
            cursor = {"_cursor": answer.json()["cursor_next"]}

    def post(self, path: str, body: object) -> requests.Response:
        """POST a body to a path of the API."""
        return self.session.post(f"{self.url}/{path}/", json=body, timeout=10)

    def put(self, path: str, body: object, **query: object) -> requests.Response:
        """PUT a body to a path of the API."""
        return self.session.put(f"{self.url}/{path}/", json=body, params=query or None, timeout=10)  # type: ignore[arg-type]

    def delete(self, path: str) -> requests.Response:
        """DELETE a path of the API."""
        return self.session.delete(f"{self.url}/{path}/", timeout=10)

    def search(self, kind: str, *conditions: object, **body: object) -> requests.Response:
        """Search objects that meet all conditions, in the order of their last change."""
        queries = [{"type": "object_type", "object_type": kind}, *conditions]
        changed = {"type": "regular_field", "object_type": kind, "field_name": "date_updated"}
        usual = {"sort": [{"direction": "asc", "field": changed}]}
        return self.post("data/search", {"query": {"type": "and", "queries": queries}} | usual | body)


class CoperaClient(_Client):
    """Asks Copera as a careful client would: a Bearer token, no retries."""

    def __init__(self, url: str, token: str = copera.PAT) -> None:
        super().__init__(url)
        self.session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **query: object) -> requests.Response:
        """GET a path of the API."""
        return self.session.get(f"{self.url}/{path}", params=query or None, timeout=30)  # type: ignore[arg-type]

    def post(self, path: str, body: object) -> requests.Response:
        """POST a body to a path of the API."""
        return self.session.post(f"{self.url}/{path}", json=body, timeout=30)

    def patch(self, path: str, body: object) -> requests.Response:
        """PATCH a body to a path of the API."""
        return self.session.patch(f"{self.url}/{path}", json=body, timeout=30)

    def delete(self, path: str) -> requests.Response:
        """DELETE a path of the API."""
        return self.session.delete(f"{self.url}/{path}", timeout=30)

    def json(self, path: str, **query: object) -> Any:  # noqa: ANN401
        """Give the body of one answer that must succeed."""
        answer = self.get(path, **query)
        answer.raise_for_status()
        return answer.json()
