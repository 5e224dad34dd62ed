"""Replies are read strictly: exactly the wanted numbers, or a reason; nothing is ever made up."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selector.llm._answers import Answer, answer_in
from selector.llm._endpoint import Usage
from selector.llm._replies import EMPTY, REFUSED, SCORED, UNREADABLE, read_answer, read_reply
from selector.llm._tokens import after_thinking
from tests.servers import chat_kinds as kinds

PARTS = ("edit_success", "minimal_over_editing")
RIGHT = '{"edit_success": 7, "minimal_over_editing": 8.5}'


@pytest.mark.parametrize(
    "text",
    [
        RIGHT,
        f"\n  {RIGHT}\n",
        f"\ufeff{RIGHT}",
        f"```json\n{RIGHT}\n```",
        f"```\n{RIGHT}\n```",
        f"``` {RIGHT} ```",
        f'<think>perhaps {{"edit_success": 10}}?</think>{RIGHT}',
        f"<think>a</think>\n<think>b</think>\n```json\n{RIGHT}\n```",
        f"so I would say 10.\n</think>\n{RIGHT}",
        '{"minimal_over_editing": 8.5, "edit_success": 7.0}',
        '{"edit_success": 70e-1, "minimal_over_editing": 8.50}',
    ],
)
def test_one_object_with_the_wanted_keys_is_read(text: str) -> None:
    assert read_reply(text, PARTS).scores == {"edit_success": 7.0, "minimal_over_editing": 8.5}


def test_both_ends_of_the_range_are_inside() -> None:
    assert read_reply('{"a": 0, "b": 10}', ("a", "b")).scores == {"a": 0.0, "b": 10.0}
    assert str(read_reply('{"a": -0.0}', ("a",)).scores["a"]) == "0.0"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "the reply is empty"),
        ("", "the reply is empty"),
        (" \n", "the reply is empty"),
        ("<think>I wonder", "the reply is empty"),
        ("7/10", "the reply is no JSON object"),
        ("[7]", "the reply is no JSON object"),
        ("[7.5, 8]", "the reply is no JSON object"),
        ("8", "the reply is no JSON object"),
        ("{'edit_success': 7, 'minimal_over_editing': 8}", "the reply is no JSON object"),
        ('{"edit_success": 7/10, "minimal_over_editing": 8}', "the reply is no JSON object"),
        ('{"edit_success": 7, "minimal_over', "the reply was cut off (raise max_tokens)"),
        ('{"edit_success": 7,', "the reply was cut off (raise max_tokens)"),
        (f"{RIGHT} {RIGHT}", "there is text beside the JSON object"),
        (f"My scores: {RIGHT}", "there is text beside the JSON object"),
        (f"{RIGHT} I was generous.", "there is text beside the JSON object"),
        (f"```json\n{RIGHT}\n```\n```json\n{RIGHT}\n```", "there is text beside the JSON object"),
        ('{"edit_success": 7}', "the reply has other sub-scores than those asked for"),
        ('{"score": [7, 8]}', "the reply has other sub-scores than those asked for"),
        (RIGHT[:-1] + ', "bonus": 10}', "the reply has other sub-scores than those asked for"),
        ("{}", "the reply has other sub-scores than those asked for"),
        ('{"edit_success": "7", "minimal_over_editing": 8}', "a sub-score is no number"),
        ('{"edit_success": "7/10", "minimal_over_editing": 8}', "a sub-score is no number"),
        ('{"edit_success": true, "minimal_over_editing": 8}', "a sub-score is no number"),
        ('{"edit_success": null, "minimal_over_editing": 8}', "a sub-score is no number"),
        ('{"edit_success": [7], "minimal_over_editing": 8}', "a sub-score is no number"),
        ('{"edit_success": NaN, "minimal_over_editing": 8}', "a sub-score is not finite"),
        ('{"edit_success": 1e999, "minimal_over_editing": 8}', "a sub-score is not finite"),
        ('{"edit_success": 25, "minimal_over_editing": 8}', "a sub-score is outside 0 to 10"),
        ('{"edit_success": -1, "minimal_over_editing": 8}', "a sub-score is outside 0 to 10"),
        (f'{{"edit_success": 1{"0" * 400}, "minimal_over_editing": 8}}', "a sub-score is outside 0 to 10"),
        (RIGHT[:-1] + ', "edit_success": 10}', "a sub-score stands twice in the reply"),
        ("{" * 100_000 + "}", "the reply is no JSON object"),
    ],
)
def test_anything_else_is_unreadable_with_its_reason(text: str | None, reason: str) -> None:
    reading = read_reply(text, PARTS)
    assert (reading.outcome, reading.reason, reading.scores) == (UNREADABLE, reason, {})


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I’m sorry, these look like photographs rather than AI-generated images.",
        "I cannot rate pictures of real people.",
        "I am unable to evaluate these.",
        "<think>Is it allowed?</think>We must decline.",
        "That goes against our guidelines.",
        "I will not be able to help with identifying people.",
        "I can't identify real people in images.",
        "I must respectfully decline.",
        '{"error": "I can\'t assist with this request."}',
        "抱歉，我无法评价这张图片。",
        "对不起，这个问题我不能回答。",
        "我们换个话题吧",
        "As an AI, I don't provide opinions about people.",
        "As a large language model I am unable to see who this is.",
        "I do not rate faces.",
        "I won't be providing a score here.",
        "作为AI语言模型，我无法给出分数。",
        "我不能对真人照片打分。",
    ],
)
def test_refusals_are_recognised(text: str) -> None:
    assert read_reply(text, PARTS).outcome == REFUSED


def test_the_servers_own_word_for_a_refusal_counts_whatever_the_text_is() -> None:
    assert read_reply(RIGHT, PARTS, refusal="no").outcome == REFUSED
    assert read_reply(RIGHT, PARTS, finish_reason="content_filter").outcome == REFUSED


@pytest.mark.parametrize(
    "text",
    [
        "The sign cannot be read: 3/10.",
        "edit_success: 4, sorry state",
        "图中文字无法辨认",
        "I can't see any flaws.",
        "I cannot find faults in it.",
        "I am unable to make out the letters on the sign.",
        "We cannot help but notice the sixth finger.",
        "I won't take off points for the blur.",
        "I don't see any artefacts.",
        "As an AI picture it is good.",
    ],
)
def test_words_about_the_picture_are_no_refusal(text: str) -> None:
    assert read_reply(text, PARTS).outcome == UNREADABLE


@pytest.mark.parametrize(
    "text",
    [
        f"I cannot find faults. {RIGHT}",
        f"I'm sorry, but the hands are bad. {RIGHT}",
        f"I cannot judge the letters well. ```json\n{RIGHT}\n```",
        f"I can't rate this higher. {RIGHT[:20]}",
        '{"why": "I\'m sorry, the hands are bad", "edit_success": 7}',
    ],
)
def test_who_gives_numbers_did_not_refuse(text: str) -> None:
    assert read_reply(text, PARTS).outcome == UNREADABLE


def test_thinking_of_refusing_is_no_refusal() -> None:
    assert read_reply(f"<think>I cannot see it well. I'm sorry.</think>{RIGHT}", PARTS).outcome == SCORED


def test_a_cut_answer_says_what_to_raise() -> None:
    assert "max_tokens" in str(read_reply("I think that the", PARTS, finish_reason="length").reason)


@given(st.text())
def test_no_text_gives_a_number_that_it_does_not_hold(text: str) -> None:
    reading = read_reply(text, PARTS)
    assert (reading.outcome == SCORED) == bool(reading.scores)
    assert reading.outcome == SCORED or reading.reason


_PIECES = ("{", "}", '"', ",", "7", "10", "<think>", "</think>", "◁/think▷", "```", "<answer>", "</answer>", "[/THINK]",
           "<|end_of_box|>", "<|begin_of_box|>", "<|im_end|>", " or ", RIGHT)  # fmt: skip


@given(st.integers(0, len(RIGHT)), st.integers(0, 12), st.lists(st.sampled_from(_PIECES), max_size=4), st.booleans())
def test_no_change_of_a_reply_gives_a_number_that_no_object_in_it_holds(
    at: int, cut: int, put_in: list[str], thought: bool
) -> None:
    text = RIGHT[:at] + "".join(put_in) + RIGHT[at + cut :]
    answer = Answer(None, "stop", reasoning=f"so: {text}") if thought else Answer(text, "stop")
    reading = read_answer(answer, PARTS)
    assert (reading.outcome == SCORED) == bool(reading.scores)
    if reading.scores:
        assert any(reading.scores == held for held in _objects(text)), text


def _objects(text: str) -> list[object]:
    found = []
    for place, character in enumerate(text):
        if character == "{":
            with contextlib.suppress(ValueError):
                found.append(json.JSONDecoder().raw_decode(text[place:])[0])
    return found


@given(st.dictionaries(st.sampled_from([*PARTS, "other"]), st.one_of(st.integers(), st.floats(), st.booleans())))
def test_scored_means_exactly_the_wanted_numbers_in_range(values: dict[str, float]) -> None:
    reading = read_reply(json.dumps(values), PARTS)
    right = set(values) == set(PARTS) and all(type(v) in (int, float) and 0 <= v <= 10 for v in values.values())
    assert (reading.outcome == SCORED) == right
    if right:
        assert reading.scores == values


@pytest.mark.parametrize("kind", kinds.FINE)
def test_what_servers_of_today_send_is_read(kind: str) -> None:
    message = kinds.FINE[kind](RIGHT)
    answer = answer_in({"choices": [{"message": message, "finish_reason": "stop"}]})
    assert answer is not None and read_answer(answer, PARTS).scores == {
        "edit_success": 7.0,
        "minimal_over_editing": 8.5,
    }


@pytest.mark.parametrize("kind", kinds.UNREADABLE)
def test_what_could_mean_two_things_is_not_read(kind: str) -> None:
    message, reason = kinds.UNREADABLE[kind][0](RIGHT), kinds.UNREADABLE[kind][1]
    answer = answer_in({"choices": [{"message": message}]})
    assert answer is not None
    assert (read_answer(answer, PARTS).outcome, read_answer(answer, PARTS).reason) == (UNREADABLE, reason)


SEVEN = '{"quality": 7}'
DONE = "The edges are clean."


@pytest.mark.parametrize(
    "thought",
    [SEVEN, f"{DONE} {SEVEN}", f"{DONE}\n{SEVEN}", f"a smooth sky\n\n{SEVEN}", f"{DONE}\n```json\n{SEVEN}\n```",
     f"天空很干净。{SEVEN}", f"{DONE} Final answer: {SEVEN}", f"{DONE}\n最终评分：{SEVEN}"],
)  # fmt: skip
def test_the_object_that_ends_the_thinking_counts_where_nothing_else_came(thought: str) -> None:
    for content in (None, "", " \n"):
        assert read_answer(Answer(content, "stop", reasoning=thought), ("quality",)).scores == {"quality": 7.0}


@pytest.mark.parametrize(
    "thought",
    [
        f"The user wants e.g. {SEVEN}",
        f"I first thought {SEVEN}",
        f"So a reply could be: {SEVEN}",
        f"It is to be in this format:\n{SEVEN}",
        f"Expected output:\n\n{SEVEN}",
        f"An example follows.\n```json\n{SEVEN}\n```",
        f"{DONE} Perhaps this one. {SEVEN}",
        f"quality: 5. {DONE} {SEVEN}",
        f"I would give it 6 out of 10. {DONE} {SEVEN}",
        f"{DONE} so {SEVEN}",
        f"A placeholder comes next. {SEVEN}",
        f"Not sure. {SEVEN}",
        f"格式如下。\n{SEVEN}",
        f"可能是这样。{SEVEN}",
        f"先打个分。{SEVEN}",
    ],
)
def test_a_draft_at_the_end_of_the_thinking_is_no_answer(thought: str) -> None:
    assert read_answer(Answer(None, "stop", reasoning=thought), ("quality",)).outcome == UNREADABLE


def called(arguments: str, content: str | None) -> Answer:
    call = {"type": "function", "function": {"name": "score", "arguments": arguments}}
    answer = answer_in({"choices": [{"message": {"content": content, "tool_calls": [call]}}]})
    assert answer is not None
    return answer


def test_of_two_objects_that_differ_none_is_taken() -> None:
    two, seven = '{"quality": 2}', SEVEN
    for text in (
        f"{two} <answer>{seven}</answer>",
        f"{two}<think>hm</think>{seven}",
        f"{two} <|begin_of_box|>{seven}<|end_of_box|>",
    ):
        assert read_reply(text, ("quality",)).outcome == UNREADABLE, text
    assert read_answer(called(two, seven), ("quality",)).outcome == UNREADABLE
    assert read_answer(called(two, f"```json\n{seven}\n```"), ("quality",)).outcome == UNREADABLE
    assert read_answer(called('{"quality":7.0}', seven), ("quality",)).scores == {"quality": 7.0}


@pytest.mark.parametrize(
    "text",
    [
        f"{SEVEN}<|im_end|>\n<|im_start|>user\nand now? {{}}<|im_end|>",
        f"{SEVEN}<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n<think>no</think>{{}}",
        f"{SEVEN}</s>[INST] more [/INST]",
        f"\u200b{SEVEN}\u200b",
        f"<|START_THINKING|>hm<|END_THINKING|><|START_RESPONSE|>{SEVEN}<|END_RESPONSE|>",
        f"<|START_RESPONSE|>{SEVEN}",
        f"The sky is fine. <|begin_of_solution|>{SEVEN}<|end_of_solution|>",
        f"<final>{SEVEN}</final>",
        f"<|begin_of_text|>{SEVEN}<|end_of_text|>",
    ],
)
def test_marks_at_both_ends_are_no_part_of_an_answer(text: str) -> None:
    assert read_reply(text, ("quality",)).scores == {"quality": 7.0}


def test_who_grades_in_words_is_unreadable_and_did_not_refuse() -> None:
    for text in ("I won't judge harshly: 9", "We cannot rate the sky higher than this", "I cannot rate it above 6",
                 "I can't score this image better", "I will not grade it 9/10"):  # fmt: skip
        assert read_reply(text, PARTS).outcome == UNREADABLE, text
    for text in ("I cannot rate the 2 people in it.", "I can't help you any more.", "We will not judge persons. Sorry"):
        assert read_reply(text, PARTS).outcome == REFUSED, text


def test_thinking_that_was_cut_holds_no_answer() -> None:
    assert "cut off" in str(read_answer(Answer(None, "length", reasoning=f"so: {RIGHT}"), PARTS).reason)
    assert "cut off" in str(read_answer(Answer("", "max_tokens"), PARTS).reason)


@pytest.mark.parametrize(
    "body", [None, {}, {"choices": None}, {"choices": []}, {"choices": [{"finish_reason": "error"}]}]
)
def test_a_reply_without_an_answer_is_none(body: object) -> None:
    assert answer_in(body) is None


@pytest.mark.parametrize("choices", [None, [], [{"finish_reason": "error", "message": {"content": "{"}}]])
def test_a_reply_without_an_answer_that_was_counted_is_an_empty_one_because_it_is_paid(choices: object) -> None:
    answer = answer_in({"choices": choices, "usage": {"prompt_tokens": 900, "completion_tokens": 0}})
    assert answer is not None and answer.usage == Usage(900, 0)
    assert read_answer(answer, PARTS).reason == EMPTY


@pytest.mark.parametrize("text", ["</s>" * 50_000, " " * 200_000 + "x", "<|im_end|>" * 3, "<think>" * 50_000])
def test_marks_without_end_cost_no_time(text: str) -> None:
    assert len(after_thinking(text)) <= len(text)
