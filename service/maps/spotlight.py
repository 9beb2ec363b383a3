"""Where a word looked, as light on a picture: the grid's weights spread smoothly over exactly the crop box.

Knows nothing of words, panels or formats. After the white overlays of Xu et al. 2015, turned round: the picture itself
is lit where the model looked and dimmed elsewhere, so that what was looked at can be seen.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from service.maps.colours import NIGHT
from service.maps.envelope import GridKeys

SPREAD = 0.55  # standard deviation of a cell's light, in cells
DIMMEST = 0.78  # how much of the picture is covered where no weight is
CELL = 8  # pixels of a veil along one cell


def light(row: np.ndarray, grid: GridKeys, height: int, width: int) -> np.ndarray:
    """Weights (cells,) → (height, width) over the crop, its brightest point 1, nowhere below 0."""
    cells = row.reshape(grid.rows, grid.cols).astype(np.float64)
    lit = _reach(height, grid.rows) @ cells @ _reach(width, grid.cols).T
    return np.asarray(lit / max(float(lit.max()), 1e-12))


def veil(row: np.ndarray, grid: GridKeys) -> Image.Image:
    """What is laid over the crop: night, more opaque the less weight is there. CELL pixels a cell, mode RGBA."""
    lit = light(row, grid, grid.rows * CELL, grid.cols * CELL)
    pixels = np.empty((*lit.shape, 4), np.uint8)
    pixels[..., :3] = NIGHT
    pixels[..., 3] = np.rint(255 * DIMMEST * (1 - lit))
    return Image.fromarray(pixels)


def _reach(pixels: int, cells: int) -> np.ndarray:
    """(pixels, cells): a cell's share of each pixel along one side, Gaussian from its centre; shares sum to one."""
    place = (np.arange(pixels) + 0.5) * cells / pixels
    distance = place[:, None] - (np.arange(cells) + 0.5)
    share = np.exp(-(distance**2) / (2 * SPREAD**2))
    return np.asarray(share / share.sum(axis=1, keepdims=True))
