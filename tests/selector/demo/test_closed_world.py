"""Scenes, pictures and captions of the closed world."""

import re

import numpy as np
import pytest

from selector.demo.closed_world import render
from selector.demo.closed_world.render import draw, placed
from selector.demo.closed_world.scene import (
    BACKGROUNDS,
    CHINESE,
    CHINESE_NUMBERS,
    COLOURS,
    LANGUAGES,
    MOST,
    SHAPES,
    SIZES,
    Group,
    Scene,
    caption,
    random_scene,
)

PLACES = {
    "left of": ("x", False), "the left of": ("x", False), "right of": ("x", True), "above": ("y", False),
    "over": ("y", False), "below": ("y", True), "under": ("y", True),
    "左": ("x", False), "右": ("x", True), "上": ("y", False), "下": ("y", True),
}  # fmt: skip
COUNTS = {"a": 1, "an": 1, "two": 2, "three": 3, "four": 4}
ENGLISH_GROUP = re.compile(
    rf"(an?|two|three|four) (?:({'|'.join(SIZES)}) )?({'|'.join(COLOURS)}) ({'|'.join(SHAPES)})(?:e?s)?\b"
)
CHINESE_GROUP = re.compile(r"([一两三四])个(.色)的([小大]?)(圆形|正方形|三角形|十字形)")


def scenes(n, seed=0):
    rng = np.random.default_rng(seed)
    return [random_scene(rng) for _ in range(n)]


def understood(text, language):
    """(groups first in place first, axis, background), by a parser of the test's own."""
    if language == "en":
        found = [(COUNTS[n], size, colour, shape) for n, size, colour, shape in ENGLISH_GROUP.findall(text)]
        ground = re.search(rf"on a ({'|'.join(BACKGROUNDS)}) background$", text)
        place = re.search(r"left of|right of|above|over|below|under", text)
        background = ground and ground[1]
    else:
        back = {word: name for name, word in CHINESE.items()}
        numbers = {word: number for number, word in CHINESE_NUMBERS.items()}
        found = [
            (numbers[n], back.get(size, ""), back[colour], back[shape])
            for n, colour, size, shape in CHINESE_GROUP.findall(text)
        ]
        ground = re.search(r"，(..)背景$", text)
        place = re.search(r"的([左右上下])[边侧方面]", text)
        background = ground and back[ground[1]]
    axis, turned = PLACES[place[1] if language == "zh" else place[0]] if place else (None, False)
    return (found[::-1] if turned else found), axis, background


@pytest.mark.parametrize("language", LANGUAGES)
def test_captions_are_true_and_say_what_the_scene_says(language):
    rng = np.random.default_rng(1)
    for scene in scenes(300):
        text = caption(scene, rng, language)
        groups, axis, background = understood(text, language)
        said = [(g.count, g.size if scene.says_size else "", g.colour, g.shape) for g in scene.groups]
        assert groups == said, text
        assert axis == (scene.axis if len(said) == 2 else None), text
        assert background == (scene.background if scene.says_background else None), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_scene_is_said_in_several_ways(language):
    scene = Scene((Group(1, "red", "circle", "small"), Group(2, "blue", "cross", "large")), "x", "grey")
    rng = np.random.default_rng(2)
    assert len({caption(scene, rng, language) for _ in range(100)}) >= 8


def test_english_articles_and_plurals():
    rng = np.random.default_rng(3)
    texts = {caption(Scene((Group(1, "orange", "square", "small"),), "x", "grey", False, False), rng, "en")}
    texts |= {caption(Scene((Group(3, "red", "cross", "small"),), "x", "grey", False, False), rng, "en")}
    assert {text.removeprefix("a picture of ") for text in texts} == {"an orange square", "three red crosses"}


def test_every_word_of_the_world_occurs_and_groups_differ():
    some = scenes(400)
    groups = [group for scene in some for group in scene.groups]
    assert {g.colour for g in groups} == set(COLOURS) and {g.shape for g in groups} == set(SHAPES)
    assert {g.size for g in groups} == set(SIZES) and {s.background for s in some} == set(BACKGROUNDS)
    assert {g.count for g in groups} == set(range(1, MOST + 1)) and {s.axis for s in some} == {"x", "y"}
    pairs = [[(g.colour, g.shape) for g in s.groups] for s in some if len(s.groups) == 2]
    assert all(first != second for first, second in pairs) and len(pairs) < len(some)


def test_first_group_comes_first_and_shapes_keep_clear_of_each_other_and_the_border():
    rng = np.random.default_rng(4)
    for scene in scenes(60, seed=5):
        shapes = placed(scene, rng)
        along = 0 if scene.axis == "x" else 1
        n = scene.groups[0].count
        for i, (_, (x, y, half)) in enumerate(shapes):
            assert half <= min(x, y) and max(x, y) + half <= 64
            for _, other in shapes[:i]:
                assert max(abs(x - other[0]), abs(y - other[1])) > half + other[2]
        assert all(a[1][along] < b[1][along] for a in shapes[:n] for b in shapes[n:])


@pytest.mark.parametrize("axis", ["x", "y"])
@pytest.mark.parametrize(
    "groups",
    [(Group(4, "red", "circle", "small"),), (Group(1, "red", "circle", "large"), Group(2, "blue", "cross", "large"))],
)
def test_a_crowded_scene_is_placed_as_if_each_try_was_drawn_alone(groups, axis, monkeypatch):
    monkeypatch.setattr(render, "TRIES_AT_ONCE", 8)
    scene, ours, plain = Scene(groups, axis, "grey"), np.random.default_rng(5), np.random.default_rng(5)
    tries = 0
    while tries < 1000:
        found = placed(scene, ours)
        while True:
            tries += 1
            alone = [(group, render._box(group, plain)) for group in groups for _ in range(group.count)]
            if render._apart([box for _, box in alone]) and render._in_order(alone, scene):
                break
        assert found == alone
        assert ours.random() == plain.random()


def test_same_seed_draws_the_same_and_another_seed_another():
    (scene,) = scenes(1)
    first, again, other = (draw(scene, np.random.default_rng(seed)) for seed in (7, 7, 8))
    assert first.shape == (64, 64, 3) and first.dtype == np.uint8
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert scenes(5, seed=1) == scenes(5, seed=1) != scenes(5, seed=2)
