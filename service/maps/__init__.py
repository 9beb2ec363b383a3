"""The attention envelope: rows of weights to labelled maps, and maps to text, SVG, PNG, WebP, GIF, HTML and NPZ.

Knows nothing of models, engines or HTTP.
"""
