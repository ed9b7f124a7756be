"""Small servers, each run by the Python of a loader's environment, which has what it imports."""
