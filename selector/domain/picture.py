"""A picture is its bytes. Decoding is bounded, happens once, and never trusts a header."""

from __future__ import annotations

import hashlib
import io
import warnings
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from selector.domain.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

    Pixels = np.ndarray[Any, np.dtype[np.uint8]]

MAX_PIXELS = 50_000_000  # 50 MP: above any contest picture; a 50,000 x 50,000 header is refused before decoding


class Picture:
    """An encoded picture and, on demand, its pixels.

    ``id`` is the SHA-256 of the bytes. ``rgb`` is decoded once and kept for the life of the object: EXIF orientation
    and the colour profile applied, alpha laid on white, shape (H, W, 3), uint8, read-only.

    Raises:
        InputError: from ``rgb`` and ``size`` when the bytes are no complete picture, or have over ``MAX_PIXELS``.
    """

    def __init__(self, data: bytes, name: str = "picture") -> None:
        self.data = data
        self.name = name

    @cached_property
    def id(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @cached_property
    def rgb(self) -> Pixels:
        return rgb_from_image(open_image(self.data, self.name), self.name)

    @cached_property
    def size(self) -> tuple[int, int]:
        """(width, height) in px as shown, that is after EXIF orientation."""
        if "rgb" in self.__dict__:
            return int(self.rgb.shape[1]), int(self.rgb.shape[0])
        image = open_image(self.data, self.name)
        turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
        return (image.height, image.width) if turned else (image.width, image.height)

    def __repr__(self) -> str:
        return f"Picture({self.name}, {len(self.data)} bytes)"


def open_image(data: bytes, name: str) -> Image:
    """Open a picture's header with bounds checked; pixels are not decoded yet."""
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data))
    except Image.DecompressionBombError as error:
        raise InputError(f"{name}: too large to be a contest picture ({error})") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise InputError(f"{name}: not a picture that can be read ({_first_line(error)})") from error
    if image.width * image.height > MAX_PIXELS:
        raise InputError(
            f"{name}: {image.width} x {image.height} px is more than the limit of {MAX_PIXELS // 1_000_000} megapixels"
        )
    return image


def rgb_from_image(image: Image, name: str = "picture") -> Pixels:
    """Pixels as a viewer shows them: oriented, in sRGB, alpha on white, (H, W, 3) uint8, read-only.

    Raises:
        InputError: when the data are truncated or damaged.
    """
    import numpy as np
    from PIL import Image, ImageOps

    try:
        image.load()
        image = ImageOps.exif_transpose(image)
        image = _to_srgb(image)
        if image.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
            values = np.asarray(image, dtype=np.float64)
            scale = 255.0 / 65535.0 if values.max(initial=0) > 255 else 1.0
            image = Image.fromarray(np.clip(values * scale + 0.5, 0, 255).astype(np.uint8))
        if image.has_transparency_data:
            rgba = image.convert("RGBA")
            white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
            image = Image.alpha_composite(white, rgba)
        pixels = np.array(image.convert("RGB"), dtype=np.uint8)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise InputError(f"{name}: damaged or truncated picture ({_first_line(error)})") from error
    pixels.setflags(write=False)
    return pixels


def _to_srgb(image: Image) -> Image:
    """Apply an embedded colour profile; a broken profile is ignored, as browsers do."""
    from PIL import ImageCms

    icc = image.info.get("icc_profile")
    if not icc or image.mode not in ("RGB", "RGBA", "CMYK", "L"):
        return image
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        converted = ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return converted if converted is not None else image


def encode_final(rgb: Pixels, fmt: Literal["jpeg", "png"] = "jpeg", quality: int = 95) -> bytes:
    """Encode pixels (H, W, 3) uint8 once, deterministically: JPEG 4:4:4 at ``quality``, or PNG. No metadata."""
    from PIL import Image

    buffer = io.BytesIO()
    image = Image.fromarray(rgb)
    if fmt == "jpeg":
        image.save(buffer, "JPEG", quality=quality, subsampling=0, optimize=False)
    else:
        image.save(buffer, "PNG", compress_level=6)
    return buffer.getvalue()


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
