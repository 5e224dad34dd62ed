"""What is small as a file and costly to read is refused at once, or read within bounds."""

from __future__ import annotations

import io
import struct
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from costs import within
from PIL import Image

from selector.domain import InputError, Picture, picture
from selector.domain.picture import rgb_from_image


def jpeg_with(segments: bytes) -> bytes:
    whole = encoded("JPEG")
    return whole[:2] + segments + whole[2:]


def png_with(kind: bytes, content: bytes, times: int) -> bytes:
    whole, body = encoded("PNG"), kind + content
    return (
        whole[:33] + (struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))) * times + whole[33:]
    )


def gif_with_comment(blocks: int) -> bytes:
    whole = encoded("GIF")
    return whole[:-1] + b"\x21\xfe" + (b"\xff" + b"c" * 255) * blocks + b"\0" + whole[-1:]


def encoded(form: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), (1, 2, 3)).save(buffer, form)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        jpeg_with(b"\xff\xfe\0\3x" * 20_000),
        jpeg_with((b"\xff\xe1" + struct.pack(">H", 8008) + b"Exif\0\0" + bytes(8000)) * 100),
        jpeg_with(b"\xff\0" * 100_000),
        png_with(b"tEXt", b"k\0x", 20_000),
        png_with(b"zTXt", b"k\0\0" + zlib.compress(bytes(20 << 20)), 1),
        png_with(b"iCCP", b"k\0\0" + zlib.compress(bytes(20 << 20)), 1),
    ],
    ids=["comments", "exif", "junk", "texts", "text that inflates", "profile that inflates"],
)
def test_a_header_that_takes_long_is_refused_at_once(data: bytes) -> None:
    with within(0.5), pytest.raises(InputError, match=r"a\.jpg: not a picture that can be read"):
        _ = Picture(data, "a.jpg").rgb


def test_parts_behind_the_first_frame_are_not_read() -> None:
    with within(0.5):
        assert Picture(gif_with_comment(100_000)).rgb.shape == (64, 64, 3)


def test_a_jpeg_whose_scans_go_over_its_pixels_a_thousand_times_is_refused() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (1024, 1024)).save(buffer, "JPEG", progressive=True)
    whole = buffer.getvalue()
    assert Picture(whole).rgb.shape == (1024, 1024, 3)
    last = whole[whole.rindex(b"\xff\xda") : -2]
    with pytest.raises(InputError, match="a JPEG of 1010 scans takes too long to be decoded"):
        _ = Picture(whole[:-2] + last * 1000 + whole[-2:]).rgb
    film = b"\xff\xda" * 2000  # behind its end, as phones put one there
    assert Picture(whole + film).rgb.shape == (1024, 1024, 3)
    hidden = whole[:2] + b"\xff\xfe\x00\x04\xff\xd9" + whole[2:-2] + last * 1000 + whole[-2:]
    with pytest.raises(InputError, match="a JPEG of 1010 scans"):
        _ = Picture(hidden).rgb


def test_a_whole_picture_of_many_small_parts_is_no_header(tmp_path: Path) -> None:
    grey = Image.fromarray(np.random.default_rng(0).integers(0, 256, (20_000, 100), dtype=np.uint8))
    grey.save(tmp_path / "rows.tif", tiffinfo={278: 1})  # one row a strip
    assert Picture((tmp_path / "rows.tif").read_bytes()).rgb.shape == (20_000, 100, 3)


def a_picture_of(mode: str) -> Image.Image:
    levels = np.random.default_rng(0).integers(0, 256, (40, 30, 4), dtype=np.uint8)
    if mode in ("I;16", "I", "F"):
        deep = levels[..., 0].astype({"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode])
        deep[39, 0] = 40_000  # which scale it has shows in its last row
        return Image.fromarray(deep)
    image = Image.fromarray(levels, "RGBA")
    if mode == "P":
        image = image.convert("RGB").quantize(16)
        image.info["transparency"] = 3
        return image
    return image.convert(mode)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "L", "1", "P", "CMYK", "I;16", "I", "F"])
def test_strips_are_as_the_whole(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = rgb_from_image(a_picture_of(mode))
    monkeypatch.setattr(picture, "_STRIP_PIXELS", 210)
    assert (rgb_from_image(a_picture_of(mode)) == whole).all()
    assert whole.std() > 0


@pytest.mark.parametrize(("mode", "most"), [("I;16", 65535), ("I", 255), ("I", 70_000)])
def test_whole_levels_are_as_those_of_floats(mode: str, most: int) -> None:
    levels = np.linspace(-3 if mode == "I" else 0, most, 9_000).astype(np.uint16 if mode == "I;16" else np.int32)
    scale = 1.0 if mode == "I" and most == 255 else 255 / 65535
    expected = np.clip(levels.astype(float) * scale + 0.5, 0, 255).astype(np.uint8)
    assert (rgb_from_image(Image.fromarray(levels.reshape(90, 100)))[..., 0].ravel() == expected).all()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF"])
def test_a_check_tells_the_size_as_shown_and_finds_damage(form: str) -> None:
    buffer, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    noise = np.random.default_rng(0).integers(0, 256, (90, 60, 3), dtype=np.uint8)
    Image.fromarray(noise).save(buffer, form, exif=exif)
    assert Picture(buffer.getvalue()).check() == Picture(buffer.getvalue()).size == (90, 60)
    with pytest.raises(InputError):
        Picture(buffer.getvalue()[: len(buffer.getvalue()) // 2]).check()


def test_threads_decode_so_many_pixels_at_the_same_time_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    data, running, most = encoded("PNG"), [], []
    real = picture._plain

    def watched(image: Image.Image) -> picture.Pixels:
        running.append(image)
        most.append(len(running))
        time.sleep(0.01)
        running.pop()
        return real(image)

    monkeypatch.setattr(picture, "_plain", watched)
    monkeypatch.setattr(picture, "MAX_PIXELS", 2 * 64 * 64)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: Picture(data).check(), range(16)))
    assert max(most) == 2
