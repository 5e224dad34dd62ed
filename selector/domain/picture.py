"""A picture is its bytes. Decoding is bounded, happens once, and never trusts a header."""

from __future__ import annotations

import hashlib
import io
import struct
import warnings
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Literal

from selector.domain.errors import InputError
from selector.domain.resources import raise_shortage

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

    Pixels = np.ndarray[Any, np.dtype[np.uint8]]

MAX_PIXELS = 50_000_000  # 50 MP: above any contest picture; a 50,000 x 50,000 header is refused before decoding
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF")  # no format whose reader starts a program (EPS)
# What Pillow's readers raise over damaged bytes, found by damaging pictures of every format at random.
_DAMAGE = (OSError, ValueError, SyntaxError, EOFError, RuntimeError, LookupError, TypeError, struct.error)
_SIDEWAYS = (5, 6, 7, 8)  # EXIF orientations that swap width and height


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

    def __reduce__(self) -> tuple[type[Picture], tuple[bytes, str]]:
        """Bytes go to other processes, not pixels."""
        return type(self), (self.data, self.name)

    @cached_property
    def id(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @cached_property
    def rgb(self) -> Pixels:
        return rgb_from_image(open_image(self.data, self.name), self.name)

    def reduced(self, least_px: int) -> Pixels:
        """Pixels at a scale that is quicker to decode, both sides at least ``least_px`` where the picture has them.

        A JPEG is decoded at 1/2, 1/4 or 1/8 by its DCT; other formats at their size. Not kept. Raises as ``rgb`` does.
        """
        image = open_image(self.data, self.name)
        if image.format == "JPEG" and image.mode in ("RGB", "L"):
            image.draft(image.mode, (least_px, least_px))
        return rgb_from_image(image, self.name)

    @cached_property
    def size(self) -> tuple[int, int]:
        """(width, height) in px as shown, that is after EXIF orientation."""
        image = None if "rgb" in self.__dict__ else open_image(self.data, self.name)
        if image is None or image.format == "TIFF":  # some versions of Pillow turn a TIFF when they open it
            return int(self.rgb.shape[1]), int(self.rgb.shape[0])
        return image.size if _orientation(image) not in _SIDEWAYS else image.size[::-1]

    def __repr__(self) -> str:
        return f"Picture({self.name}, {len(self.data)} bytes)"


def open_image(data: bytes, name: str) -> Image:
    """Open a picture's header with bounds checked; pixels are not decoded yet."""
    from PIL import Image, UnidentifiedImageError

    try:
        image = Image.open(io.BytesIO(data), formats=_readable_formats())
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(f"{name}: too large to be a contest picture ({error})") from error
    except UnidentifiedImageError as error:  # its own words are the address of our buffer
        raise InputError(f"{name}: not a picture that can be read (no picture format that is known here)") from error
    except _DAMAGE as error:
        raise_shortage(error)
        raise InputError(f"{name}: not a picture that can be read ({_first_line(error)})") from error
    if image.width * image.height > MAX_PIXELS:
        raise InputError(
            f"{name}: {image.width} x {image.height} px is more than the limit of {MAX_PIXELS // 1_000_000} megapixels"
        )
    return image


@lru_cache(maxsize=1)
def _readable_formats() -> tuple[str, ...]:
    """Those of ``FORMATS`` that this build of Pillow reads."""
    from PIL import Image

    # Once a process: our own bound is stricter than Pillow's warning, and changing filters is not thread-safe.
    warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def rgb_from_image(image: Image, name: str = "picture") -> Pixels:
    """Pixels as a viewer shows them: oriented, in sRGB, alpha on white, (H, W, 3) uint8, read-only.

    Raises:
        InputError: when the data are truncated or damaged.
    """
    import numpy as np
    from PIL import Image

    try:
        image.load()
        image = _to_srgb(_upright(image))
        if image.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
            image = Image.fromarray(_eight_bits(np.asarray(image), deep=image.mode.startswith("I;16")))
        if image.has_transparency_data:
            rgba = image.convert("RGBA")
            white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
            image = Image.alpha_composite(white, rgba)
        pixels = np.array(image.convert("RGB"), dtype=np.uint8)
    except (*_DAMAGE, Image.DecompressionBombError) as error:
        raise_shortage(error)
        raise InputError(f"{name}: damaged or truncated picture ({_first_line(error)})") from error
    pixels.setflags(write=False)
    return pixels


def _eight_bits(values: np.ndarray[Any, np.dtype[Any]], deep: bool) -> Pixels:
    """Grey levels as uint8: ``deep`` ones, and others that reach beyond 255, are on 0 to 65535. What is NaN is 0."""
    import numpy as np

    with np.errstate(invalid="ignore"):  # a signalling NaN in a damaged TIFF
        levels = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
    scale = 255.0 / 65535.0 if deep or levels.max(initial=0) > 255 else 1.0
    return np.asarray(np.clip(levels * scale + 0.5, 0, 255), dtype=np.uint8)


def _orientation(image: Image) -> int:
    """EXIF orientation, 1 to 8; 1 when there is none, or when it cannot be read, as browsers have it."""
    try:
        value = image.getexif().get(0x0112)  # decodes a PNG: its EXIF may come after the pixels
    except _DAMAGE:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _upright(image: Image) -> Image:
    """Turned and mirrored as the EXIF orientation asks."""
    from PIL.Image import Transpose

    steps = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    step = steps.get(_orientation(image))
    return image if step is None else image.transpose(step)


def _to_srgb(image: Image) -> Image:
    """Apply an embedded colour profile; a broken profile is ignored, as browsers do."""
    from PIL import ImageCms

    icc = image.info.get("icc_profile")
    if not icc or image.mode not in ("RGB", "RGBA", "CMYK", "L", "LA", "P"):
        return image
    if image.has_transparency_data or image.mode == "P":  # the conversion would lose a transparent colour
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        converted = ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError) as error:
        raise_shortage(error)
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
