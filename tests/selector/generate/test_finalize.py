"""Final bytes: orientation, alpha and size settled once, JPEG 95 at 4:4:4, the same bytes every time."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from selector.contest.profile import ContestProfile, load_profile
from selector.domain import GenerationFailed, Picture, Task, TaskInputs, TaskType, encode_final
from selector.generate.finalize import finalize

TIANCHI, PNG = load_profile("tianchi-532389"), load_profile("mini-png")


def inputs(task_type: TaskType, source_px: tuple[int, int] | None = None) -> TaskInputs:
    picture = None
    if source_px is not None:
        picture = Picture(encode_final(np.zeros((source_px[1], source_px[0], 3), np.uint8)), "s.jpg")
    return TaskInputs(Task("1", task_type, "p", "s.jpg" if picture else None, None, 0), picture)


def halves(width: int = 200, height: int = 100) -> np.ndarray:
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[:, width // 2 :] = (250, 10, 10)
    return rgb


def encoded(image: Image.Image, fmt: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, fmt, **options)
    return buffer.getvalue()


def test_the_same_pixels_give_the_same_jpeg_without_subsampling() -> None:
    one, two = (finalize(halves(), inputs(TaskType.T2I), TIANCHI) for _ in range(2))
    assert one == two
    opened = Image.open(io.BytesIO(one.data))
    assert (opened.format, opened.size, one.size_px) == ("JPEG", (200, 100), (200, 100))
    assert [layer[1:3] for layer in opened.layer] == [(1, 1)] * 3  # type: ignore[attr-defined]


def test_an_edit_gets_the_size_of_its_source() -> None:
    assert finalize(halves(), inputs(TaskType.TIE, (64, 32)), TIANCHI).size_px == (64, 32)


def circle(width: int, height: int) -> np.ndarray:
    """A white disc of 30 px radius in the middle of black."""
    y, x = np.mgrid[:height, :width]
    inside = (x - width / 2) ** 2 + (y - height / 2) ** 2 <= 30**2
    return np.repeat(np.where(inside, 255, 0).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("made", [(100, 200), (200, 200), (600, 100)])
@pytest.mark.parametrize(("profile", "source"), [(TIANCHI, (200, 100)), (PNG, (200, 100)), (PNG, (90, 300))])
def test_nothing_is_ever_stretched(made: tuple[int, int], profile: ContestProfile, source: tuple[int, int]) -> None:
    final = finalize(circle(*made), inputs(TaskType.TIE, source), profile)
    disc = Picture(final.data).rgb[..., 0] > 128
    width, height = (int(np.count_nonzero(disc.any(axis=axis))) for axis in (0, 1))
    assert abs(width - height) <= 2


def test_a_turned_picture_keeps_every_pixel() -> None:
    turned = np.ascontiguousarray(np.rot90(halves()))
    final = finalize(turned, inputs(TaskType.TIE, (200, 100)), TIANCHI)
    assert np.abs(Picture(final.data).rgb.astype(int) - turned).max() <= 8


def test_exif_orientation_is_applied_and_not_kept() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by 90 degrees
    data = encoded(Image.fromarray(halves()), "JPEG", exif=exif, quality=95)
    final = finalize(data, inputs(TaskType.T2I), TIANCHI)
    assert final.size_px == (100, 200)
    assert Image.open(io.BytesIO(final.data)).getexif().get(0x0112) is None


def test_alpha_is_laid_on_white() -> None:
    clear = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    final = finalize(encoded(clear, "PNG"), inputs(TaskType.T2I), TIANCHI)
    assert Picture(final.data).rgb.min() > 250


def test_a_colour_profile_is_applied() -> None:
    from PIL import ImageCms

    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encoded(Image.fromarray(halves()), "PNG", icc_profile=lab)
    assert np.abs(Picture(data).rgb.astype(int) - halves()).max() <= 1


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK", "I;16", "LA"])
def test_every_common_mode_becomes_rgb(mode: str) -> None:
    image = Image.new(mode, (40, 30)) if mode == "I;16" else Image.fromarray(halves(40, 30)).convert(mode)
    data = encoded(image, "TIFF" if mode == "CMYK" else "PNG")
    assert Picture(finalize(data, inputs(TaskType.T2I), TIANCHI).data).rgb.shape == (30, 40, 3)


def test_a_png_profile_with_fixed_size_gets_both() -> None:
    task_type = next(iter(PNG.task_types))
    final = finalize(halves(), inputs(task_type, (64, 48)), PNG)
    assert final.data.startswith(b"\x89PNG")
    assert final.size_px == PNG.output_size_px(task_type, (200, 100), (64, 48))


@pytest.mark.parametrize(
    "image", [halves().astype(np.float32), halves()[..., 0], np.zeros((0, 5, 3), np.uint8), "path.jpg", None]
)
def test_what_is_no_picture_fails_with_words(image: object) -> None:
    with pytest.raises(GenerationFailed, match=r"RGB array|empty"):
        finalize(image, inputs(TaskType.T2I), TIANCHI)


def test_truncated_bytes_fail_with_words() -> None:
    data = encode_final(np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8))
    with pytest.raises(GenerationFailed, match="truncated"):
        finalize(data[: len(data) // 2], inputs(TaskType.T2I), TIANCHI)
