"""What is put off at a start: whatever is used comes, and is the real thing; what has changed is imported as usual."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import pytest

from tap_crm.singer.sdk_imports import LateFinder
from tests.started import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Run in a process of its own: here, the SDK is imported already.
USE_OF_ALL = """
import sys
import tap_crm.singer.tap
from singer_sdk.plugin_base import JSONSchemaValidator
from singer_sdk.helpers._batch import StorageTarget
from singer_sdk.singerlib import resolve_schema_references
import msgspec, singer_sdk, singer_sdk.streams

LATE = {"upath", "jsonschema", "referencing", "joblib"}
assert not LATE & sys.modules.keys(), LATE & sys.modules.keys()
before = singer_sdk.Stream, singer_sdk.Tap
config = {"b": 1}
schema = {"properties": {"a": {"type": "string", "default": "x"}, "b": {"type": "string"}}}
assert [error.message for error in JSONSchemaValidator(schema).iter_errors(config)] == ["1 is not of type 'string'"]
assert config == {"b": 1, "a": "x"}
import jsonschema
assert isinstance(JSONSchemaValidator(schema), object) and JSONSchemaValidator.META_SCHEMA["$id"]
assert singer_sdk.typing.DEFAULT_JSONSCHEMA_VALIDATOR.VALIDATORS is jsonschema.Draft202012Validator.VALIDATORS
referring = {"properties": {"a": {"$ref": "#/$defs/one"}}, "$defs": {"one": {"type": "string"}}}
assert resolve_schema_references(referring)["properties"] == {"a": {"type": "string"}}
import upath
assert isinstance(StorageTarget("file:///tmp")._root_path, upath.UPath)
assert msgspec.inspect.type_info(int) == msgspec.inspect.IntType()
assert singer_sdk.Target.__module__ == "singer_sdk.target_base" and "joblib" in sys.modules
assert singer_sdk.streams.RESTStream.__module__ == "singer_sdk.streams.rest"
assert (singer_sdk.Stream, singer_sdk.Tap) == before
"""


def test_whatever_was_put_off_comes_when_it_is_used_and_is_the_real_thing() -> None:
    done = run([sys.executable, "-c", USE_OF_ALL])
    assert done.returncode == 0, done.stderr.decode()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where modules can be written that are imported here, and forgotten afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def write(folder: Path, **sources: str) -> None:
    for name, source in sources.items():
        path = folder.joinpath(*name.split("__")).with_suffix(".py")
        if path.parent != folder:
            path.parent.mkdir(exist_ok=True)
            (path.parent / "__init__.py").touch()
        path.write_text(source)


def put_off(monkeypatch: pytest.MonkeyPatch, finder: LateFinder) -> None:
    monkeypatch.setattr(sys, "meta_path", [finder, *sys.meta_path])


def test_a_name_comes_from_its_home_without_what_its_package_does(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, latepack__home="NAME = 1", latepack__other="")
    (folder / "latepack" / "__init__.py").write_text("from latepack.home import NAME\nMORE = 2")
    put_off(monkeypatch, LateFinder({"latepack": {"NAME": "latepack.home"}}, {}, frozenset()))
    package = importlib.import_module("latepack")
    assert package.NAME == 1
    assert package.other.__name__ == "latepack.other"
    assert "MORE" not in vars(package)
    assert package.MORE == 2
    assert not hasattr(package, "NOTHING")


@pytest.mark.parametrize("home", ["latepack.gone", "latepack.home"])
def test_a_name_that_has_moved_comes_from_its_package(folder: Path, monkeypatch: pytest.MonkeyPatch, home: str) -> None:
    write(folder, latepack__home="")
    (folder / "latepack" / "__init__.py").write_text("NAME = 1")
    put_off(monkeypatch, LateFinder({"latepack": {"NAME": home}}, {}, frozenset()))
    assert importlib.import_module("latepack").NAME == 1


@pytest.mark.parametrize("use", ["class Of(Thing):\n    pass\nmade = Of()", "made = [*Many][0]()"])
def test_a_library_that_a_module_does_more_with_than_name_it_is_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch, use: str
) -> None:
    write(
        folder,
        latelib="class Thing:\n    size = 3\nMany = (Thing,)",
        lateuser=f"from latelib import Many, Thing\n{use}",
    )
    put_off(monkeypatch, LateFinder({}, {"lateuser": ("latelib",)}, frozenset()))
    user = importlib.import_module("lateuser")
    assert user.made.size == 3
    assert isinstance(user.made, user.Thing)


def test_a_library_that_is_only_named_is_not_imported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, latelib="def twice(x):\n    return 2 * x", lateuser="from latelib import twice")
    put_off(monkeypatch, LateFinder({}, {"lateuser": ("latelib",)}, frozenset()))
    user = importlib.import_module("lateuser")
    assert "latelib" not in sys.modules
    assert user.twice(4) == 8


def test_a_module_that_uses_a_library_in_another_way_is_imported_as_usual(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, latelib__part="SIZE = 3", lateuser="from latelib.part import SIZE\nassert SIZE + 1 == 4")
    put_off(monkeypatch, LateFinder({}, {"lateuser": ("latelib",)}, frozenset()))
    assert importlib.import_module("lateuser").SIZE == 3


def test_a_fault_of_a_module_is_its_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, latelib="", lateuser="import latelib\nraise ValueError(3)")
    put_off(monkeypatch, LateFinder({}, {"lateuser": ("latelib",)}, frozenset()))
    with pytest.raises(ValueError, match="3"):
        importlib.import_module("lateuser")
