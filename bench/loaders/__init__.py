"""What loaders make of the tap's messages: each is installed, given odd data, and asked what it has."""
