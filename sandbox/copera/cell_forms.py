"""The same row in the other forms that the documentation leaves open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.copera.behaviour import Behaviour, Form
    from sandbox.copera.schema import BoardTable
    from sandbox.exchange import Record


def as_kept(behaviour: Behaviour) -> bool:
    """Whether rows are served as they are kept."""
    return behaviour.rows_as == "number" and not behaviour.cell_forms


def reshaped(record: Record, table: BoardTable, behaviour: Behaviour) -> Record:
    """Put a decoded row into the form that the knobs ask for."""
    if as_kept(behaviour):
        return record
    if behaviour.rows_as == "string":
        record["rowId"] = str(record["rowId"])
    kinds = {column.id: column.type for column in table.columns}
    for cell in record["columns"]:
        form = behaviour.cell_forms.get(kinds.get(cell["columnId"], ""))
        if form and cell.get("value") not in (None, "", []):
            cell["value"] = _in_form(form, cell["value"])
    return record


def _in_form(form: Form, value: Any) -> Any:  # noqa: ANN401
    if form == "array":
        return value if isinstance(value, list) else [value]
    if form == "range":
        return {"start": value, "end": value}
    if form == "object":
        return {"value": value}
    if form == "string":
        return str(value)
    return float(len(str(value)))
