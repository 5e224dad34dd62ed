"""A picture is shown as a viewer shows it, and no damaged byte gives anything but pixels or ``InputError``."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import threading
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps
from skimage import data

from selector.domain import InputError, Picture, encode_final

Array = np.ndarray[Any, np.dtype[Any]]
WHITE = (255, 255, 255)


def encoded(image: Image.Image, fmt: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, fmt, **options)
    return buffer.getvalue()


def cat() -> Image.Image:
    return Image.fromarray(data.chelsea()).resize((48, 32))


def exif(orientation: int) -> Image.Exif:
    made = Image.Exif()
    made[0x0112] = orientation
    return made


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped_profile() -> bytes:
    """sRGB with the primaries of red and green exchanged: a picture that obeys it shows green where it stores red."""
    profile = srgb_profile()
    red, green = profile.find(b"rXYZ"), profile.find(b"gXYZ")
    tags = bytearray(profile)
    tags[red : red + 4], tags[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(tags)


def png_header_of(width: int, height: int) -> bytes:
    """A PNG that promises a size and holds next to nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(50_000, 50_000), (12_000, 9_000), (10_001, 5_000), (2**31 - 1, 1)])
def test_giant_header_is_refused_before_decoding(size: tuple[int, int]) -> None:
    for attribute in ("size", "rgb"):
        with pytest.raises(InputError, match=r"giant: .* is more than the limit of 50 megapixels"):
            getattr(Picture(png_header_of(*size), "giant"), attribute)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("fmt", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_orientation_is_applied_as_pillow_does_and_the_size_says_so_before_decoding(fmt: str, orientation: int) -> None:
    image = encoded(cat(), fmt, exif=exif(orientation))
    picture = Picture(image)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(image))).convert("RGB")
    assert picture.size == expected.size == ((32, 48) if orientation > 4 else (48, 32))
    assert np.array_equal(picture.rgb, np.asarray(expected))
    assert picture.size == (picture.rgb.shape[1], picture.rgb.shape[0])


def test_orientation_written_after_the_pixels_of_a_png_counts() -> None:
    image = encoded(cat(), "PNG", exif=exif(6))
    start = image.index(b"eXIf") - 4
    end = start + 12 + struct.unpack(">I", image[start : start + 4])[0]
    late = image[:start] + image[end:-12] + image[start:end] + image[-12:]
    assert Picture(late).size == (32, 48)


@pytest.mark.parametrize("tag", [0, 9, 99])
def test_senseless_orientation_is_ignored(tag: int) -> None:
    strange = Image.Exif()
    strange[0x0112] = tag
    assert Picture(encoded(cat(), "JPEG", exif=strange)).rgb.shape == (32, 48, 3)


def test_broken_exif_is_ignored() -> None:
    image = encoded(cat(), "WEBP", exif=exif(6), lossless=True).replace(b"MM\x00*", b"XX\x00*")
    picture = Picture(image)
    assert picture.size == (48, 32)
    assert np.array_equal(picture.rgb, np.asarray(cat()))


def test_alpha_is_laid_on_white() -> None:
    rgba = np.zeros((2, 3, 4), np.uint8)
    rgba[:, :, 0] = 200
    rgba[:, :, 3] = [0, 128, 255]
    shown = Picture(encoded(Image.fromarray(rgba))).rgb[0].astype(int)
    assert shown[0].tolist() == [255, 255, 255]
    assert shown[1] == pytest.approx([200 * 128 / 255 + 127, 127, 127], abs=1)
    assert shown[2].tolist() == [200, 0, 0]


def grey_with_transparent_level() -> bytes:
    image = Image.new("L", (4, 1), 90)
    image.putpixel((0, 0), 7)
    return encoded(image, "PNG", transparency=7)


def palette_with_transparent_entry(**options: Any) -> bytes:
    image = Image.new("P", (4, 1), 1)
    image.putpalette([0, 0, 0, 90, 90, 90])
    image.putpixel((0, 0), 0)
    return encoded(image, "PNG", transparency=0, **options)


