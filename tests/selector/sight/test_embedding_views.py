"""The crops that go through a backbone: against torchvision, pixel by pixel, and for pictures of every kind."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data
from torchvision.transforms import InterpolationMode
from torchvision.transforms.functional import center_crop, resize

from selector.domain import InputError, Picture, encode_final
from selector.domain.embedding import View
from selector.sight.embedding.views import STRIP, boxes, crops

SIDE = 64
COUNTS = {View.WHOLE: 1, View.NATIVE: 5, View.GRID: 13}
PHOTO = np.ascontiguousarray(data.astronaut())


def encoded(image, fmt="PNG", **how):
    buffer = io.BytesIO()
    image.save(buffer, fmt, **how)
    return Picture(buffer.getvalue())


def png(rgb):
    return encoded(Image.fromarray(np.ascontiguousarray(rgb)))


def of_size(width, height):
    return np.asarray(Image.fromarray(PHOTO).resize((width, height), Image.Resampling.LANCZOS))


def as_others_do(rgb, side):
    """What CLIP's preprocessing does: the shorter side scaled by antialiased bicubic, then the centre."""
    image = resize(Image.fromarray(np.ascontiguousarray(rgb)), side, InterpolationMode.BICUBIC)
    return np.asarray(center_crop(image, [side, side]))


@pytest.mark.parametrize("size", [(512, 512), (300, 200), (200, 300), (640, 91), (97, 501), (64, 64), (40, 30)])
@pytest.mark.parametrize("side", [64, 224])
def test_whole_is_torchvision_s_resize_and_centre_crop(size, side):
    rgb = of_size(*size)
    ours = crops(png(rgb), View.WHOLE, side)[0].astype(int)
    difference = np.abs(ours - as_others_do(rgb, side).astype(int))
    assert difference.max() <= 2  # torch's kernel for bytes rounds between its two directions, as Pillow's does
    assert difference.mean() < 0.5


def test_whole_of_a_large_jpeg_is_decoded_at_a_reduced_scale_and_hardly_differs():
    rgb = of_size(1024, 1024)
    jpeg = Picture(encode_final(rgb))
    full = as_others_do(jpeg.rgb, 224).astype(float)
    reduced = crops(jpeg, View.WHOLE, 224)[0].astype(float)
    assert jpeg.reduced(448).shape[:2] == (512, 512)
    assert np.abs(full - reduced).mean() < 2
    assert np.corrcoef(full.ravel(), reduced.ravel())[0, 1] > 0.998


@pytest.mark.parametrize("fmt", ["PNG", "BMP"])
def test_only_jpeg_is_decoded_at_a_reduced_scale(fmt):
    picture = encoded(Image.fromarray(of_size(1024, 1024)), fmt)
    assert picture.reduced(200).shape == (1024, 1024, 3)
    assert np.abs(crops(picture, View.WHOLE, 64)[0].astype(int) - as_others_do(picture.rgb, 64).astype(int)).max() <= 1


