"""A local server that behaves like Copera's API."""

from __future__ import annotations

from sandbox.copera.behaviour import Behaviour
from sandbox.copera.sandbox import CoperaSandbox, copera_app
from sandbox.copera.shape import SMALL, Shape
from sandbox.copera.tokens import API_KEY, OAUTH_TOKEN, PAT
from sandbox.copera.workspace import CoperaAccount

__all__ = [
    "API_KEY",
    "OAUTH_TOKEN",
    "PAT",
    "SMALL",
    "Behaviour",
    "CoperaAccount",
    "CoperaSandbox",
    "Shape",
    "copera_app",
]
