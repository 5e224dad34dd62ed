"""Small copies of pictures for pages, as JPEG."""

from __future__ import annotations

import io

from selector.domain.picture import open_image, rgb_from_image

QUALITY = 82
TINY_PX, TINY_QUALITY = 128, 95  # shown enlarged: each pixel is seen


def thumbnail_jpeg(data: bytes, name: str, side_px: int) -> bytes:
    """The picture with sides of at most ``side_px``, upright and in sRGB; never enlarged.

    Raises:
        InputError: the bytes are no picture, or a damaged one.
    """
    from PIL import Image

    image = open_image(data, name)
    if image.format == "JPEG":
        image.draft("RGB", (side_px, side_px))  # decodes at 1/2, 1/4 or 1/8, never below this: several times faster
    small = Image.fromarray(rgb_from_image(image, name))
    small.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    fine = {"quality": TINY_QUALITY, "subsampling": 0} if max(small.size) <= TINY_PX else {"quality": QUALITY}
    small.save(buffer, "JPEG", optimize=True, **fine)
    return buffer.getvalue()
