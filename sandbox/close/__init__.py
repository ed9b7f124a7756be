"""A local server that behaves like Close's API."""

from __future__ import annotations

from sandbox.close.behaviour import Behaviour
from sandbox.close.oauth import ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN
from sandbox.close.organization import CloseAccount
from sandbox.close.sandbox import API_KEY, SECOND_KEY, CloseSandbox, close_app
from sandbox.close.shape import SMALL, Shape

__all__ = [
    "ACCESS_TOKEN",
    "API_KEY",
    "CLIENT_ID",
    "CLIENT_SECRET",
    "REFRESH_TOKEN",
    "SECOND_KEY",
    "SMALL",
    "Behaviour",
    "CloseAccount",
    "CloseSandbox",
    "Shape",
    "close_app",
]
