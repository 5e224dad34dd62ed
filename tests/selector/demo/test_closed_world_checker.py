"""The checker of the closed world: it reads what was drawn, and is not fooled by what was not."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.closed_world.check_the_checker import DAMAGES
from selector.demo.closed_world.checker import check, judged, read
from selector.demo.closed_world.regions import chroma_plane, colour_of, hues
from selector.demo.closed_world.render import PAINT, draw, paint
from selector.demo.closed_world.scene import SHAPES, Group, Scene, random_scene
from selector.demo.closed_world.shapes_seen import TEMPLATES
from selector.demo.closed_world.simulated import CHANGES, MALFORMED

LEFT, RIGHT = Group(1, "red", "circle", "small"), Group(2, "blue", "cross", "large")
SCENE = Scene((LEFT, RIGHT), "x", "grey")


def drawn(scene=SCENE, seed=0):
    return draw(scene, np.random.default_rng(seed))


@pytest.mark.parametrize("damage", ["clean", "enlarged to 256", "blur 1", "noise 10", "jpeg 50"])
def test_drawn_scenes_are_right_also_after_mild_damage(damage):
    rng = np.random.default_rng(3)
    scenes = [random_scene(rng) for _ in range(40)]
    pictures = [DAMAGES[damage](draw(scene, rng), rng) for scene in scenes]
    truths = [check(picture, scene) for picture, scene in zip(pictures, scenes, strict=True)]
    assert sum(truth.right for truth in truths) >= 39
    assert all((truth.sc == 10) == truth.right for truth in truths)


@pytest.mark.parametrize("change", CHANGES)
def test_scene_with_one_fact_changed_is_wrong_and_scores_less(change):
    rng = np.random.default_rng(4)
    for seed in range(10):
        truth = judged(read(drawn(seed=seed)), CHANGES[change](SCENE, rng))
        assert not truth.right and truth.sc < 10


@pytest.mark.parametrize("fault", MALFORMED)
def test_malformed_picture_is_wrong(fault):
    rng = np.random.default_rng(5)
    assert not any(check(MALFORMED[fault](SCENE, rng), SCENE).right for _ in range(10))


def test_place_size_and_words_of_a_shape_are_read():
    group = Group(1, "green", "triangle", "large")
    scene = Scene((group,), "x", "black")
    picture = paint(scene, [(group, (24.3, 30.6, 10.0))], np.random.default_rng(1))
    (shape,) = read(picture).shapes
    assert (shape.colour, shape.shape, shape.size) == ("green", "triangle", "large")
    assert (shape.x, shape.y, shape.half) == pytest.approx((24.3, 30.6, 10.0), abs=0.4)
    assert read(picture).background == "black"


def test_touching_shapes_of_two_colours_are_two():
    red, blue = Group(1, "red", "square", "large"), Group(1, "blue", "square", "large")
    scene = Scene((red, blue), "x", "white")
    picture = paint(scene, [(red, (22.0, 32.0, 10.0)), (blue, (40.4, 32.0, 10.0))], np.random.default_rng(1))
    assert check(picture, scene).right


def test_what_captions_do_not_say_need_not_hold():
    silent = replace(SCENE, says_size=False, says_background=False)
    wrong = replace(silent, background="black", groups=(replace(LEFT, size="large"), RIGHT))
    truth = check(drawn(), wrong)
    assert truth.right and truth.sizes is None and truth.background is None


def test_parts_say_what_is_wrong():
    truth = check(drawn(), Scene((replace(RIGHT, colour="green"), LEFT), "x", "white"))
    assert (truth.colours, truth.shapes, truth.count) == (pytest.approx(1 / 3), 1.0, 1.0)
    assert (truth.relation, truth.background) == (0.0, 0.0)


def test_score_falls_with_each_fault_and_is_by_hand():
    seen = read(drawn())
    spoken = replace(SCENE, says_size=False)
    one_colour = replace(spoken, groups=(replace(LEFT, colour="green"), RIGHT))
    assert judged(seen, one_colour).sc == pytest.approx(10 * 2.5 / 3)
    assert judged(seen, replace(spoken, groups=(RIGHT, LEFT))).sc == pytest.approx(5)
    assert judged(seen, replace(one_colour, background="white")).sc == pytest.approx(10 * 2.5 / 3 * 0.8)
    assert judged(seen, replace(spoken, groups=(LEFT, replace(RIGHT, count=1)))).sc < 9


def test_empty_picture_scores_nothing():
    truth = check(np.full((64, 64, 3), 142, np.uint8), SCENE)
    assert (truth.sc, truth.overall, truth.right, truth.relation) == (0, 0, False, 0)


def test_stray_bits_are_no_shapes_but_cost_quality():
    picture = drawn()
    spotted = picture.copy()
    spotted[2:6, 2:5] = PAINT["green"]
    assert check(spotted, SCENE).right
    (stray,) = read(spotted).fragments
    assert 10 <= stray <= 30  # pixels; smoothing widens the twelve
    assert check(spotted, SCENE).pq < check(picture, SCENE).pq - 0.5


@pytest.mark.parametrize("damage", ["blur 1.5", "noise 20", "jpeg 10"])
def test_damage_costs_quality(damage):
    rng = np.random.default_rng(6)
    pictures = [drawn(seed=seed) for seed in range(12)]
    clean = [read(picture).quality.pq for picture in pictures]
    spoilt = [read(DAMAGES[damage](picture, rng)).quality.pq for picture in pictures]
    assert np.median(clean) >= 9 and min(clean) > 8
    assert np.median(spoilt) < np.median(clean) - 1.5


def test_every_paint_has_its_name_and_keeps_it_in_the_shade():
    for colour, rgb in PAINT.items():
        mixed = 0.6 * np.array(rgb, np.float32) + 0.4 * 142
        for value in (np.array(rgb, np.float32), mixed):
            assert colour_of(float(hues(chroma_plane(value[None, None]))[0, 0])) == colour


@pytest.mark.parametrize("shape", SHAPES)
def test_template_has_its_area_and_centre_of_mass(shape):
    template = TEMPLATES[shape]
    places = np.arange(-20, 20, 0.25, dtype=np.float32)
    cover = template.cover(places[None, :], places[:, None], 10.0, 0.3)
    assert cover.sum() / 16 == pytest.approx(100 * template.area, rel=0.02)
    assert (cover.sum(1) @ places) / cover.sum() == pytest.approx(10 * template.sinks, abs=0.2)


@pytest.mark.parametrize(
    "picture", [np.zeros((64, 32, 3), np.uint8), np.zeros((64, 64), np.uint8), np.zeros((64, 64, 3))]
)
def test_what_is_no_square_rgb_picture_is_refused(picture):
    with pytest.raises(ValueError, match="expected a square RGB picture"):
        read(picture)
