"""How the front reaches an engine. One file a transport."""
