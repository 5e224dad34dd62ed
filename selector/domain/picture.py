"""A picture is its bytes. Decoding is bounded, happens once, and never trusts a header.

Bounded are the pixels of one picture, the pixels that all threads decode at the same time, the scans of a JPEG, and the
parts of a header. Of several frames or pages the first is the picture, and no other is decoded.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import struct
import threading
import warnings
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Literal

from selector.domain.errors import InputError
from selector.domain.resources import raise_shortage

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

    Pixels = np.ndarray[Any, np.dtype[np.uint8]]

MAX_PIXELS = 50_000_000  # 50 MP: above any contest picture; a 50,000 x 50,000 header is refused before decoding
MAX_SCANNED_PIXELS = (
    20 * MAX_PIXELS
)  # of a JPEG: each scan goes over all of its pixels, and takes no more than 70 bytes
MAX_EXIF_SEGMENTS = 64  # of a JPEG: Pillow joins them one by one, in quadratic time
MAX_HEADER_READS = 5_000  # a header with 255 parts of a colour profile takes 800; each comment of 0 bytes takes three
_STRIP_PIXELS = 1 << 20  # converted at once
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF")  # no format whose reader starts a program (EPS)
# What Pillow's readers raise over damaged bytes, found by damaging pictures of every format at random.
_DAMAGE = (OSError, ValueError, SyntaxError, EOFError, RuntimeError, LookupError, TypeError, struct.error)
_SCALED = ("JPEG", "MPO")  # MPO: a JPEG with more pictures behind it, as cameras write them
_START_OF_SCAN, _END_OF_JPEG = 0xDA, 0xD9
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

    def check(self) -> tuple[int, int]:
        """Decode to the last byte, at an eighth of the scale where the format can; (width, height) in px as shown.

        For pictures that need only be whole: a JPEG of 50 MP takes 3 MB and not 350. Raises as ``rgb`` does.
        """
        image = open_image(self.data, self.name)
        if image.format in _SCALED:
            image.draft(image.mode, (1, 1))
            rgb_from_image(image, self.name)
            return self.size
        height, width = rgb_from_image(image, self.name).shape[:2]
        return width, height

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

    reader = _Reader(data)
    try:
        if data.startswith(b"\xff\xd8") and data.count(b"Exif\0\0") > MAX_EXIF_SEGMENTS:
            raise ValueError("its header has too many parts")
        image = Image.open(reader, formats=_readable_formats())
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        pixels = re.search(r"\((\d+) pixels\)", str(error))  # refused before a size can be asked for
        size = f"{int(pixels[1]) // 1_000_000} megapixels" if pixels else "its size"
        raise InputError(f"{name}: {size} is more than the limit of {MAX_PIXELS // 1_000_000} megapixels") from error
    except UnidentifiedImageError as error:  # its own words are the address of our buffer
        raise InputError(f"{name}: not a picture that can be read (no picture format that is known here)") from error
    except _DAMAGE as error:
        raise_shortage(error)
        raise InputError(f"{name}: not a picture that can be read ({_first_line(error)})") from error
    reader.reads_left = MAX_HEADER_READS + 2 * len(data)  # of pixels; some decoders read byte by byte
    if image.width * image.height > MAX_PIXELS:
        raise InputError(
            f"{name}: {image.width} x {image.height} px is more than the limit of {MAX_PIXELS // 1_000_000} megapixels"
        )
    if image.format in _SCALED:
        most = MAX_SCANNED_PIXELS // max(1, image.width * image.height)
        if data.count(b"\xff\xda") > most and (scans := _scans(data)) > most:  # a walk takes longer than a count
            raise InputError(f"{name}: a JPEG of {scans} scans takes too long to be decoded; save it again")
    return image


class _Reader(io.BytesIO):
    """The bytes of a picture, which Pillow may ask for so often: a header of a million parts would take minutes."""

    reads_left = MAX_HEADER_READS

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads_left -= 1
        if self.reads_left < 0:
            raise ValueError("its header has too many parts")
        return super().read(size)


def _scans(data: bytes) -> int:
    """How many scans a JPEG has; what lies behind its end, as the film of a "motion photo", is not looked at."""
    found, at = 0, 2
    while (at := data.find(b"\xff", at)) >= 0 and at + 4 <= len(data):
        marker = data[at + 1]
        if marker == _END_OF_JPEG:
            break
        if marker == 0xFF:  # fill
            at += 1
        elif marker == 0 or 0xD0 <= marker <= 0xD8 or marker == 0x01:  # of pixels, or without a length
            at += 2
        else:
            found += marker == _START_OF_SCAN
            at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
    return found


class _InFlight:
    """Lets threads decode pictures of ``MAX_PIXELS`` together at the same time; a picture alone always goes."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._pixels = 0

    @contextlib.contextmanager
    def of(self, pixels: int) -> Iterator[None]:
        """Wait until there is room for so many."""
        with self._changed:
            self._changed.wait_for(lambda: self._pixels == 0 or self._pixels + pixels <= MAX_PIXELS)
            self._pixels += pixels
        try:
            yield
        finally:
            with self._changed:
                self._pixels -= pixels
                self._changed.notify_all()


