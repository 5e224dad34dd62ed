"""No reader of words takes long over any text: 32 KB cost less than half a second, twice the length less than thrice.

Time is this process's, the least of some runs, so that a busy machine changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from itertools import count

import pytest

from generators._lettering.layout import split_text
from generators._metadata_formats import PARSERS
from selector.domain import Task, TaskInputs, TaskType
from selector.domain.words import did_you_mean
from selector.language import CHINESE, translated
from selector.language._wrapping import wrapped
from selector.llm._answers import Answer
from selector.llm._claim_words import hold_number, is_beside, plain
from selector.llm._replies import read_reply
from selector.llm._text_reading import read_prompt, read_translation
from selector.net.redact import clean
from selector.prompts.quotes import take_quotes, with_quotes, without_quotes
from selector.prompts.reading import reading_of
from selector.prompts.scene import read_scene
from selector.prompts.wording import cut, with_suffix
from selector.sight.text_match import best_window, similarity

LONG, SECONDS, TIMES = 32_768, 0.5, 3.0
_TOO_SHORT_SECONDS = 0.1  # to compare
_KEY = "sk-12345678abcdef"
UNITS = (
    "a red cube left of two blue spheres on a wooden table, and a small dog near the old tree. ", "a cube and a ball ",
    "lantern quiet river mountain ", "red big old wooden ", "a bowl of ", "and ", "a, ", "7 ", "1.5", "a-", "dogs' ",
    "红色的立方体在两个蓝色球体的左边，", "一只橘猫坐在窗台上和", "把A改成B，", "的", "猫", "a", "7", ",", "，", "、",
    '"', "'", "“", "“a”", "「『《‘", "'a ", "don't ", "`", "(", "()", "[a]", "{", "<a ", "<lora:a:1>", "a: ", "a; ",
    "change 'a' to 'b', ", "make it bluer, ", "keep the background unchanged, ", "please ",
    ". ", " ", "\n", "in the upper left corner of the ", "no not without ", "running ",
    "wooded ", "Steps: 1, Seed: 2\n", "ﷺ", "á̂̃", "🙂", "```", "<think>", '{"a":', "é",
)  # fmt: skip


def read_task(kind: TaskType, text: str) -> object:
    return reading_of(TaskInputs(Task("1", kind, text, None, None, 0)))


def answered(text: str) -> Answer:
    return Answer(text, "stop")


READERS: dict[str, Callable[[str], object]] = {
    **{f"task {kind.value}": partial(read_task, kind) for kind in TaskType},
    "scene": read_scene,
    "quotes": lambda text: with_quotes(*take_quotes(text)),
    "without quotes": without_quotes,
    "suffix of a scene": lambda text: with_suffix(text, TaskType.T2I, 800),
    "suffix of a text edit": lambda text: with_suffix(text, TaskType.VTTIE),
    "cut": lambda text: cut(text, 16_000),
    "rewritten": lambda text: read_prompt(text, "rewritten", "caption", answered(text)),
    "answer": lambda text: read_prompt("a cat", "rewritten", "caption", answered(text)),
    "translation": lambda text: read_translation(text, answered(text)),
    "judge": lambda text: read_reply(f"{text}</think>{text}", ["quality"]),
    "attribute": lambda text: is_beside(plain(text), plain(text[9:14]), "a", ["a", "cube", "red"]),
    "number": lambda text: hold_number(text, 3),
    "server": lambda text: clean(text, _KEY),
    "metadata": lambda text: [PARSERS[key]({key: text}) for key in ("parameters", "comment", "dream", "")],
    "settings": lambda text: PARSERS["parameters"]({"parameters": f"a cat\nSteps: 1, Seed: 2, {text}"}),
    "line": lambda text: translated(text, CHINESE),
    "wrapped": lambda text: wrapped(text, 80),
    "name": lambda text: did_you_mean(text, ["generate", "score", "review"]),
    "sign": lambda text: best_window("OPEN", text[:16_384]),
    "likeness": lambda text: similarity(text[:16_384], "OPEN late"),
    "lines": lambda text: split_text(text, [1, 1, 1]),
}
_numbers = count()


def seconds(read: Callable[[str], object], unit: str, length: int, runs: int) -> float:
    """The least time, each on a text that no cache knows."""
    times = []
    for _ in range(runs):
        text = f"{next(_numbers):08} " + (unit * (length // len(unit) + 1))[: length - 9]
        begun = time.thread_time()
        read(text)
        times.append(time.thread_time() - begun)
    return min(times)


@pytest.mark.parametrize("name", READERS)
def test_a_long_text_takes_time_in_proportion(name: str) -> None:
    read = READERS[name]
    for warm in ("a red cat, 'a' to 'b'", "一只红色的猫"):
        read(warm)
    for unit in UNITS:
        taken = seconds(read, unit, LONG, 1)
        if taken >= _TOO_SHORT_SECONDS:
            taken = min(taken, seconds(read, unit, LONG, 3))
            assert taken < SECONDS, (unit, taken)
        if taken >= _TOO_SHORT_SECONDS:
            half = seconds(read, unit, LONG // 2, 3)
            assert taken < TIMES * half, (unit, half, taken)


@pytest.mark.parametrize("length", [290, 590, 990, 1_990])
def test_texts_within_the_readers_own_bounds_take_no_longer(length: int) -> None:
    """A reader that gives up over a long text is slowest just before."""
    for kind in (TaskType.T2I, TaskType.TIE, TaskType.VTTIE):
        read = partial(read_task, kind)
        read("a red cat, 'a' to 'b'")
        read("一只红色的猫")
        for unit in UNITS:
            if seconds(read, unit, length, 1) >= SECONDS:
                assert seconds(read, unit, length, 3) < SECONDS, unit


def test_a_prompt_that_quotes_a_novel_says_that_its_texts_are_not_read() -> None:
    for prompt in ("a sign, " + "“a” " * 101, f"a page that says “{'a' * 2_001}”"):
        reading = read_task(TaskType.T2I, prompt)
        assert reading.texts == ()  # type: ignore[attr-defined]
        assert reading.why_unread == (  # type: ignore[attr-defined]
            "not read: the prompt quotes more than 100 texts or 2000 characters"
        )
    assert len(read_task(TaskType.T2I, "a sign, " + "“a” " * 100).texts) == 100  # type: ignore[attr-defined]
