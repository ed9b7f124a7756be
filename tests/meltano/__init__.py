"""The tap under Meltano, into real loaders."""