def rgb_with_transparent_colour(**options: Any) -> bytes:
    image = Image.new("RGB", (4, 1), (90, 90, 90))
    image.putpixel((0, 0), (1, 2, 3))
    return encoded(image, "PNG", transparency=(1, 2, 3), **options)


TRANSPARENT = {
    "grey": grey_with_transparent_level(),
    "palette": palette_with_transparent_entry(),
    "palette with profile": palette_with_transparent_entry(icc_profile=srgb_profile()),
    "colour": rgb_with_transparent_colour(),
    "colour with profile": rgb_with_transparent_colour(icc_profile=srgb_profile()),
    "gif": encoded(Image.open(io.BytesIO(palette_with_transparent_entry())), "GIF", transparency=0),
}


@pytest.mark.parametrize("kind", TRANSPARENT)
def test_transparent_colour_of_pictures_without_alpha_is_white(kind: str) -> None:
    rgb = Picture(TRANSPARENT[kind]).rgb
    assert tuple(rgb[0, 0]) == WHITE
    assert np.abs(rgb[0, 1:].astype(int) - 90).max() <= 1


def test_16_bits_are_scaled_to_8() -> None:
    deep = np.array([[0, 255, 257, 32_896, 65_535]], np.uint16)
    assert Picture(encoded(Image.fromarray(deep))).rgb[0, :, 0].tolist() == [0, 1, 1, 128, 255]


def test_dark_16_bit_picture_stays_dark() -> None:
    almost_black = np.full((4, 4), 200, np.uint16)
    assert Picture(encoded(Image.fromarray(almost_black))).rgb.max() <= 1


def test_not_a_number_in_a_float_picture_is_black() -> None:
    values = np.array([[np.nan, np.inf, -np.inf, -3.0, 100.0]], np.float32)
    assert Picture(encoded(Image.fromarray(values), "TIFF")).rgb[0, :, 0].tolist() == [0, 0, 0, 0, 100]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr"])
def test_other_colour_modes_become_rgb_of_nearly_the_same_colours(mode: str) -> None:
    flat = Image.new("RGB", (16, 16), WHITE if mode == "1" else (180, 180, 180))
    converted = flat.quantize(2) if mode == "P" else flat.convert(mode)
    rgb = Picture(encoded(converted, "JPEG" if mode in ("CMYK", "YCbCr") else "PNG")).rgb
    assert rgb.shape == (16, 16, 3) and rgb.dtype == np.uint8
    assert np.abs(rgb.astype(int) - np.asarray(flat)).max() <= 3


def test_colour_profile_is_applied() -> None:
    red = Image.new("RGB", (8, 8), (250, 10, 10))
    plain = Picture(encoded(red, icc_profile=srgb_profile())).rgb[0, 0].astype(int)
    swapped = Picture(encoded(red, icc_profile=swapped_profile())).rgb[0, 0].astype(int)
    assert plain == pytest.approx([250, 10, 10], abs=1)
    assert swapped[1] > 200 > 100 > swapped[0]


def test_colour_profile_of_a_palette_and_of_alpha_is_applied_too() -> None:
    red = Image.new("RGBA", (8, 8), (250, 10, 10, 255))
    whole = Picture(encoded(red.convert("RGB"), icc_profile=swapped_profile())).rgb
    for image in (red, red.convert("RGB").quantize(4)):
        shown = Picture(encoded(image, icc_profile=swapped_profile())).rgb
        assert np.abs(shown.astype(int) - whole).max() <= 1


@pytest.mark.parametrize("profile", [b"no profile at all", srgb_profile()[:200], bytes(500)])
def test_broken_colour_profile_is_ignored(profile: bytes) -> None:
    assert np.array_equal(Picture(encoded(cat(), icc_profile=profile)).rgb, np.asarray(cat()))


NO_PICTURES = {
    "zero bytes": b"",
    "text": b"this is no picture",
    "html": b"<!doctype html><title>404</title>",
    "lone header": b"\xff\xd8\xff\xe0",
    "truncated JPEG": encoded(cat(), "JPEG")[:700],
    "truncated PNG": encoded(cat())[:700],
    "truncated WebP": encoded(cat(), "WEBP")[:300],
    "empty PNG": png_header_of(0, 0),
    "PNG without its pixels": png_header_of(300, 200),
}