_in_flight = _InFlight()
if hasattr(os, "register_at_fork"):  # a child has none of the threads that would make room
    os.register_at_fork(after_in_child=_in_flight.__init__)  # type: ignore[misc]


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
    from PIL import Image

    try:
        with _in_flight.of(image.width * image.height):
            image.load()
            pixels = _plain(_to_srgb(_upright(image)))
    except (*_DAMAGE, Image.DecompressionBombError) as error:
        raise_shortage(error)
        raise InputError(f"{name}: damaged or truncated picture ({_first_line(error)})") from error
    pixels.setflags(write=False)
    return pixels


def _plain(image: Image) -> Pixels:
    """RGB, strip by strip: in between, whole pictures in other modes would take several times their memory."""
    import numpy as np

    width, height = image.size
    pixels = np.empty((height, width, 3), dtype=np.uint8)
    rows = max(1, _STRIP_PIXELS // max(width, 1))
    strips = [slice(top, min(top + rows, height)) for top in range(0, height, rows)]
    if image.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
        values = np.asarray(image)
        deep = image.mode.startswith("I;16") or any(_levels(values[strip]).max(initial=0) > 255 for strip in strips)
        scale = 255.0 / 65535.0 if deep else 1.0
        shown = np.clip(np.arange(65536) * scale + 0.5, 0, 255).astype(np.uint8)  # of each level that is a whole number
        for strip in strips:
            levels = _levels(values[strip])
            if levels.dtype.kind == "f":
                levels *= scale  # in place: a picture may have 50 million pixels
                levels += 0.5
                pixels[strip] = np.clip(levels, 0, 255, out=levels).astype(np.uint8)[:, :, None]
            else:
                pixels[strip] = shown[np.clip(levels, 0, 65535)][:, :, None]
        return pixels
    for strip in strips:
        whole = len(strips) == 1
        pixels[strip] = np.asarray(_opaque(image if whole else image.crop((0, strip.start, width, strip.stop))))
    return pixels


def _opaque(image: Image) -> Image:
    """RGB, what can be seen through on white."""
    from PIL import Image as Images

    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        image = Images.alpha_composite(Images.new("RGBA", rgba.size, (255, 255, 255, 255)), rgba)
    return image if image.mode == "RGB" else image.convert("RGB")


def _levels(values: np.ndarray[Any, np.dtype[Any]]) -> np.ndarray[Any, np.dtype[Any]]:
    """Grey levels; deep ones, and others that reach beyond 255, are on 0 to 65535. What is no finite number is 0."""
    import numpy as np

    if values.dtype.kind in "iu":
        return values
    with np.errstate(invalid="ignore"):  # a signalling NaN in a damaged TIFF
        levels = values.astype(np.float64)
    levels[~np.isfinite(levels)] = 0.0
    return levels


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
