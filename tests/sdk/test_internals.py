"""Which private names of the SDK are used, and that the SDK which is installed has them: an update is checked here."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import textwrap
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk import Stream, Tap, Target

import tap_crm
import target_crm
from tap_crm import singer as singer_of_tap
from tap_crm.singer.sdk_internals import SdkStream, SdkTap
from target_crm import singer as singer_of_target
from target_crm.singer.sdk_internals import SdkTarget

if TYPE_CHECKING:
    from types import ModuleType

ROOTS = [Path(tap_crm.__file__).parent, Path(target_crm.__file__).parent]
INTERNALS = {"tap_crm.singer.sdk_internals", "target_crm.singer.sdk_internals"}
#: By the class of ours that uses them; what each is for stands where it is used.
USED = {
    "SdkStream": {
        "_check_max_record_limit",
        "_generate_record_messages",
        "_stream_version",
        "_sync_records",
        "_tap",
        "_write_activate_version_message",
        "_write_batch_message",
        "_write_schema_message",
        "_write_state_message",
    },
    "SdkTap": {"_config", "_handle_termination", "_streams", "_validate_config"},
    "SdkTarget": {
        "_env_var_config",
        "_handle_termination",
        "_process_activate_version_message",
        "_process_record_message",
        "_process_schema_message",
        "_process_state_message",
    },
}
#: Modules of the SDK that are private, or what is private in others.
IMPORTED = {"singer_sdk.helpers._batch"}


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


@cache
def _names(module: str, name: str) -> frozenset[str]:
    """Return the private names that a class defines, or that it uses of itself or of what it derives from."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(getattr(importlib.import_module(module), name))))
    names = {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            called = node.value.func if isinstance(node.value, ast.Call) else node.value
            if isinstance(called, ast.Name) and called.id in {"self", "cls", "super"}:
                names.add(node.attr)
    return frozenset(name for name in names if _is_private(name))


def _own_names(one: type[Any]) -> frozenset[str]:
    return _names(one.__module__, one.__name__)


def _sdk_classes(one: type[Any]) -> list[type[Any]]:
    return [base for base in one.__mro__ if base.__module__.startswith("singer_sdk")]


@cache
def _derived() -> dict[str, type[Any]]:
    """Return our classes that derive from one of the SDK's, by module and name."""
    modules: list[ModuleType] = [
        importlib.import_module(f"{singer.__name__}.{one.name}")
        for singer in (singer_of_tap, singer_of_target)
        for one in pkgutil.iter_modules(singer.__path__)
    ]
    found = {name: one for module in modules for name, one in inspect.getmembers(module, inspect.isclass)}
    return {
        f"{one.__module__}.{name}": one
        for name, one in found.items()
        if one.__module__.startswith((singer_of_tap.__name__, singer_of_target.__name__)) and _sdk_classes(one)
    }


@pytest.mark.parametrize("name", _derived())
def test_only_one_module_uses_private_names_of_the_sdk(name: str) -> None:
    """Nor does any other class of ours give one of its own names a name that the SDK has for itself."""
    one = _derived()[name]
    of_the_sdk = frozenset().union(*map(_own_names, _sdk_classes(one)))
    expected = USED[one.__name__] if one.__module__ in INTERNALS else set()
    assert _own_names(one) & of_the_sdk == expected


def test_private_modules_of_the_sdk_are_imported_there_only() -> None:
    """By name; also where only a type is wanted."""
    found: dict[str, set[str]] = {}
    for path in (path for root in ROOTS for path in root.rglob("*.py")):
        text = path.read_text("utf-8")
        for node in ast.walk(ast.parse(text)) if "singer_sdk" in text else ():
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("singer_sdk"):
                for alias in node.names:
                    if any(map(_is_private, [*(node.module or "").split("."), alias.name])):
                        found.setdefault(path.name, set()).add(node.module or "")
    assert found == {"sdk_internals.py": IMPORTED}


@pytest.mark.parametrize(
    ("ours", "theirs", "name"),
    [
        (SdkStream, Stream, "_sync_records"),
        (SdkTap, Tap, "_handle_termination"),
        *[(SdkTarget, Target, name) for name in sorted(USED["SdkTarget"] - {"_env_var_config"})],
    ],
)
def test_what_is_overridden_takes_the_same_arguments(ours: type[Any], theirs: type[Any], name: str) -> None:
    """Else the SDK would call it in vain."""
    asked, given = (inspect.signature(getattr(one, name)).parameters.values() for one in (theirs, ours))
    assert [(one.name, one.kind, one.default) for one in given] == [(one.name, one.kind, one.default) for one in asked]
