"""A picture's map as a drawing: the picture, then one panel a word, lit where the word's context came from.

Knows nothing of formats, text maps or pages.
"""

from __future__ import annotations

from collections.abc import Iterator

from PIL import Image

from service.maps.colours import FAINT, INK, LINE, NIGHT
from service.maps.envelope import AttentionMap, GridKeys
from service.maps.lettering import shortened, width
from service.maps.matrix import HATCHED
from service.maps.scene import Box, Photo, Scene, Words, hatched
from service.maps.spotlight import DIMMEST, veil

ACROSS = 5  # panels in a row
PANEL = 196  # the longer side of a panel
LONGEST = 512  # the longer side of the picture that is embedded
CAPTION, GAP = 52, 14
NOTE = "Light: where a word's context came from. Panels are scaled to their brightest cell; the number is its share."


def film(map_: AttentionMap, grid: GridKeys, picture: Image.Image | None) -> Scene:
    """The drawing of a map over this grid, which is its keys."""
    scene = Scene()
    across, down = panel_size(grid, PANEL)
    photo = embedded(picture, grid)
    columns = min(ACROSS, len(map_.queries) + 1)
    for i in range(len(map_.queries) + 1):
        x, y = (i % columns) * (across + GAP), (i // columns) * (down + CAPTION)
        scene.add(Photo(x, y, across, down, photo))
        scene.place(_panel(map_, i - 1, grid, across, down), x, y)
        scene.grow(x + across, y + down + CAPTION)
    for note in (NOTE, HATCHED) if map_.trust is not None and map_.trust.undecided() else (NOTE,):
        scene.add(Words(0, scene.height + 8, note, 11, FAINT))
        scene.grow(width(note, 11), scene.height + 14)
    return scene


def _panel(map_: AttentionMap, q: int, grid: GridKeys, across: int, down: int) -> Scene:
    """What lies over and under one panel's picture; q is −1 for the plain one."""
    scene = Scene()
    if q < 0:
        said = "as sent" if whole(grid) else "the frame is seen"
        scene.add(frame(grid, across, down), Words(0, down + 18, shortened(said, 12, across), 12, FAINT))
        return scene
    scene.add(*night(grid, across, down), lit(map_, q, grid, across, down))
    if map_.trust is not None and q in map_.trust.undecided():
        scene.add(*hatched(0, down + 4, across, CAPTION - 14))
    scene.add(Words(0, down + 19, shortened(map_.queries[q].text or "·", 15, across), 15, INK))
    scene.add(Words(0, down + 34, fine_print(map_, q), 11, FAINT))
    return scene


def frame(grid: GridKeys, across: int, down: int) -> Box:
    """The outline of the crop on a picture drawn at that size."""
    return Box(*crop_box(grid, across, down), line="#ffffff")


def night(grid: GridKeys, across: int, down: int) -> list[Box]:
    """What covers the parts outside the crop, which no weight can light."""
    colour = "#" + bytes(NIGHT).hex()
    return [Box(*box, colour, opacity=DIMMEST) for box in _outside(grid, across, down)]


def lit(map_: AttentionMap, q: int, grid: GridKeys, across: int, down: int) -> Photo:
    """What covers the crop: a word's veil."""
    return Photo(*crop_box(grid, across, down), veil(map_.weights[q], grid))


def fine_print(map_: AttentionMap, q: int) -> str:
    """The share of a word's brightest cell and, where the model has one, its gate."""
    gate = "" if map_.gate is None else f" · gate {map_.gate[q]:.2f}"
    return f"{100 * float(map_.weights[q].max(initial=0)):.1f} %{gate}"


def embedded(picture: Image.Image | None, grid: GridKeys) -> Image.Image:
    """The picture, small enough to be carried in a page; plain grey where none was kept."""
    size = panel_size(grid, min(LONGEST, max(grid.image.width, grid.image.height)))
    if picture is None:
        return Image.new("RGB", (8, 8), LINE)
    return picture.convert("RGB").resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def panel_size(grid: GridKeys, longest: int) -> tuple[int, int]:
    """Width and height of the whole picture, its longer side so long, in whole pixels."""
    scale = longest / max(grid.image.width, grid.image.height)
    return max(1, round(grid.image.width * scale)), max(1, round(grid.image.height * scale))


def crop_box(grid: GridKeys, across: int, down: int) -> tuple[int, int, int, int]:
    """Left, top, width and height of the crop in a picture drawn at that size: whole pixels, or seams would show."""
    x, y = across / grid.image.width, down / grid.image.height
    x0, y0, x1, y1 = (round(side * scale) for side, scale in zip(grid.crop, (x, y, x, y), strict=True))
    return x0, y0, max(x1 - x0, 1), max(y1 - y0, 1)


def _outside(grid: GridKeys, across: int, down: int) -> Iterator[tuple[int, int, int, int]]:
    """The rectangles of the picture that the model did not see, none where it saw all."""
    left, top, wide, high = crop_box(grid, across, down)
    right, bottom = left + wide, top + high
    for box in (
        (0, 0, across, top),
        (0, bottom, across, down - bottom),
        (0, top, left, high),
        (right, top, across - right, high),
    ):
        if box[2] > 0 and box[3] > 0:
            yield box


def whole(grid: GridKeys) -> bool:
    """Whether the model saw all of the picture."""
    return grid.crop == (0, 0, grid.image.width, grid.image.height)
