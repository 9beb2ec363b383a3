"""API keys: made, kept in a file as digests, looked up by those who guard a door.

Knows nothing of HTTP and of settings.
"""
