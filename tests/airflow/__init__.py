"""Tests of what orchestrates many accounts; the DAG itself is run by ``./scripts/test-airflow``."""

from __future__ import annotations