@pytest.mark.parametrize("kind", NO_PICTURES)
def test_what_is_no_complete_picture_is_an_input_error_of_one_line_with_its_name(kind: str) -> None:
    with pytest.raises(InputError, match=r"^task 7: ") as caught:
        _ = Picture(NO_PICTURES[kind], "task 7").rgb
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"this is no picture"])
def test_what_has_no_known_format_is_said_without_an_address(data: bytes) -> None:
    with pytest.raises(InputError, match=r"\(no picture format that is known here\)$"):
        _ = Picture(data, "task 7").size


@pytest.mark.parametrize("fmt", ["JPEG", "PNG"])
def test_size_of_a_truncated_picture_is_what_its_header_says(fmt: str) -> None:
    whole = encoded(Image.fromarray(data.chelsea()), fmt)
    assert Picture(whole[: len(whole) // 2]).size == (451, 300)


FORMATS = {
    "jpeg": encoded(cat(), "JPEG", exif=exif(6), icc_profile=srgb_profile()),
    "png": encoded(cat(), "PNG", exif=exif(6), icc_profile=srgb_profile()),
    "palette": palette_with_transparent_entry(),
    "16 bit": encoded(Image.fromarray(np.arange(1200, dtype=np.uint16).reshape(30, 40))),
    "webp": encoded(cat(), "WEBP", exif=exif(6)),
    "gif": encoded(cat().quantize(16), "GIF", transparency=2),
    "bmp": encoded(cat(), "BMP"),
}


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, about damaged EXIF
@pytest.mark.parametrize("fmt", FORMATS)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(places=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=5), keep=st.floats(0.02, 1))
def test_damage_gives_pixels_or_an_input_error_and_nothing_else(
    fmt: str, places: list[tuple[float, int]], keep: float
) -> None:
    damaged = bytearray(FORMATS[fmt])
    for place, value in places:
        damaged[int(place * (len(damaged) - 1))] = value
    cut = bytes(damaged[: int(keep * len(damaged))]) if not places else bytes(damaged)
    for attribute in ("size", "rgb"):
        try:
            getattr(Picture(cut), attribute)
        except InputError:
            continue


def test_damage_that_is_read_over_says_nothing_on_the_programs_stderr(tmp_path: Path) -> None:
    file = tmp_path / "3.jpg"
    file.write_bytes(encoded(cat(), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\x02\0"))  # two entries, and there are none
    code = (
        "import sys; from selector.cli._language import silence_libraries; silence_libraries(); "
        "from generators._metadata import read_metadata; from selector.domain import Picture; "
        "data = open(sys.argv[1], 'rb').read(); read_metadata(data); Picture(data).rgb"
    )
    done = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_pixels_are_read_only_and_decoded_once() -> None:
    picture = Picture(encoded(cat()))
    with pytest.raises(ValueError, match="read-only"):
        picture.rgb[0, 0] = 0
    assert picture.rgb is picture.rgb
    assert picture.rgb.flags.c_contiguous


def test_pixels_are_the_same_from_many_threads() -> None:
    picture, found = Picture(encoded(cat(), "JPEG")), []
    threads = [threading.Thread(target=lambda: found.append(picture.rgb.tobytes())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6 and len(set(found)) == 1


def test_id_is_the_sha256_of_the_bytes() -> None:
    # printf abc | sha256sum
    assert Picture(b"abc").id == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_final_png_gives_the_pixels_back_and_jpeg_keeps_colour_at_full_resolution() -> None:
    rgb = np.asarray(cat())
    assert np.array_equal(Picture(encode_final(rgb, "png")).rgb, rgb)
    jpeg = encode_final(rgb)
    assert jpeg == encode_final(rgb)
    with Image.open(io.BytesIO(jpeg)) as image:
        assert [layer[1:3] for layer in image.layer] == [(1, 1)] * 3  # type: ignore[attr-defined]
        assert not image.getexif() and "icc_profile" not in image.info


def test_a_format_whose_reader_starts_a_program_is_refused() -> None:
    postscript = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"
    with pytest.raises(InputError, match="not a picture that can be read"):
        _ = Picture(postscript, "a.eps").rgb
