"""What docs/dbt.md says of the neutral models: written from what the dbt package declares of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

DECLARED = Path(__file__).resolve().parents[1] / "dbt" / "models" / "crm" / "_crm__models.yml"
FIRST = ("crm", "account", "source_id", "url", "created_at", "updated_at", "is_deleted", "raw")
"""What every neutral table begins with; `id` follows."""


def neutral_models() -> list[dict[str, Any]]:
    """Return what the package declares of the models in `models/crm`."""
    models: list[dict[str, Any]] = yaml.safe_load(DECLARED.read_text("utf-8"))["models"]
    return models


def model_tables() -> str:
    """Return the columns that all neutral models begin with, then those of each model."""
    listed = neutral_models()
    return "\n\n".join(("\n".join(_table(listed[0]["columns"][: len(FIRST) + 1])), *map(_section, listed)))


def _section(model: dict[str, Any]) -> str:
    names = [column["name"] for column in model["columns"]]
    begins = names[: len(FIRST)] == list(FIRST)
    columns = model["columns"][len(FIRST) + 1 :] if begins else model["columns"]
    return "\n".join((f"### {model['name']}", "", model["description"], "", *_table(columns)))


def _table(columns: list[dict[str, Any]]) -> Iterator[str]:
    yield "| column | what it is |"
    yield "| --- | --- |"
    for column in columns:
        yield f"| `{column['name']}` | {column.get('description', '')} |".replace("|  |", "| |")
