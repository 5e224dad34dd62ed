"""Final bytes: every candidate is normalised once and encoded once; those bytes are scored, shown and exported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from selector.contest.profile import ContestProfile, same_aspect
from selector.domain import GenerationFailed, InputError, Picture, TaskInputs, encode_final

if TYPE_CHECKING:
    import numpy as np

    Pixels = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass(frozen=True)
class Final:
    """The bytes to submit, and (width, height) in px."""

    data: bytes
    size_px: tuple[int, int]


def finalize(image: Any, inputs: TaskInputs, profile: ContestProfile) -> Final:
    """Bring what a generator made to the contest's form: orientation, alpha and colours settled, size rule, encoding.

    Nothing is stretched: a contest's fixed size is filled from the middle of a picture of other proportions. Bars would
    keep its borders, but be the first thing that a judge sees; most pictures have their subject in the middle.

    Args:
        image: RGB array (H, W, 3) uint8, or the bytes of a finished file.
        inputs: the task, whose source may set the size.
        profile: says format, quality and size.

    Raises:
        GenerationFailed: not such an array, or bytes that are no picture.
    """
    pixels = _pixels(image)
    made = (int(pixels.shape[1]), int(pixels.shape[0]))
    source = inputs.source.size if inputs.source is not None else None
    wanted = profile.output_size_px(inputs.task.type, made, source)
    export = profile.export
    data = encode_final(_resized(pixels, wanted), export.image_format, export.jpeg_quality)
    return Final(data, wanted)


def _pixels(image: Any) -> Pixels:
    import numpy as np

    if isinstance(image, bytes):
        try:
            return Picture(image, "the made file").rgb
        except InputError as error:
            raise GenerationFailed(str(error)) from error
    if not (isinstance(image, np.ndarray) and image.ndim == 3 and image.shape[2] == 3 and image.dtype == np.uint8):
        got = f"{type(image).__name__} {getattr(image, 'shape', '')} {getattr(image, 'dtype', '')}".strip()
        raise GenerationFailed(
            f"a generator must make an RGB array (H, W, 3) of uint8 or the bytes of a file, got {got}"
        )
    if min(image.shape[:2]) < 1:
        raise GenerationFailed(f"the made image is empty: {image.shape[1]} x {image.shape[0]} px")
    return image


def _resized(pixels: Pixels, size_px: tuple[int, int]) -> Pixels:
    import numpy as np
    from PIL import Image, ImageOps

    image = Image.fromarray(pixels)
    if image.size == size_px:
        return pixels
    if same_aspect(image.size, size_px):
        return np.asarray(image.resize(size_px, Image.Resampling.LANCZOS))
    return np.asarray(ImageOps.fit(image, size_px, Image.Resampling.LANCZOS))
