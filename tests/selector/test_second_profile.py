"""A contest with other facts than the first, through every verb: only then is a profile data and nothing else."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage import data

from selector import Campaign
from selector.domain import encode_final

TABLE = """photo,text,kind,key
cup.png,make it much brighter,change,cup-bright
cup.png,rotate 90 degrees clockwise,change,cup-turned
cat.png,convert to black and white,change,Katze_1
,a woman in an orange suit,draw,drawn
"""
KEYS = ["cup-bright", "cup-turned", "Katze_1", "drawn"]
HEAD = data.astronaut()[:300, 60:360]
SCORERS = ["gate", "preservation", "seams", "technical"]


def upright(rgb: np.ndarray) -> np.ndarray:
    """The middle of a picture, 3 wide to 4 high: far from the contest's 4:3."""
    height, width = rgb.shape[:2]
    side = height * 3 // 4
    return np.ascontiguousarray(rgb[:, (width - side) // 2 : (width + side) // 2])


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    """Made, scored and picked: three edits by `retouch`, one drawing imported from elsewhere."""
    folder = tmp_path_factory.mktemp("second")
    for name, rgb in {
        "photos/cup": data.coffee(),
        "photos/cat": upright(data.chelsea()),
        "drawings/drawn": HEAD,
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / f"{name}.png").write_bytes(encode_final(rgb, "png"))
    (folder / "tasks.csv").write_text(TABLE, encoding="utf-8")
    with Campaign.init(
        folder / "campaign",
        folder / "tasks.csv",
        folder / "photos",
        profile="mini-png",
        team="red",
        generate={"tie": {"retouch": 3}},
        score={"scorers": SCORERS},
    ) as made:
        made.generate()
        made.import_folder(folder / "drawings", "painter")
        made.score()
        made.pick()
        yield made


@pytest.fixture(scope="module")
def archive(campaign: Campaign) -> Path:
    return campaign.export().zip_path


def opened(archive: Path, key: str) -> Any:
    with zipfile.ZipFile(archive) as zipped:
        return Image.open(io.BytesIO(zipped.read(f"pictures/{key}.png")))


def test_every_task_has_a_pick_although_no_source_has_the_shape_of_the_contest(campaign: Campaign) -> None:
    assert [(pick.task_id, pick.fallback) for pick in campaign.pick()] == [(key, False) for key in KEYS]


def test_the_submission_is_valid_and_has_the_names_of_its_own_contest(campaign: Campaign, archive: Path) -> None:
    verdict = campaign.submissions.verify(archive)
    assert (verdict.valid, verdict.problems, verdict.images) == (True, (), 4)
    assert archive.name == "answers-red.zip"
    with zipfile.ZipFile(archive) as zipped:
        rows = list(csv.reader(io.StringIO(zipped.read("answers.csv").decode("utf-8"))))
    assert rows == [["file", "key"], *([f"pictures/{key}.png", key] for key in KEYS)]


@pytest.mark.parametrize("key", KEYS)
def test_every_image_is_a_png_of_the_fixed_size(archive: Path, key: str) -> None:
    image = opened(archive, key)
    assert (image.format, image.size) == ("PNG", (256, 192))


def test_what_does_not_fit_the_fixed_size_is_cut_and_not_squeezed(archive: Path) -> None:
    shown = np.asarray(opened(archive, "drawn")).astype(int)
    middle = Image.fromarray(HEAD[37:263]).resize((256, 192), Image.Resampling.LANCZOS)
    assert np.abs(shown - np.asarray(middle)).mean() < 3


def test_a_copy_of_the_source_is_still_found_out(campaign: Campaign, tmp_path: Path) -> None:
    before = campaign.pick()[0].candidate_id
    (tmp_path / "cup-bright.png").write_bytes(encode_final(data.coffee(), "png"))
    campaign.import_folder(tmp_path, "idle")
    campaign.score()
    assert campaign.pick()[0].candidate_id == before
    sheet = campaign.report().read_text("utf-8")
    assert "gate.differs is 0 (something visible must differ from the source)" in sheet


def test_the_quota_is_that_of_the_contest(campaign: Campaign) -> None:
    quota = campaign.submissions.quota()
    assert (quota.allowed, str(quota.turns_at.tzinfo)) == (5, "UTC")
