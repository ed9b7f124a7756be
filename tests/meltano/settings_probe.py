"""Run in a process of its own: what Meltano makes of the tap's settings, by each way in which they may be given.

Reads ``{folder: {"variables": {...}, "set": {...}}}`` and writes ``{folder: config}``, both as JSON files;
under ``environment`` it writes what else Meltano tells a plugin.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from meltano.core.plugin.base import PluginType
from meltano.core.plugin.settings_service import PluginSettingsService
from meltano.core.project import Project
from meltano.core.setting_definition import json_dumps


def main(asked: str, answered: str) -> None:
    """Write the config that Meltano hands to the tap for each project."""
    found = {}
    for folder, given in json.loads(Path(asked).read_text()).items():
        project = Project(folder, environment=None)
        plugin = project.plugins.find_plugin("tap-copper", plugin_type=PluginType.EXTRACTORS)
        for name, value in given["set"].items():
            PluginSettingsService(project, plugin).set(name, value)
        settings = PluginSettingsService(project, plugin, env_override=given["variables"])
        found["environment"] = {name: value for name, value in settings.as_env().items() if name.startswith("MELTANO_")}
        found[folder] = json.loads(json_dumps(settings.as_dict(extras=False, process=True)))
    Path(answered).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
