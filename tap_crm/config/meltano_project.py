"""What Meltano tells a tap of the project that runs it, by variables (docs.meltano.com: environment variables)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_SYSTEM, _PROJECT = "MELTANO_SYS_DIR_ROOT", "MELTANO_PROJECT_ROOT"
_ENVIRONMENT = "MELTANO_ENVIRONMENT"
_NAME, _SCHEMA = "MELTANO_EXTRACTOR_NAME", "MELTANO_EXTRACT__LOAD_SCHEMA"


def system_folder(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Return the folder in which Meltano keeps what belongs to the project; None without Meltano."""
    system, project = environment.get(_SYSTEM), environment.get(_PROJECT)
    folder = Path(system) if system else Path(project, ".meltano") if project else None
    return folder if folder is not None and folder.is_dir() else None


def run_folder(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Return the folder in which Meltano keeps the files of this extractor; None without Meltano."""
    system, name = system_folder(environment), environment.get(_NAME)
    folder = system / "run" / name if system is not None and name else None
    return folder if folder is not None and folder.is_dir() else None


def load_schema(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the schema that loaders write this extractor's tables to; None without Meltano."""
    return environment.get(_SCHEMA) or None


def environment_name(environment: Mapping[str, str] = os.environ) -> str:
    """Return which of the project's environments is used, such as ``dev``; empty for none."""
    return environment.get(_ENVIRONMENT, "")
