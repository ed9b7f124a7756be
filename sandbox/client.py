"""A client that asks Copper as its documentation says, without retries: for tests and trials."""

from __future__ import annotations

from typing import Any

import requests

from sandbox.copper import API_KEY, USER_EMAIL


class Client:
    """Asks as a careful client would: right headers, parameters in the body, no retries."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
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

    def search(self, name: str, /, **body: object) -> list[dict[str, Any]]:
        """Give one page of a search that must succeed."""
        answer = self.post(f"{name}/search", body)
        answer.raise_for_status()
        rows: list[dict[str, Any]] = answer.json()
        return rows

    def everything(self, name: str, /, **body: object) -> list[dict[str, Any]]:
        """Walk all pages up to the first empty one."""
        rows: list[dict[str, Any]] = []
        for number in range(1, 10_000):
            page = self.search(name, page_number=number, page_size=50, **body)
            if not page:
                return rows
            rows += page
        raise RuntimeError("the pages never end")

    def control(self, path: str, order: object = None) -> Any:  # noqa: ANN401
        """Use a control endpoint, without credentials."""
        root = self.url.removesuffix("/developer_api/v1")
        if order is None:
            return requests.get(f"{root}/_sandbox/{path}", timeout=10).json()
        return requests.post(f"{root}/_sandbox/{path}", json=order, timeout=10).json()

    def close(self) -> None:
        """Close the connections."""
        self.session.close()
