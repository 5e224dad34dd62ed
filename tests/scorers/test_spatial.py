"""The arithmetic of ``spatial`` on evidence whose truth is known, and the scorer over a backbone that sees shapes."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scene_stub import StubBackbone, patches, said, stub_detector
from tiny_backbone import contest_with, tiny_clip

from experiments.support.scenes import SHAPES, Drawn, examples, render
from scorers._grounding import (
    SMALLEST,
    binding,
    counted,
    detector_evidence,
    found,
    grid_evidence,
    order,
    place,
)
from scorers._scene import NOTHING, questions_of, scene_scores
from scorers.spatial import DetectorSpatial, GridSpatial, spatial
from selector.conformance import check_scorer
from selector.domain import InputError, Item, MissingPart, Picture, Score, Task, TaskInputs, TaskType, encode_final
from selector.domain.embedding import Head, View
from selector.domain.reading import Attribute, Reading, Relation, Scene, Thing
from selector.prompts.scene import read_scene
from selector.registry import create_scorer

LEFT, RIGHT = [0.0, 0.0, 0.4, 1.0], [0.6, 0.0, 1.0, 1.0]


def item(prompt: str, *shapes: Drawn) -> Item:
    inputs = TaskInputs(Task("1", TaskType.T2I, prompt, None, None, 0))
    return Item(inputs, Picture(encode_final(render(shapes, 0))))


def seeing(noise: float = 0.0) -> GridSpatial:
    scorer = GridSpatial()
    scorer.backbone = StubBackbone(noise)
    return scorer


def detected(prompt: str, *shapes: Drawn) -> dict[str, Score]:
    scene = read_scene(prompt)[0]
    questions = questions_of(scene)
    return scene_scores(scene, questions, stub_detector(render(shapes, 0), questions.phrases, noise=0.0))


RED_SQUARE, BLUE_CIRCLE = Drawn("red", "square", 0.25, 0.3, 0.13), Drawn("blue", "circle", 0.75, 0.7, 0.13)
PROMPT = "a red square to the left of a blue circle"


# Questions


def test_attributes_are_compared_with_those_of_the_other_things_first() -> None:
    questions = questions_of(read_scene("a red cube and a blue sphere")[0])
    assert questions.attributes[0].own == "a red cube"
    assert questions.attributes[0].rivals[0] == "a blue cube"
    assert questions.attributes[1].rivals[0] == "a red sphere"


def test_a_thing_goes_by_its_noun_unless_another_has_the_same() -> None:
    assert questions_of(read_scene("a red cube and a blue sphere")[0]).names == ("a cube", "a sphere")
    assert questions_of(read_scene("a red cube and a blue cube")[0]).names == ("a red cube", "a blue cube")


@pytest.mark.parametrize(
    ("prompt", "never"),
    [("a crimson cube and a red ball", "a red cube"), ("一个深红色的球", "红色的球"), ("a wooden box", "a wood box")],
)
def test_near_synonyms_are_no_rivals(prompt: str, never: str) -> None:
    rivals = [rival for question in questions_of(read_scene(prompt)[0]).attributes for rival in question.rivals]
    assert rivals
    assert never not in rivals


# Evidence


def test_shares_of_a_grid_are_the_softmax_of_the_cosines() -> None:
    cosines = np.array([[0.25, 0.22, 0.20], [0.18, 0.24, 0.21]])
    evidence = grid_evidence(("a", "b", "c"), [LEFT, RIGHT], cosines)
    expected = np.exp(100 * cosines[:, 0]) / np.exp(100 * cosines[:, :2]).sum(axis=1)
    np.testing.assert_allclose(evidence.share("a", ["b"]), expected)
    np.testing.assert_allclose(evidence.share("a", ["a", "b"]), expected)  # itself is no rival


def test_a_phrase_that_fits_every_crop_better_is_not_everywhere() -> None:
    cosines = np.array([[0.20, 0.30], [0.24, 0.30]])  # "b" is likelier in both crops, "a" rises in the second
    evidence = grid_evidence(("a", "b"), [LEFT, RIGHT], cosines)
    assert place(evidence, "a", ["b"])[1] > 0.95


def test_margin_of_centres_is_the_order_and_its_mirror_the_opposite() -> None:
    evidence = detector_evidence(("a", "b"), [LEFT, RIGHT], [[0.8, 0.01], [0.01, 0.8]])
    a, b = place(evidence, "a", ["b"]), place(evidence, "b", ["a"])
    left, right = order(evidence, a, b, "left"), order(evidence, a, b, "right")
    assert left is not None
    assert right is not None
    assert left == pytest.approx(1 / (1 + np.exp(-0.6 / 0.06)), abs=1e-3)
    assert left + right == pytest.approx(1.0)
    assert order(evidence, a, b, "above") == pytest.approx(0.5, abs=1e-3)
    assert order(evidence, a, a, "left") == pytest.approx(0.5)
    assert order(evidence, a, b, "in_front") is None


def test_in_is_the_share_of_the_inner_box_and_needs_outlines() -> None:
    inner, outer = [0.1, 0.1, 0.3, 0.3], [0.2, 0.0, 0.9, 0.9]
    evidence = detector_evidence(("a", "b"), [inner, outer], [[0.8, 0.01], [0.01, 0.8]])
    weights = place(evidence, "a", ["b"]), place(evidence, "b", ["a"])
    assert order(evidence, *weights, "in") == pytest.approx(0.5)
    assert order(replace(evidence, outlines=False), *weights, "in") is None


def test_count_is_the_chance_of_exactly_that_many_by_enumeration() -> None:
    scores = np.array([0.5, 0.2, 0.1])
    boxes = [[0.3 * i, 0.0, 0.3 * i + 0.2, 0.2] for i in range(3)]
    evidence = detector_evidence(("a", "nothing"), boxes, np.stack([scores, np.full(3, 1e-9)], axis=1))
    sure = scores**2 / (scores**2 + 0.12**2)
    for wanted in range(5):
        outcomes = [o for o in itertools.product((0, 1), repeat=3) if sum(o) == wanted]
        expected = sum(np.prod([p if hit else 1 - p for p, hit in zip(sure, o, strict=True)]) for o in outcomes)
        assert counted(evidence, "a", ["nothing"], wanted) == pytest.approx(expected, abs=1e-6)


def test_two_boxes_around_one_thing_count_once() -> None:
    boxes = [[0.1, 0.1, 0.3, 0.3], [0.11, 0.1, 0.31, 0.3], [0.6, 0.6, 0.8, 0.8]]
    evidence = detector_evidence(("a",), boxes, [[0.9], [0.8], [0.9]])
    assert counted(evidence, "a", [], 2) > 0.9
    assert counted(evidence, "a", [], 3) < 0.1


def test_no_boxes_mean_that_nothing_is_there() -> None:
    evidence = detector_evidence(("a", "b"), np.zeros((0, 4)), np.zeros((0, 2)))
    nowhere = place(evidence, "a", ["b"])
    assert found(evidence, "a", ["b"]) == 0.0
    assert binding(evidence, nowhere, "a", ["b"]) == 0.0
    assert order(evidence, nowhere, nowhere, "left") == 0.0
    assert counted(evidence, "a", ["b"], 0) == 1.0
    assert counted(evidence, "a", ["b"], 1) == 0.0


def test_far_apart_cosines_stay_finite() -> None:
    evidence = grid_evidence(("a", "b"), [LEFT, RIGHT], [[1.0, -1.0], [-1.0, 1.0]])
    assert evidence.scores.min() >= SMALLEST
    assert np.isfinite(place(evidence, "a", ["b"])).all()


# Scores of scenes


def test_right_picture_beats_each_single_fault_in_its_own_column() -> None:
    swapped = (replace(RED_SQUARE, x=0.75), replace(BLUE_CIRCLE, x=0.25))
    painted = (replace(RED_SQUARE, colour="blue"), replace(BLUE_CIRCLE, colour="red"))
    pictures = {
        "right": (RED_SQUARE, BLUE_CIRCLE),
        "relations": swapped,
        "attributes": painted,
        "objects": (RED_SQUARE,),
    }
    scores = {name: seeing().score([item(PROMPT, *shapes)])[0] for name, shapes in pictures.items()}
    for column in ("relations", "attributes", "objects"):
        right, wrong = scores["right"][column].value, scores[column][column].value
        assert right is not None
        assert wrong is not None
        assert right > wrong + 0.3
    coherence = {name: score["coherence"].value or 0.0 for name, score in scores.items()}
    assert coherence["right"] > 0.9
    assert max(value for name, value in coherence.items() if name != "right") < 0.7


def test_order_of_things_that_are_not_surely_there_is_unknown_and_no_wrong_one() -> None:
    for shapes in ((), (RED_SQUARE,), (BLUE_CIRCLE,)):
        assert detected(PROMPT, *shapes)["relations"].value == pytest.approx(0.5, abs=0.05)
        assert (detected(PROMPT, *shapes)["objects"].value or 0.0) < 0.6
    right, one = detected(PROMPT, RED_SQUARE, BLUE_CIRCLE), detected(PROMPT, RED_SQUARE)
    assert (one["coherence"].value or 0.0) < (right["coherence"].value or 0.0) / 2, (
        "nor does it count as one that holds"
    )
    swapped = detected(PROMPT, replace(RED_SQUARE, x=0.75), replace(BLUE_CIRCLE, x=0.25))
    assert (swapped["relations"].value or 1.0) < 0.1


def test_wrong_colours_do_not_move_things() -> None:
    painted = (replace(RED_SQUARE, colour="blue"), replace(BLUE_CIRCLE, colour="red"))
    assert (seeing().score([item(PROMPT, *painted)])[0]["relations"].value or 0.0) > 0.9


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("swap", ["relation", "attribute"])
def test_swaps_are_told_on_a_grid_of_noisy_evidence(swap: str, language: str) -> None:
    scorer, won = seeing(noise=0.15), 0
    cases = examples(swap, 6, seed=5, language=language)
    for case in cases:
        right, wrong = (
            scorer.score([item(case.prompt, *shapes)])[0]["coherence"] for shapes in (case.right, case.wrong)
        )
        won += (right.value or 0.0) > (wrong.value or 0.0)
    assert won >= 5


def test_counts_are_told_by_a_detector() -> None:
    for case in examples("count", 6, seed=3):
        right, wrong = (detected(case.prompt, *shapes)["counts"].value for shapes in (case.right, case.wrong))
        assert right is not None
        assert wrong is not None
        assert right > wrong + 0.3


def test_things_of_one_noun_are_counted_by_their_attributes() -> None:
    shapes = [Drawn("red", "star", 0.2 + 0.3 * i, 0.25, 0.1) for i in range(2)]
    shapes += [Drawn("blue", "star", 0.2 + 0.3 * i, 0.75, 0.1) for i in range(3)]
    assert (detected("two red stars and three blue stars", *shapes)["counts"].value or 0.0) > 0.35
    assert (detected("three red stars and two blue stars", *shapes)["counts"].value or 1.0) < 0.3


@pytest.mark.parametrize(
    ("prompt", "column", "reason"),
    [
        ("a cat", "coherence", NOTHING),
        ("abstract swirling colours, dreamy", "attributes", NOTHING),
        ("a cat and a dog", "relations", "not applicable: the prompt relates no two objects that can be told apart"),
        ("a cat behind a dog", "relations", "a flat picture does not show the relations of the prompt"),
        ("a cat in a box", "relations", "crops do not show the relations of the prompt; a detector may"),
        ("three cats", "coherence", "crops cannot be counted; a detector can"),
        ("a red cat", "objects", "not applicable: the prompt names fewer than two objects"),
        (
            "a cat to the left of a dog",
            "attributes",
            "not applicable: the prompt gives no object an attribute that can be compared",
        ),
    ],
)
def test_what_the_prompt_does_not_say_is_unscored_with_the_reason(prompt: str, column: str, reason: str) -> None:
    score = seeing().score([item(prompt, RED_SQUARE)])[0][column]
    assert score.value is None
    assert (score.reason or "").startswith(reason)


def test_two_things_of_the_same_name_have_no_order() -> None:
    score = seeing().score([item("a cat to the left of a cat", RED_SQUARE)])[0]["relations"]
    assert score.value is None


# The scorer over the embedding


def test_grid_is_a_head_of_the_embedding_and_a_detector_is_not(tmp_path: Any) -> None:
    assert isinstance(create_scorer("spatial"), Head)
    assert create_scorer("spatial").view is View.GRID  # type: ignore[attr-defined]
    detector = create_scorer("spatial", {"grounding": "owlv2", "model_path": str(tmp_path)})
    assert not isinstance(detector, Head)
    assert {column.name for column in detector.columns} == {*(c.name for c in GridSpatial.columns), "counts"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"grounding": "crops"}, "grounding must be grid or owlv2, got 'crops'"),
        ({"model_path": "x"}, "set grounding = 'owlv2' as well"),
        ({"grounding": "owlv2", "model": "ViT-B-32"}, "model is a setting of grounding = 'grid'"),
    ],
)
def test_settings_that_do_not_belong_together_are_refused(settings: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        create_scorer("spatial", settings)


def test_english_backbone_leaves_a_chinese_prompt_unscored_and_takes_its_translation(tmp_path: Any) -> None:
    settings, prompt = tiny_clip(tmp_path, 16), "红色的正方形在蓝色的圆形的左边"
    scorer = spatial()
    assert isinstance(scorer, GridSpatial)
    scorer.meet(contest_with(settings))
    assert "another language" in (scorer.score([item(prompt, RED_SQUARE)])[0]["coherence"].reason or "")
    scorer.meet(contest_with(settings, **{prompt: PROMPT}))
    translated = scorer.score([item(prompt, RED_SQUARE, BLUE_CIRCLE)])[0]
    scorer.meet(contest_with(settings))
    assert translated == scorer.score([item(PROMPT, RED_SQUARE, BLUE_CIRCLE)])[0]


def red_left_of_blue(square: str, circle: str) -> Scene:
    """The scene of PROMPT in other words, with its English."""
    things = [
        Thing(noun, (Attribute("colour", word, english),), None, f"{word}的{noun}", f"a {english} {known}", known)
        for noun, word, english, known in ((square, "红色", "red", "square"), (circle, "蓝色", "blue", "circle"))
    ]
    return Scene(tuple(things), (Relation(0, "left", 1),), "zh")


def with_reading(one: Item, reading: Reading) -> Item:
    return Item(replace(one.inputs, reading=reading), one.picture)


def test_the_english_of_a_reading_serves_an_english_backbone_without_a_translation(tmp_path: Any) -> None:
    scorer = spatial()
    scorer.meet(contest_with(tiny_clip(tmp_path, 16)))
    chinese = item("红方块在蓝圆片左侧", RED_SQUARE, BLUE_CIRCLE)
    read = with_reading(chinese, Reading("m", red_left_of_blue("方块", "圆片")))
    expected = scorer.score([item(PROMPT, RED_SQUARE, BLUE_CIRCLE)])[0]
    assert scorer.score([read])[0] == expected
    nothing, empty = (Reading("m", scene, unread="one claim") for scene in (None, Scene((), (), "zh")))
    unread = scorer.score([with_reading(chinese, nothing), with_reading(chinese, empty)])
    assert [found["coherence"].reason for found in unread] == ["not read: one claim", NOTHING]


def test_grid_scorer_keeps_the_contract(tmp_path: Any) -> None:
    scorer = GridSpatial()
    scorer.meet(contest_with(tiny_clip(tmp_path, 16)))
    check_scorer(
        scorer, [item(PROMPT, RED_SQUARE, BLUE_CIRCLE), item("two red stars", BLUE_CIRCLE), item("a cat")], 0.01
    )


def test_detector_that_is_not_here_says_how_to_get_it(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BESTSHOT_WEIGHTS", str(tmp_path))
    with pytest.raises(MissingPart, match="bestshot weights fetch owlv2"):
        DetectorSpatial().check()


# The stub itself


def test_stub_reads_every_shape_that_is_drawn() -> None:
    for shape, colour in itertools.product(SHAPES, ("red", "black", "purple")):
        (patch,) = patches(render([Drawn(colour, shape, 0.5, 0.5, 0.14)], 0))
        assert (patch.colour, patch.shape) == (colour, shape)


def test_stub_is_blind_to_relations() -> None:
    one, other = (said(f"a red square {r} a blue circle") for r in ("to the left of", "below"))
    assert one == other == said("a blue square and a red circle")
