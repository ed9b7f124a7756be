"""A local server that behaves like Copper's API."""

from __future__ import annotations

from sandbox.copper.account import CopperAccount
from sandbox.copper.behaviour import Behaviour
from sandbox.copper.sandbox import ACCESS_TOKEN, API_KEY, SECOND_KEY, USER_EMAIL, CopperSandbox, copper_app
from sandbox.copper.shape import SMALL, Shape

__all__ = [
    "ACCESS_TOKEN",
    "API_KEY",
    "SECOND_KEY",
    "SMALL",
    "USER_EMAIL",
    "Behaviour",
    "CopperAccount",
    "CopperSandbox",
    "Shape",
    "copper_app",
]
