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
