"""What a model claims about a task is checked against its words; what they do not bear out is never claimed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selector.domain import TaskType
from selector.domain.reading import Reading
from selector.llm._answers import Answer
from selector.llm._reading_orders import EXAMPLES, READ_TYPES, SCHEMAS, order_for
from selector.llm._reading_replies import read_task_reply
from selector.llm._replies import NOTHING_LEFT, REFUSED, UNREADABLE, WRITTEN, WRONG_FORM

PROMPT = "A row of three knives beside a car, a board says ‘FRESH FISH’"
KNIVES = {"words": "knives", "english": "knife", "count": 3, "count_words": "three", "attributes": []}
CAR = {"words": "car", "english": "car", "count": None, "count_words": "", "attributes": []}
BESIDE = {"subject": 0, "kind": "beside", "object": 1, "words": "beside"}
SIGN = "把木牌上的“早市”换成“夜市”"


def scene(*things: Any, relations: Any = (), texts: Any = ()) -> dict[str, Any]:
    return {"things": list(things), "relations": list(relations), "texts": list(texts)}


def edit(action: str, old: str | None, new: str | None, place: Any = None) -> dict[str, Any]:
    return {"text": {"action": action, "old": old, "new": new, "place": place}}


def where(words: str, of: str, side: str | None) -> dict[str, Any]:
    return {"words": words, "of": of, "is_text": False, "side": side, "spot": None}


def read(said: Any, prompt: str = PROMPT, kind: TaskType = TaskType.T2I) -> Reading | str:
    """The reading, or why there is none."""
    text = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
    reply = read_task_reply(kind, prompt, "m", Answer(text, "stop"))
    return Reading.from_json(json.loads(reply.text)) if reply.text else reply.reason or reply.outcome


def test_claims_that_stand_in_the_prompt_are_kept() -> None:
    found = read(scene(KNIVES, CAR, relations=[BESIDE], texts=["FRESH FISH"]))
    assert isinstance(found, Reading) and found.scene
    assert [(t.noun, t.count, t.phrase) for t in found.scene.objects] == [
        ("knife", 3, "a knife"),
        ("car", None, "a car"),
    ]
    assert (found.scene.relations[0].kind, found.texts, found.unread) == ("beside", ("FRESH FISH",), "")


@pytest.mark.parametrize(
    ("words", "english", "noun"),
    [("mice", "mouse", "mouse"), ("people", "person", "person"), ("mice", "cat", "mice")],
)
def test_a_noun_is_in_the_singular_if_that_is_one_of_its_words(words: str, english: str, noun: str) -> None:
    thing = {**KNIVES, "words": words, "english": english, "count": None, "count_words": ""}
    found = read(scene(thing), f"some {words}")
    assert isinstance(found, Reading) and found.scene and found.scene.objects[0].noun == noun


@pytest.mark.parametrize(
    ("claims", "fault"),
    [
        (scene(CAR, {**KNIVES, "words": "forks"}), "'forks' does not stand in the prompt"),
        (scene(CAR, {**KNIVES, "words": "ish"}), "'ish' does not stand"),  # no whole word
        (scene(CAR, {**KNIVES, "count_words": "four"}), "'four' does not stand"),
        (scene(CAR, {**CAR, "attributes": [{"kind": "colour", "words": "red", "english": "red"}]}), "'red' does not"),
        (scene(CAR, texts=["FRESH  FISH"]), "letter by letter"),
        (scene(CAR, texts=["fresh fish"]), "letter by letter"),
        (scene(CAR, texts=["‘FRESH FISH’"]), "are no part of the text"),
        (scene(CAR, relations=[{**BESIDE, "object": 4}]), "are no two things"),
        (scene(CAR, relations=[{**BESIDE, "object": 0}]), "are no two things"),
        (scene(KNIVES, CAR, relations=[{**BESIDE, "words": "under"}]), "'under' does not stand"),
        (scene({**KNIVES, "words": "forks"}, CAR, relations=[BESIDE]), "are no two things"),
    ],
)
def test_a_claim_that_the_prompt_does_not_bear_out_is_dropped_with_the_reason(claims: Any, fault: str) -> None:
    found = read(claims)
    assert isinstance(found, Reading) and found.scene
    assert fault in found.unread
    assert "car" in [thing.noun for thing in found.scene.objects]
    assert not found.texts and not found.scene.relations
    assert not any(thing.attributes for thing in found.scene.objects)


def thing(words: str, count: int | None = None, count_words: str = "", *colours: str) -> dict[str, Any]:
    told = [{"kind": "colour", "words": colour, "english": "red"} for colour in colours]
    english = words.split()[-1] if words.isascii() else "cat"
    return {"words": words, "english": english, "count": count, "count_words": count_words, "attributes": told}


@pytest.mark.parametrize(
    ("prompt", "words", "count", "is_right"),
    [
        ("two cats", "two", 2, True), ("two cats", "two", 5, False), ("a cat", "a", 3, False), ("a cat", "a", 1, True),
        ("a pair of cats", "a pair of", 2, True), ("two dozen cats", "two dozen", 24, True),
        ("twenty-one cats", "twenty-one", 21, True), ("several cats", "several", 3, False),
        ("7 cats", "7", 7, True), ("7 cats", "7", 8, False), ("a few cats", "a few", 3, False),
        ("一只猫", "一只", 3, False), ("两只猫", "两只", 2, True), ("十二只猫", "十二只", 12, True),
        ("二十三只猫", "二十三只", 23, True), ("一对猫", "一对", 2, True), ("几只猫", "几只", 3, False),
        ("十几只猫", "十几只", 10, False), ("３只猫", "３只", 3, True),
    ],
)  # fmt: skip
def test_a_count_is_the_number_that_its_words_hold(prompt: str, words: str, count: int, is_right: bool) -> None:
    found = read(scene(thing("猫" if "猫" in prompt else prompt.split()[-1], count, words)), prompt)
    assert isinstance(found, Reading) and found.scene
    assert (found.scene.objects[0].count, f"'{words}' is not {count}" in found.unread) == (
        (count, False) if is_right else (None, True)
    )


@pytest.mark.parametrize(
    ("prompt", "first", "second", "colour", "of"),
    [
        ("a red cat and a blue dog", "cat", "dog", "blue", "dog"),
        ("a red cat and a blue dog", "cat", "dog", "red", "cat"),
        ("a red cat beside a blue dog", "cat", "dog", "blue", "dog"),
        ("a cat wearing a red hat", "cat", "hat", "red", "hat"),
        ("The cat is red, the dog sleeps", "cat", "dog", "red", "cat"),
        ("a dog and a black and white cat", "dog", "cat", "black", "cat"),
        ("a dog and a black and white cat", "dog", "cat", "white", "cat"),
        ("a cat that is black and white", "cat", "cat", "white", "cat"),
        ("红色的猫和蓝色的狗", "猫", "狗", "蓝色", "狗"),
        ("猫是红色的，狗在睡", "猫", "狗", "红色", "猫"),
        ("一只戴着红帽子的猫", "帽子", "猫", "红", "帽子"),
    ],
)
def test_an_attribute_belongs_to_the_thing_that_it_is_said_of(
    prompt: str, first: str, second: str, colour: str, of: str
) -> None:
    found = read(scene(*(thing(one, None, "", colour) for one in dict.fromkeys((first, second)))), prompt)
    assert isinstance(found, Reading) and found.scene
    assert [thing.noun for thing in found.scene.objects if thing.attributes] == [of]
    assert (f"'{colour}' is not said of" in found.unread) == (first != second)


def test_ends_of_relations_follow_their_things_when_others_are_dropped() -> None:
    forks = {**KNIVES, "words": "forks"}
    found = read(scene(forks, KNIVES, CAR, relations=[{**BESIDE, "subject": 1, "object": 2}]))
    assert isinstance(found, Reading) and found.scene
    assert [(r.subject, r.object) for r in found.scene.relations] == [(0, 1)]


@pytest.mark.parametrize(
    "said",
    [
        {"things": []},
        {**scene(CAR), "more": 1},
        scene({**CAR, "count": 0}),
        scene({**CAR, "count": 2.5}),
        scene({**CAR, "count": True}),
        scene(CAR, relations=[{**BESIDE, "kind": "near"}]),
        scene({**CAR, "attributes": [{"kind": "mood", "words": "car", "english": "car"}]}),
        scene("car"),
    ],
)
def test_another_form_is_unreadable(said: Any) -> None:
    assert read(said) == WRONG_FORM


def test_where_nothing_is_left_the_answer_is_unreadable_and_where_nothing_is_claimed_it_is_not() -> None:
    assert read(scene({**KNIVES, "words": "forks"})) == NOTHING_LEFT
    nothing = read(scene())
    assert isinstance(nothing, Reading) and nothing.scene and not nothing.scene.objects
    assert read({"text": None}, SIGN, TaskType.VTTIE) == WRITTEN, "left to the rules"


@pytest.mark.parametrize(
    ("said", "is_read"),
    [
        (edit("replace", "早市", "夜市"), True),
        (edit("replace", None, "夜市"), True),
        (edit("replace", "早市", "早市"), False),
        (edit("replace", "早市", None), False),
        (edit("replace", "早 市", "夜市"), False),
        (edit("delete", "早市", "夜市"), False),
        (edit("delete", "早市", None), True),
        (edit("add", "早市", "夜市"), False),
        (edit("replace", "“早市”", "夜市"), False),
        (edit("replace", "早市", "晚市"), False),
        (edit("replace", "早市", "夜市", where("木牌上", "木牌", "on")), True),
        (edit("replace", "早市", "夜市", where("墙上", "墙", "on")), False),
        (edit("replace", "早市", "夜市", where("木牌上", "木牌", None)), True),
        (edit("replace", "早市", "夜市", where("木牌上", "", None)), True),
        (edit("replace", "早市", "夜市", where("木牌上", "", "on")), False),
    ],
)  # fmt: skip
def test_a_text_edit_is_read_whole_or_not_at_all(said: Any, is_read: bool) -> None:
    found = read(said, SIGN, TaskType.VTTIE)
    assert isinstance(found, Reading) is is_read


def test_captions_that_do_not_differ_or_speak_another_language_are_dropped() -> None:
    said = dict(EXAMPLES[TaskType.TIE]["把窗台上的花瓶去掉"])
    prompt = "把窗台上的花瓶去掉"
    for wrong in ({"after": said["before"]}, {"before": "a vase", "after": "a sill"}, {"before": "花" * 400}):
        found = read({**said, **wrong}, prompt, TaskType.TIE)
        assert isinstance(found, Reading) and found.edit and found.edit.change is None
        assert "captions" in found.unread
    found = read({**said, "after_english": "空"}, prompt, TaskType.TIE)
    assert isinstance(found, Reading) and found.edit and found.edit.change and found.edit.change.in_english is None


def test_a_refusal_is_one() -> None:
    assert read("I'm sorry, but I can't help with that.") == REFUSED
    reply = read_task_reply(TaskType.T2I, PROMPT, "m", Answer("the car is beside", "stop"))
    assert reply.outcome == UNREADABLE


@pytest.mark.parametrize("kind", READ_TYPES)
def test_examples_are_read_as_they_are_told(kind: TaskType) -> None:
    for prompt, answer in EXAMPLES[kind].items():
        found = read(answer, prompt, kind)
        assert not isinstance(found, Reading) or not found.unread
        assert prompt in order_for(kind)
    assert SCHEMAS[kind]["required"] == list(SCHEMAS[kind]["properties"])


@given(st.text(max_size=200), st.sampled_from(READ_TYPES))
def test_nothing_that_comes_raises_or_becomes_a_reading_by_chance(text: str, kind: TaskType) -> None:
    assert not isinstance(read(text, PROMPT, kind), Reading)
