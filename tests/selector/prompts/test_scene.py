"""What the parser of scenes takes from a prompt. The prompts are those of ``experiments.support.scene_prompts``."""

from __future__ import annotations

import subprocess
import sys

import pytest

from experiments.support.scene_prompts import HELD_OUT, TUNED, Case, expected, reading, understood
from selector.prompts.scene import parse_scene


@pytest.mark.parametrize("case", TUNED, ids=lambda case: case.prompt[:50])
def test_prompt_is_read_as_a_reader_would(case: Case) -> None:
    assert understood(parse_scene(case.prompt)) == expected(case)


def test_prompts_that_no_rule_was_written_for_are_read_with_few_wrong_claims() -> None:
    held_out = reading(HELD_OUT)
    assert held_out.prompts == 20
    assert held_out.things_precision >= 0.8
    assert held_out.relations_precision >= 0.8


@pytest.mark.parametrize(
    ("prompt", "phrases"),
    [
        ("an orange cube and two red boxes", ["an orange cube", "a red box"]),
        ("red flowers under a small green tree", ["red flowers", "a small green tree"]),
        ("一只小白猫和两个圆形的木箱子", ["小白色的猫", "圆形的木箱子"]),
    ],
)
def test_phrase_is_worded_in_the_language_of_the_prompt(prompt: str, phrases: list[str]) -> None:
    assert [thing.phrase for thing in parse_scene(prompt).objects] == phrases


ODD = (
    *(
        "",
        "   ",
        ",,,;;",
        "1girl, (((masterpiece)))",
        "<lora:x:1>",
        "的的的",
        "在在左边左边",
        "a a a the of of",
        "左边",
    ),
    *("is is and and", "'", "“", "a" * 5000, "一" * 3000, "红" * 500, "a cat on " * 300, "\x00\ud800 a red cube"),
    *("and it is red", "its left", "on the left", "两只", "no", "with with it on it", "to the left of", "is painted"),
    *("🙂 a cat 🙂", "and", "two"),
)


@pytest.mark.parametrize("prompt", ODD)
def test_no_text_breaks_the_parser(prompt: str) -> None:
    scene = parse_scene(prompt)
    for relation in scene.relations:
        assert relation.subject != relation.object
        assert max(relation.subject, relation.object) < len(scene.objects)


def test_contradicting_relations_are_not_claimed() -> None:
    assert parse_scene("a cat to the left of a dog. The cat is to the right of the dog").relations == ()


def test_ambiguous_reference_claims_nothing() -> None:
    scene = parse_scene("a red cube and a blue cube. The cube is on a table")
    assert not [relation for relation in scene.relations if relation.subject < 2]


def counts(prompt: str) -> dict[str, int | None]:
    return {thing.noun: thing.count for thing in parse_scene(prompt).objects}


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a 3 year old girl holding two balloons", {"girl": None, "balloon": 2}),
        ("a 3-year-old girl and a dog", {"girl": None, "dog": None}),
        ("two 5 year old boys", {"boy": 2}),
        ("a twenty-five year old man", {"man": None}),
        ("a two hundred year old house", {"house": None}),
        ("a girl who is 3 years old holding a ball", {"girl": None, "ball": None}),
        ("三岁的女孩拿着两个气球", {"女孩": None, "气球": 2}),
        ("一个三岁的小女孩", {"女孩": None}),
        ("3岁的男孩和一只狗", {"男孩": None, "狗": None}),
    ],
)
def test_age_is_neither_a_count_nor_an_attribute(prompt: str, expected: dict[str, int | None]) -> None:
    assert counts(prompt) == expected
    assert not [a for thing in parse_scene(prompt).objects for a in thing.attributes if a.kind == "age"]


@pytest.mark.parametrize(
    ("prompt", "noun"),
    [
        ("Five hundred people", "person"),
        ("one hundred balloons", "balloon"),
        ("a hundred red balloons", "balloon"),
        ("a hundred and one dalmatians", "dalmatian"),
        ("three thousand and two birds", "bird"),
        ("hundreds of birds", "bird"),
        ("tens of thousands of birds", "bird"),
        ("two dozen eggs", "egg"),
        ("1000 birds", "bird"),
        ("two or three cats", "cat"),
        ("at least three cats", "cat"),
        ("a photo of over 20 people", "person"),
        ("六十只羊", "羊"),
        ("99个气球", "气球"),
        ("四五十个人", "人"),
        ("an 8 seater", "seater"),
        ("一百只鸟", "鸟"),
        ("五百个人", "人"),
        ("五百人", "人"),
        ("上百条鱼", "鱼"),
        ("几十只羊", "羊"),
        ("十几个苹果", "苹果"),
        ("三十多只鸭子", "鸭子"),
        ("一千零一只鸟", "鸟"),
        ("120只狗", "狗"),
        ("两三个人", "人"),
    ],
)
def test_number_that_is_large_or_not_exact_is_no_count_and_no_part_of_the_noun(prompt: str, noun: str) -> None:
    assert counts(prompt) == {noun: None}


@pytest.mark.parametrize(
    ("prompt", "count"),
    [
        ("twenty-four candles", 24),
        ("half a dozen eggs", 6),
        ("thirty birds", 30),
        ("二十五只鸟", 25),
        ("五十只鸟", 50),
        ("20个苹果", 20),
    ],
)
def test_exact_number_up_to_fifty_is_a_count(prompt: str, count: int) -> None:
    assert list(counts(prompt).values()) == [count]


@pytest.mark.parametrize(
    ("prompt", "claimed"),
    [
        ("a cat under a table with a blue vase on it", [(0, "under", 1)]),
        ("a cat under a table with a dog to its left", [(0, "under", 1)]),
        ("a man holding a box with a ball on it", []),
        ("a box with a ball on it", [(1, "on", 0)]),
    ],
)
def test_pronoun_that_could_be_either_of_two_claims_nothing(prompt: str, claimed: list[tuple[int, str, int]]) -> None:
    assert [(r.subject, r.kind, r.object) for r in parse_scene(prompt).relations] == claimed


def test_words_in_quotes_are_no_objects() -> None:
    assert [thing.noun for thing in parse_scene('a cup with the words "red car" next to a plate').objects] == [
        "cup",
        "plate",
    ]


def test_same_prompt_gives_the_same_scene_in_another_process() -> None:
    code = "from selector.prompts.scene import parse_scene; print(parse_scene({!r}))"
    for prompt in ("A red cube left of two blue spheres", "两只白猫在桌子上"):
        done = subprocess.run(
            [sys.executable, "-c", code.format(prompt)], capture_output=True, text=True, check=True, encoding="utf-8"
        )
        assert done.stdout.strip() == str(parse_scene(prompt))
