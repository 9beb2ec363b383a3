"""One file a net."""
