"""What must be kept in a translation: placeholders, protected spans, tags; counted over a running service.

Knows nothing of how it is kept.
"""
