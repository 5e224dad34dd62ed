"""Whose face it is, on the two portraits that installed packages ship."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from skimage import data

from scorers.identity import Identity, face_in_place
from selector.domain import Item, Picture, Scorer, Task, TaskInputs, TaskType, encode_final

HOPPER = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
COLUMNS = {"wanted_cosine", "original_cosine", "wanted_distance", "original_distance"}
scorer = Identity()


def picture(rgb, quality=95):
    return Picture(encode_final(np.ascontiguousarray(rgb), quality=quality))


ASTRONAUT, LADY, CUP = picture(data.astronaut()), Picture(HOPPER.read_bytes()), picture(data.coffee())


def scored(candidate, source=ASTRONAUT, reference=LADY):
    task = Task("1", TaskType.DEEPFAKE, "", "a.jpg", "b.jpg", 0)
    (scores,) = scorer.score([Item(TaskInputs(task, source, reference), candidate)])
    assert set(scores) == COLUMNS
    return scores


def on_a_wall(rgb, left):
    """A portrait's head at another place of a wide grey picture."""
    scene = np.full((512, 1000, 3), 128, np.uint8)
    scene[: rgb.shape[0], left : left + rgb.shape[1]] = rgb
    return scene


def test_it_is_a_scorer_with_the_agreed_columns():
    assert isinstance(scorer, Scorer)
    assert {column.name for column in scorer.columns} == COLUMNS
    better = {column.name: column.higher_is_better for column in scorer.columns}
    assert better["wanted_cosine"] and better["original_distance"]
    assert not better["original_cosine"] and not better["wanted_distance"]
    scorer.check()


def test_wanted_person_is_told_from_the_original_one():
    scene = picture(ASTRONAUT.rgb[10:230, 110:330])  # both faces in the middle
    scores = scored(picture(LADY.rgb[20:420, 60:480], quality=40), source=scene)
    assert scores["wanted_distance"].value < 0.35 < 0.6 < scores["original_distance"].value
    assert scores["wanted_cosine"].value > 0.7 > 0.45 > scores["original_cosine"].value


def test_face_in_another_place_is_no_face():
    assert face_in_place(LADY, ASTRONAUT) is None  # hers is lower and more to the right


def test_unchanged_scene_has_distance_zero_to_the_original():
    scores = scored(ASTRONAUT)
    assert scores["original_distance"].value == 0
    assert scores["original_cosine"].value == pytest.approx(1.0)
    assert scores["wanted_distance"].value > 0.6


def test_values_lie_in_their_columns_range():
    scores = scored(ASTRONAUT)
    for column in scorer.columns:
        assert column.low <= scores[column.name].value <= column.high


def test_face_in_the_scenes_place_is_scored_and_not_a_larger_bystander():
    head = ASTRONAUT.rgb[10:230, 110:330]
    scene = on_a_wall(head, 0)
    candidate = scene.copy()
    candidate[:400, 520:940] = LADY.rgb[20:420, 60:480]  # larger, and more central
    assert scored(picture(candidate), source=picture(scene))["original_distance"].value < 0.2


def test_candidate_of_another_size_is_compared_by_shares():
    half = picture(ASTRONAUT.rgb[::2, ::2])
    x0 = face_in_place(half, ASTRONAUT).box[0]
    assert x0 == pytest.approx(face_in_place(ASTRONAUT, ASTRONAUT).box[0] / 2, abs=6)
    assert scored(half)["original_distance"].value < 0.4


def test_candidate_without_a_face_is_unscored_with_the_reason():
    for score in scored(CUP).values():
        assert score.value is None and "no face found in the candidate" in score.reason


def test_reference_without_a_face_leaves_the_original_scored():
    scores = scored(ASTRONAUT, reference=CUP)
    assert scores["wanted_cosine"].reason == "no face found in the reference picture"
    assert scores["original_distance"].value == 0


def test_scene_without_a_face_leaves_the_wanted_scored():
    scores = scored(LADY, source=CUP)
    assert scores["wanted_distance"].value == 0
    assert scores["original_distance"].reason == "no face found in the scene picture"


def test_missing_pictures_are_named():
    scores = scored(ASTRONAUT, reference=None)
    assert scores["wanted_distance"].reason == "the task has no reference picture"


def test_one_damaged_candidate_does_not_spoil_the_others():
    task = Task("1", TaskType.DEEPFAKE, "", "a.jpg", "b.jpg", 0)
    inputs = TaskInputs(task, ASTRONAUT, LADY)
    broken, fine = scorer.score([Item(inputs, Picture(HOPPER.read_bytes()[:3000], "cut.jpg")), Item(inputs, ASTRONAUT)])
    assert "cut.jpg" in broken["wanted_cosine"].reason
    assert fine["original_distance"].value == 0


def test_threads_score_as_one_does():
    candidates = [picture(ASTRONAUT.rgb, quality=70 + i) for i in range(6)]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(scored, candidates))
    assert together == [scored(candidate) for candidate in candidates]
