"""Unusual pictures: a score must not depend on how a file stores its pixels, and any size and content is scored or not.

Both checks try many scorers on one item in a suite, so the unusual forms of an item are kept.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from selector.conformance._results import name_of, same, scores_of, tolerance_of
from selector.domain import Item, Picture, Scorer, TaskInputs, encode_final

if TYPE_CHECKING:
    from PIL.Image import Image

Array = np.ndarray[Any, np.dtype[Any]]
_ORIENTATION = 0x0112  # EXIF
_TURN_RIGHT = 6  # shown a quarter turn clockwise from how it is stored
TINY_AND_THIN = ((1, 1), (8, 8), (2000, 20), (1, 3000))  # width, height in px
HUGE = ((6000, 4000),)
_FLAT = {"black": 0, "grey": 128, "white": 255}


def check_encodings(scorer: Scorer, item: Item, tolerance: float | None = None) -> None:
    """Check one item whose pictures (candidate, source, reference) are all stored in each unusual way in turn.

    Grey, 1-bit, alpha, palette, CMYK, 16-bit, EXIF-turned: each is a value or unscored with a reason, raises nothing,
    and scores as the same pixels (``Picture.rgb``) do that are given as plain PNG.

    Args:
        item: of one of the scorer's task types, with pictures small enough to be scored sixteen times.
        tolerance: as for ``check_scorer``; larger for a scorer that decodes JPEG at reduced size.

    Raises:
        AssertionError: with the scorer's name, the encoding and what broke.
    """
    allowed = tolerance_of(scorer, tolerance)
    for encoding, stored, plain in _stored_and_plain(item):
        what = f"a picture stored as {encoding}"
        one, other = scores_of(scorer, [stored, plain], what)
        same(scorer, [one], [other], allowed, f"{name_of(scorer)}: {what} scores otherwise than its pixels as PNG")


def check_extremes(scorer: Scorer, item: Item, huge_px: Iterable[tuple[int, int]] = HUGE, small: bool = True) -> None:
    """Check one item whose candidate is stretched to extreme sizes, beside its source as it is and of the same size.

    Every result is complete, in range, and raises nothing; so are those of pictures of one colour.

    Args:
        huge_px: large sizes (width, height) to try; ``()`` for none.
        small: whether to try tiny, thin and plain pictures.

    Raises:
        AssertionError: with the scorer's name, the size and what broke.
    """
    for what, items in _small(item) if small else ():
        scores_of(scorer, items, what)
    for size in huge_px:
        scores_of(scorer, [_huge(item, size)], _words(size))


@lru_cache(maxsize=8)
def _stored_and_plain(item: Item) -> list[tuple[str, Item, Item]]:
    """Name of the encoding, the item stored so, and the same pixels as PNG."""
    found = []
    for encoding, encode in ENCODERS.items():
        stored = _stored_by(encode, item, encoding)
        found.append((encoding, stored, _stored_by(lambda rgb: encode_final(rgb, "png"), stored, encoding)))
    return found


def encodings_of(rgb: Array) -> Mapping[str, Picture]:
    """Pixels (H, W, 3) uint8 stored in every unusual way that the check knows, by its name; most change the pixels."""
    return {key: Picture(encode(rgb), key) for key, encode in ENCODERS.items()}


def _stored_by(encode: Callable[[Array], bytes], item: Item, name: str) -> Item:
    """The item with all its pictures stored anew."""
    return _redone(item, lambda picture: Picture(encode(picture.rgb), name), ("source", "reference"))


def _redone(item: Item, redo: Callable[[Picture], Picture], roles: Sequence[str] = ("source",)) -> Item:
    """The item with its candidate, and the inputs of these roles that it has, made anew."""
    source, reference = (
        redo(picture) if picture is not None and role in roles else picture
        for role, picture in (("source", item.inputs.source), ("reference", item.inputs.reference))
    )
    return Item(TaskInputs(item.inputs.task, source, reference), redo(item.picture))


def _stored(image: Image, fmt: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, fmt, **options)
    return buffer.getvalue()


def _as_mode(mode: str, fmt: str) -> Callable[[Array], bytes]:
    """An encoder that converts to a mode of Pillow's."""

    def encode(rgb: Array) -> bytes:
        from PIL import Image

        return _stored(Image.fromarray(rgb).convert(mode), fmt)

    return encode


def _with_alpha(rgb: Array) -> bytes:
    """With an alpha channel that fades to nothing at the right edge."""
    from PIL import Image

    image = Image.fromarray(rgb)
    fade = np.linspace(255, 0, rgb.shape[1]).astype(np.uint8)
    image.putalpha(Image.fromarray(np.tile(fade, (rgb.shape[0], 1))))
    return _stored(image, "PNG")


def _sixteen_bits(fmt: str) -> Callable[[Array], bytes]:
    def encode(rgb: Array) -> bytes:
        from PIL import Image

        deep = rgb.mean(axis=2) * 257.0
        return _stored(Image.fromarray(deep.astype(np.uint16)), fmt)

    return encode


def _turned(rgb: Array) -> bytes:
    from PIL import Image

    exif = Image.Exif()
    exif[_ORIENTATION] = _TURN_RIGHT
    stored = Image.fromarray(np.ascontiguousarray(np.rot90(rgb)))  # numpy turns anticlockwise
    return _stored(stored, "JPEG", quality=95, subsampling=0, exif=exif)


ENCODERS: Mapping[str, Callable[[Array], bytes]] = {
    "grey JPEG": _as_mode("L", "JPEG"),
    "black and white PNG": _as_mode("1", "PNG"),
    "PNG with alpha": _with_alpha,
    "palette PNG": _as_mode("P", "PNG"),
    "CMYK JPEG": _as_mode("CMYK", "JPEG"),
    "16-bit grey PNG": _sixteen_bits("PNG"),
    "16-bit grey TIFF": _sixteen_bits("TIFF"),
    "EXIF-turned JPEG": _turned,
}


@lru_cache(maxsize=8)
def _small(item: Item) -> list[tuple[str, list[Item]]]:
    """Small pictures of extreme sizes, and of one colour: beside the source as it is and beside one of their kind."""
    redone: list[tuple[str, Callable[[Picture], Picture]]] = [
        *((_words(size), partial(_stretched, size=size)) for size in TINY_AND_THIN),
        *((f"a {name} picture", partial(_flat_as, item.picture, level)) for name, level in _FLAT.items()),
    ]
    return [(what, [_redone(item, redo, ()), _redone(item, redo)]) for what, redo in redone]


@lru_cache(maxsize=1)
def _huge(item: Item, size: tuple[int, int]) -> Item:
    """Only the last one is kept: some hundred megabytes."""
    return _redone(item, partial(_stretched, size=size))


def _words(size: tuple[int, int]) -> str:
    return f"a picture of {size[0]} x {size[1]} px"


def _flat_as(like: Picture, level: int, _: Picture) -> Picture:
    return Picture(encode_final(np.full_like(like.rgb, level)), "flat")


def _stretched(picture: Picture, size: tuple[int, int]) -> Picture:
    """Nearest neighbours: needs no library, and large pictures keep hard edges, which cost most to look at."""
    height, width = picture.rgb.shape[:2]
    columns, rows = (np.arange(to) * of // to for to, of in zip(size, (width, height), strict=True))
    return Picture(encode_final(np.ascontiguousarray(picture.rgb[rows][:, columns])), f"{size[0]} x {size[1]} px")
