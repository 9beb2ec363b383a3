"""What in a text is no language: placeholders, wanted terms, tags, and the files that texts come in.

Knows nothing of requests, engines or HTTP.
"""
