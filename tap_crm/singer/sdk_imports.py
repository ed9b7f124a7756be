"""Puts off what the SDK imports and few runs use, until something uses it: half of a start would go into that.

The SDK's packages gather all of it, targets and REST streams included. Here a package runs its own code only when it
is asked for a name whose home is not known; the names of :data:`_HOMES` come from their home alone. A library that a
module of the SDK only names while it is imported comes when something is done with it (:data:`_NAMED`), and so does a
module that others import and hardly use (:data:`_HARDLY_USED`). What comes in the end is always the real thing. Where
the SDK has changed so that this does not work, its modules are imported as usual.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import InspectLoader, Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader, find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

#: By package, the modules that have the names which a run of a tap needs.
_HOMES: dict[str, dict[str, str]] = {
    "singer_sdk": {"Stream": "singer_sdk.streams.core", "Tap": "singer_sdk.tap_base"},
    "singer_sdk.streams": {"Stream": "singer_sdk.streams.core"},
}
#: By module of the SDK, libraries that it names while it is imported: of batch files, of JSON schemas with references,
#: of checks by a JSON schema, of what `--about` tells.
_NAMED: dict[str, tuple[str, ...]] = {
    "singer_sdk.helpers._batch": ("upath",),
    "singer_sdk.singerlib.schema": ("referencing", "referencing.jsonschema"),
    "singer_sdk.typing": ("jsonschema",),
    "singer_sdk.plugin_base": (),  # derives a validator from the one that `singer_sdk.typing` names
    "singer_sdk.about": ("packaging.specifiers", "packaging.version"),
}
#: Of what others do import: `asyncio` is for functions that are none of ours.
_HARDLY_USED = frozenset({"msgspec.inspect", "backoff._async"})


def put_off() -> None:
    """Put off what is not imported yet; nothing happens if that was done before."""
    if not any(isinstance(one, LateFinder) for one in sys.meta_path):
        sys.meta_path.insert(0, LateFinder(_HOMES, _NAMED, _HARDLY_USED))


class StandIn:
    """Stands for something of a library, which is imported when it is called, asked, or derived from.

    While a module is imported that only names it, what is done with it is noted, and done later.

    Args:
        find: returns what it stands for.
    """

    #: Whether what is done with a stand-in is noted now.
    noting = False

    def __init__(self, find: Callable[[], Any]) -> None:
        self._find = find

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401, D102 - whatever it stands for
        return self._done(lambda: _real(self)(*map(_real, args), **{name: _real(one) for name, one in kwargs.items()}))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return self._done(lambda: getattr(_real(self), name))

    def __getitem__(self, key: Any) -> Any:  # noqa: ANN401
        return self._done(lambda: _real(self)[key])

    def __bool__(self) -> bool:
        return bool(_real(self))

    def __iter__(self) -> Iterator[Any]:
        return iter(_real(self))

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, _real(self))

    def __subclasscheck__(self, subclass: type) -> bool:
        return issubclass(subclass, _real(self))

    def __mro_entries__(self, _bases: tuple[Any, ...]) -> tuple[type, ...]:
        return (_real(self),)

    def _done(self, act: Callable[[], Any]) -> Any:  # noqa: ANN401
        return StandIn(act) if StandIn.noting else act()


def _real(value: Any) -> Any:  # noqa: ANN401 - whatever it is
    """Return a value, and what it stands for if it is a stand-in."""
    if not isinstance(value, StandIn):
        return value
    found = vars(value).get("_found")
    if found is None:
        noting, StandIn.noting = StandIn.noting, False
        try:
            found = vars(value)["_found"] = _real(vars(value)["_find"]())
        finally:
            StandIn.noting = noting
    return found


class _Library(ModuleType):
    """Stands for a library while a module is imported that names it."""

    @override
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        library = self.__name__
        return StandIn(lambda: getattr(import_module(library), name))


class _Later(Loader):
    """Loads a module in its own way; it looks afterwards as if it had been loaded as usual.

    Args:
        real: what loads it as usual.
    """

    def __init__(self, real: Loader) -> None:
        self._real = real

    @override
    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._real.create_module(spec)

    @override
    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._real  # others ask it for files and sources
        if module.__spec__ is not None:
            module.__spec__.loader = self._real
        self.load(module)

    def load(self, module: ModuleType) -> None:
        """Load the module."""
        raise NotImplementedError


class _Package(_Later):
    """Makes a package whose own code has not run yet; its modules can be imported all the same.

    Args:
        real: what loads it as usual.
        homes: the modules that have some of its names.
    """

    def __init__(self, real: Loader, homes: Mapping[str, str]) -> None:
        super().__init__(real)
        self._homes = homes

    @override
    def load(self, module: ModuleType) -> None:
        def find(name: str) -> Any:  # noqa: ANN401 - whatever it is the name of
            found = _from_home(self._homes.get(name), name) or _part_of(module, name)
            if found is not None:
                return found
            if vars(module).get("__getattr__") is find:
                del module.__getattr__
                self._real.exec_module(module)
            return getattr(module, name)

        module.__getattr__ = find  # type: ignore[method-assign] # PEP 562


class _Naming(_Later):
    """Runs a module with stand-ins for the libraries that it names; as usual if it does more with them.

    Args:
        real: what loads it as usual.
        libraries: what it names.
    """

    def __init__(self, real: Loader, libraries: Sequence[str]) -> None:
        super().__init__(real)
        self._libraries = libraries

    @override
    def load(self, module: ModuleType) -> None:
        try:
            with _standing_in(self._libraries):
                self._real.exec_module(module)
        except Exception:  # noqa: BLE001 - whatever it is, if it is no fault of the stand-ins, it comes again
            self._real.exec_module(module)


@contextmanager
def _standing_in(libraries: Iterable[str]) -> Iterator[None]:
    """Let stand-ins be imported for what is not imported yet."""
    made = {name: _Library(name) for name in libraries if name not in sys.modules}
    sys.modules.update(made)
    noting, StandIn.noting = StandIn.noting, True
    try:
        yield
    finally:
        StandIn.noting = noting
        for name, one in made.items():
            if sys.modules.get(name) is one:
                del sys.modules[name]


class LateFinder(MetaPathFinder):
    """Finds some modules as Python does, and has them loaded as said above.

    Args:
        homes: by package, the modules that have some of its names.
        named: by module, the libraries that it only names.
        hardly_used: modules that are loaded when something in them is used.
    """

    def __init__(
        self, homes: Mapping[str, Mapping[str, str]], named: Mapping[str, Sequence[str]], hardly_used: frozenset[str]
    ) -> None:
        self._homes, self._named, self._hardly_used = homes, named, hardly_used

    @override
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._homes and fullname not in self._named and fullname not in self._hardly_used:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or not isinstance(spec.loader, InspectLoader):
            return None
        if fullname in self._homes:
            spec.loader = _Package(spec.loader, self._homes[fullname])
        elif fullname in self._named:
            spec.loader = _Naming(spec.loader, self._named[fullname])
        else:
            spec.loader = LazyLoader(spec.loader)
        return spec


def _from_home(home: str | None, name: str) -> Any:  # noqa: ANN401 - whatever the module has
    """Return what the module has by this name; None if it moved."""
    if home is None or find_spec(home) is None:
        return None
    return getattr(import_module(home), name, None)


def _part_of(package: ModuleType, name: str) -> ModuleType | None:
    """Return a module of a package; None if there is none of this name."""
    full = f"{package.__name__}.{name}"
    return None if name.startswith("__") or find_spec(full) is None else import_module(full)
