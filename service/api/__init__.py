"""The front: HTTP in, HTTP out; it reaches an engine through a Link only."""