@pytest.mark.parametrize("size", [(512, 512), (300, 200), (65, 64)])
def test_native_crops_are_exact_pixels_of_the_corners_and_the_centre(size):
    rgb = of_size(*size)
    width, height = size
    right, bottom = width - SIDE, height - SIDE
    places = [(0, 0), (right, 0), (right // 2, bottom // 2), (0, bottom), (right, bottom)]
    found = crops(png(rgb), View.NATIVE, SIDE)
    for crop, (left, top) in zip(found, places, strict=True):
        assert np.array_equal(crop, rgb[top : top + SIDE, left : left + SIDE])
    shares = np.array([[x, y, x + SIDE, y + SIDE] for x, y in places]) / [width, height, width, height]
    assert boxes(View.NATIVE, width, height, SIDE) == pytest.approx(shares, abs=1e-6)


def test_grid_covers_the_picture_at_two_scales_with_overlap():
    found = boxes(View.GRID, 640, 480, SIDE)
    for scale in (found[:4], found[4:]):
        covered = np.zeros((100, 100), int)
        for left, top, right, bottom in np.round(scale * 100).astype(int):
            covered[top:bottom, left:right] += 1
        assert covered.min() >= 1
        assert covered.max() >= 4  # things on a border between two crops lie whole in another


def test_grid_crops_are_their_boxes_of_the_picture():
    rgb = of_size(400, 300)
    found = crops(png(rgb), View.GRID, SIDE)
    for crop, box in zip(found, boxes(View.GRID, 400, 300, SIDE), strict=True):
        left, top, right, bottom = np.round(box * [400, 300, 400, 300]).astype(int)
        cut = Image.fromarray(rgb[top:bottom, left:right]).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        assert np.abs(crop.astype(int) - np.asarray(cut).astype(int)).mean() < 3


def test_whole_box_is_the_centre_square():
    assert boxes(View.WHOLE, 400, 200, SIDE) == pytest.approx(np.array([[0.25, 0, 0.75, 1]]))
    assert boxes(View.WHOLE, 200, 400, SIDE) == pytest.approx(np.array([[0, 0.25, 1, 0.75]]))


def grey16():
    levels = (np.asarray(Image.fromarray(PHOTO).convert("L")).astype(np.uint16)) * 257
    return encoded(Image.fromarray(levels))


def turned():
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(Image.fromarray(np.ascontiguousarray(np.rot90(PHOTO))), "JPEG", quality=98, subsampling=0, exif=exif)


KINDS = {
    "grey": lambda: encoded(Image.fromarray(PHOTO).convert("L"), "JPEG", quality=95),
    "grey 16 bit": grey16,
    "palette": lambda: encoded(Image.fromarray(PHOTO).quantize(64)),
    "alpha": lambda: encoded(Image.fromarray(PHOTO).convert("RGBA")),
    "CMYK": lambda: encoded(Image.fromarray(PHOTO).convert("CMYK"), "JPEG", quality=95),
    "turned by EXIF": turned,
}


@pytest.mark.parametrize("view", list(View))
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_picture_gives_the_crops_of_its_pixels(kind, view):
    picture = KINDS[kind]()
    found, plain = crops(picture, view, SIDE), crops(png(picture.rgb), view, SIDE)
    assert found.shape == (COUNTS[view], SIDE, SIDE, 3)
    assert found.dtype == np.uint8
    assert np.abs(found.astype(int) - plain.astype(int)).mean() < 3


@pytest.mark.parametrize("view", list(View))
@pytest.mark.parametrize("fmt", ["PNG", "JPEG"])
@pytest.mark.parametrize("size", [(1, 1), (3, 5), (63, 64), (2000, 20), (20, 2000), (1, 900)])
def test_pictures_of_any_size_give_all_crops_and_boxes_inside(size, fmt, view):
    width, height = size
    rgb = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
    picture = encoded(Image.fromarray(rgb), fmt)
    found = crops(picture, view, SIDE)
    assert found.shape == (COUNTS[view], SIDE, SIDE, 3)
    places = boxes(view, width, height, SIDE)
    assert places.shape == (COUNTS[view], 4)
    assert places.min() >= -1e-6
    assert places.max() <= 1 + 1e-6
    assert (places[:, 2:] > places[:, :2]).all()


def native_as_a_whole(rgb, side):
    """Enlarged first, then cut."""
    height, width = rgb.shape[:2]
    scale = side / min(width, height)
    image = Image.fromarray(rgb).resize((round(width * scale), round(height * scale)), Image.Resampling.BICUBIC)
    wide, high = image.size
    right, bottom = wide - side, high - side
    places = [(0, 0), (right, 0), (right // 2, bottom // 2), (0, bottom), (right, bottom)]
    return np.stack([np.asarray(image.crop((x, y, x + side, y + side))) for x, y in places])


@pytest.mark.parametrize("size", [(1500, 100), (100, 1500), (700, 40), (40, 700)])
def test_strips_give_what_scaling_the_whole_of_them_gives(size):
    rgb = of_size(*size)
    assert max(size) > STRIP * min(size)
    whole = np.abs(crops(png(rgb), View.WHOLE, SIDE)[0].astype(int) - as_others_do(rgb, SIDE).astype(int))
    native = np.abs(crops(png(rgb), View.NATIVE, 128).astype(int) - native_as_a_whole(rgb, 128).astype(int))
    for difference in (whole, native):
        assert difference.mean() < 0.3
        assert (difference > 2).mean() < 1e-3  # overshoot is cut between the directions, and their order may differ


_PEAK = """
import sys
import numpy as np
from selector.domain import Picture, encode_final
from selector.domain.embedding import View
from selector.sight.embedding.views import crops

def peak_mb():
    return int(next(l for l in open("/proc/self/status") if l.startswith("VmHWM")).split()[1]) / 1024

small = np.zeros((100, 900, 3), np.uint8)
for view in View:
    crops(Picture(encode_final(small, "png")), view, 224)
before = peak_mb()
width, height = int(sys.argv[1]), int(sys.argv[2])
rgb = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
for view in View:
    crops(Picture(encode_final(rgb, "jpeg")), view, 224)
print(peak_mb() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
@pytest.mark.parametrize("size", [("1", "20000"), ("20000", "1"), ("3000", "1")])
def test_strips_take_little_memory(size):
    done = subprocess.run([sys.executable, "-c", _PEAK, *size], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 100


@pytest.mark.parametrize("view", list(View))
def test_huge_picture_gives_all_crops(view):
    picture = Picture(encode_final(of_size(5000, 4000), quality=60))
    assert crops(picture, view, SIDE).shape == (COUNTS[view], SIDE, SIDE, 3)


@pytest.mark.parametrize("view", list(View))
def test_same_bytes_give_the_same_crops(view):
    data = encode_final(PHOTO)
    assert np.array_equal(crops(Picture(data), view, SIDE), crops(Picture(data), view, SIDE))


@pytest.mark.parametrize("view", list(View))
def test_damaged_picture_is_an_input_error(view):
    with pytest.raises(InputError):
        crops(Picture(encode_final(PHOTO)[:2000]), view, SIDE)


def test_whole_does_not_depend_on_what_was_decoded_before():
    """A scorer that read all pixels first must not change what the backbone sees."""
    data = encode_final(of_size(1024, 768))
    fresh, used = Picture(data), Picture(data)
    assert used.rgb.shape == (768, 1024, 3)
    assert np.array_equal(crops(fresh, View.WHOLE, SIDE), crops(used, View.WHOLE, SIDE))
