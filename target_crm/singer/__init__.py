"""The Singer protocol: the only folder that imports `singer_sdk`."""
