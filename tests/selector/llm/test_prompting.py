"""Prompts get other wordings from a model over real HTTP; what was written is kept and never asked for twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from prompt_model import PromptModel, prompt_model

from selector import Campaign
from selector.cli._describe_generated import describe_generated
from selector.domain import Declined, InputError, MissingPart, Task, TaskType
from selector.domain.reading import Reading as TaskReading
from selector.generate.summary import GenerateSummary
from selector.llm import _text_reading as reading
from selector.llm._answers import Answer
from selector.llm._endpoint import provider_of
from selector.llm._replies import Reading
from selector.llm._same_answers import SAME_FOR_ALL
from selector.llm._text_reading import DECLINED, NOT_ENGLISH, TALK, UNFINISHED, read_prompt
from selector.llm.prompting import PromptBook, PromptSummary, PromptWish, prepare_prompts
from selector.store.readings import add_readings
from selector.store.replies import PromptText, add_prompt_texts, load_prompt_texts, money_spent


@pytest.fixture
def model() -> Iterator[PromptModel]:
    with prompt_model() as server:
        yield server


@pytest.fixture
def make(
    toys: None,  # noqa: ARG001
    tmp_path: Path,
    contest_files: Callable[[Sequence[str]], tuple[Path, Path]],
) -> Callable[..., Any]:
    """A campaign's workspace whose writer is asked at the address."""

    def made(url: str = "http://127.0.0.1:9/v1", writer: str = "writer", **settings: Any) -> Any:
        judges = {"writer": {"base_url": url, "model": "m", "backoff_seconds": 0.01, "max_retries": 1, **settings}}
        generate = {"tie": {"toy": 1}, "prompt_writer": writer}
        campaign = Campaign.init(tmp_path / "campaign", *contest_files(["brighter"]), judges=judges, generate=generate)
        return campaign._ws

    return made


def task(prompt: str, kind: TaskType = TaskType.T2I, number: int = 0) -> Task:
    return Task(f"t{number}", kind, prompt, None, None, number)


def wishes(*prompts: str, style: str = "rewritten", kind: TaskType = TaskType.T2I) -> list[PromptWish]:
    return [PromptWish(task(prompt, kind, i), style) for i, prompt in enumerate(prompts)]


def test_a_model_writes_what_is_wanted_and_is_asked_once(make: Callable[..., Any], model: PromptModel) -> None:
    ws = make(model.url)
    done = prepare_prompts(ws, wishes("a cat", "a dog", "a cat"))
    assert (done.needed, done.known, done.new, done.stopped) == (2, 0, 2, None)
    assert PromptBook(ws).text(task("a cat"), "rewritten") == "In detail: a cat, with soft light."
    again = prepare_prompts(ws, wishes("a cat", "a dog"))
    assert (again.known, again.new) == (2, 0)
    assert sorted(model.texts) == ["a cat", "a dog"]


def test_the_original_stays_recorded_with_model_outcome_and_cost(make: Callable[..., Any], model: PromptModel) -> None:
    ws = make(model.url, price_in=1000.0, price_out=0.0, currency="CNY")
    done = prepare_prompts(ws, wishes("a cat"))
    with ws.db.read() as connection:
        (row,) = connection.exec_driver_sql("SELECT * FROM prompt_text").mappings().all()
        assert money_spent(connection, "writer") == 1.0
    assert (row["original"], row["text"]) == ("a cat", "In detail: a cat, with soft light.")
    assert (row["style"], row["form"], row["model"], row["outcome"]) == ("rewritten", "caption", "m", "written")
    assert (row["cost"], row["tokens_in"], done.cost, done.currency) == (1.0, 1000, 1.0, "CNY")


def test_styles_without_a_model_ask_nobody(make: Callable[..., Any]) -> None:
    ws = make(writer="")
    done = prepare_prompts(ws, [PromptWish(task("a cat"), style) for style in ("as_is", "suffix")])
    assert done == PromptSummary()
    assert PromptBook(ws).text(task("a cat"), "as_is") == "a cat"
    assert PromptBook(ws).text(task("a cat"), "suffix") == "a cat. Ultra HD, 4K, cinematic composition."


def test_english_needs_no_translation_and_a_table_of_translations_is_used_first(
    make: Callable[..., Any], model: PromptModel
) -> None:
    ws = make(model.url)
    (ws.folder / "translations.csv").write_text("text,english\n一只猫,a tom cat\n", encoding="utf-8")
    done = prepare_prompts(ws, wishes("a cat", "一只猫", "一只小小的狗", style="translated"))
    book = PromptBook(ws)
    assert (done.needed, done.new) == (1, 1)
    assert book.text(task("a cat"), "translated") == "a cat"
    assert book.text(task("一只猫"), "translated") == "a tom cat"
    assert book.text(task("一只小小的狗"), "translated") == "English 6"


def test_a_translation_is_asked_for_once_whatever_the_forms(make: Callable[..., Any], model: PromptModel) -> None:
    ws = make(model.url)
    edit = task("把“早”改成“晚”", TaskType.VTTIE)
    done = prepare_prompts(ws, [PromptWish(edit, "translated", form) for form in ("", "kontext", "instruction")])
    assert (done.needed, done.new) == (1, 1)
    assert PromptBook(ws).text(edit, "translated", "kontext") == "Change “早” to “晚”"


def test_each_form_is_a_text_of_its_own_and_its_order_is_sent(make: Callable[..., Any], model: PromptModel) -> None:
    ws = make(model.url)
    edit = task("make it red", TaskType.TIE)
    done = prepare_prompts(ws, [PromptWish(edit, "rewritten", form) for form in ("", "instruction", "kontext")])
    assert done.new == 2
    assert {order.split(". ")[0] for order, _ in model.asked} == {
        "You rewrite instructions for an image editing model that sees the picture; you do not"
    }
    assert sum("what stays as it is" in order for order, _ in model.asked) == 1


def test_what_cannot_be_used_is_asked_for_again_with_the_reason(make: Callable[..., Any], model: PromptModel) -> None:
    ws = make(model.url, reasks=2)
    done = prepare_prompts(ws, wishes("talk 2 cats"))
    assert (done.new, done.failures) == (1, {})
    talked = [order for order, text in model.asked if text == "talk 2 cats"]
    assert TALK in talked[-1] and TALK not in talked[0]
    assert PromptBook(ws).text(task("talk 2 cats"), "rewritten").startswith("In detail")


def test_what_could_not_be_used_is_no_variant_until_it_is_tried_again(
    make: Callable[..., Any], model: PromptModel
) -> None:
    ws = make(model.url, reasks=1)
    done = prepare_prompts(ws, wishes("talk 2 cats"))
    assert (done.new, done.failures) == (0, {TALK: 1})
    with pytest.raises(Declined, match=TALK):
        PromptBook(ws).text(task("talk 2 cats"), "rewritten")
    assert (prepare_prompts(ws, wishes("talk 2 cats")).known, len(model.texts)) == (1, 2)
    assert prepare_prompts(ws, wishes("talk 2 cats"), retry_failed=True).new == 1
    assert PromptBook(ws).text(task("talk 2 cats"), "rewritten").startswith("In detail")
    assert prepare_prompts(ws, wishes("talk 2 cats"), retry_failed=True).known == 1


def test_one_answer_to_prompts_that_have_nothing_in_common_is_no_variant(
    make: Callable[..., Any], model: PromptModel
) -> None:
    prompts = ("a cat", "two red kites", "house by night", "snow", "old maps")
    ws = make(model.url, reasks=0, concurrency=1)
    model.said = dict.fromkeys(prompts, "The model is loading, please wait.")
    done = prepare_prompts(ws, wishes(*prompts))
    assert (done.new, done.failures) == (0, {SAME_FOR_ALL: 5})
    with pytest.raises(MissingPart, match="nothing in common"):
        PromptBook(ws).text(task("a cat"), "rewritten")
    model.said = {}
    assert prepare_prompts(ws, wishes(*prompts), retry_failed=True).new == 5
    assert PromptBook(ws).text(task("a cat"), "rewritten").startswith("In detail")


def test_an_answer_that_a_kill_kept_from_being_asked_for_again_is_not_final(
    make: Callable[..., Any], model: PromptModel
) -> None:
    ws = make(model.url, reasks=2)
    (wish,) = wishes("a cat")
    source = PromptBook(ws).source_of(wish.task, "rewritten")
    assert source is not None
    key = source.key(provider_of(model.url), "m")
    first = PromptText(key, 0, "rewritten", "", "a cat", "", "writer", "", "m", "", "unreadable", TALK)
    with ws.db.write() as connection:
        add_prompt_texts(ws.db, connection, [first])
    with pytest.raises(MissingPart, match="run the command again"):
        PromptBook(ws).text(wish.task, "rewritten")
    assert prepare_prompts(ws, [wish]).new == 1
    with ws.db.read() as connection:
        assert load_prompt_texts(connection, [key])[key].ask == 1


def test_the_output_tells_the_cure_and_a_sample_of_what_failed(make: Callable[..., Any], model: PromptModel) -> None:
    done = prepare_prompts(make(model.url, reasks=0), wishes("talk 2 cats"))
    said = describe_generated(GenerateSummary(prompts=done))
    assert f"  1 x {TALK} (one of them: " in said, said


def test_a_refusal_is_final_and_the_variant_does_not_exist(make: Callable[..., Any], model: PromptModel) -> None:
    ws = make(model.url)
    assert prepare_prompts(ws, wishes("refuse me")).failures == {DECLINED: 1}
    with pytest.raises(Declined, match="refused"):
        PromptBook(ws).text(task("refuse me"), "rewritten")
    assert prepare_prompts(ws, wishes("refuse me")).known == 1
    assert len(model.texts) == 1


def test_a_failing_server_costs_only_the_texts_that_it_fails(make: Callable[..., Any], model: PromptModel) -> None:
    ws = make(model.url)
    done = prepare_prompts(ws, wishes("broken one", "a cat"))
    assert (done.new, done.failures) == (1, {"the server failed (HTTP 500)": 1})
    with pytest.raises(MissingPart, match="HTTP 500"):
        PromptBook(ws).text(task("broken one"), "rewritten")


def test_a_closed_door_stops_the_writing_and_what_came_stays(make: Callable[..., Any], model: PromptModel) -> None:
    ws = make(model.url, concurrency=1)
    done = prepare_prompts(ws, wishes("a cat", "closed", "a dog"))
    assert done.stopped is not None and "does not accept the key" in done.stopped
    assert (done.new, "a dog" in model.texts) == (1, False)
    assert PromptBook(ws).text(task("a cat"), "rewritten").startswith("In detail")


def test_without_a_writer_the_cure_is_told_and_the_rest_goes_on(make: Callable[..., Any]) -> None:
    ws = make(writer="")
    done = prepare_prompts(ws, wishes("a cat"))
    assert done.stopped is not None and "prompt_writer" in done.stopped
    with pytest.raises(MissingPart, match=r"prompt_writer.*\[generate\]"):
        PromptBook(ws).text(task("a cat"), "rewritten")


def test_an_unknown_writer_style_or_form_is_one_line(make: Callable[..., Any]) -> None:
    ws = make(writer="writter")
    with pytest.raises(InputError, match="did you mean 'writer'"):
        prepare_prompts(ws, wishes("a cat"))
    with pytest.raises(InputError, match="did you mean 'rewritten'"):
        PromptBook(ws).text(task("a cat"), "rewriten")
    with pytest.raises(InputError, match="no prompt form"):
        PromptBook(ws).text(task("a cat"), "as_is", "song")


def test_reading_needs_no_key(make: Callable[..., Any], model: PromptModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRITER_KEY", "k-123456789")
    ws = make(model.url, key_env="WRITER_KEY")
    prepare_prompts(ws, wishes("a cat"))
    monkeypatch.delenv("WRITER_KEY")
    assert PromptBook(ws).text(task("a cat"), "rewritten").startswith("In detail")


@pytest.mark.parametrize("style", ["suffix", "translated", "rewritten"])
def test_a_face_swap_has_no_prompt(make: Callable[..., Any], style: str) -> None:
    ws = make()
    swap = task("", TaskType.DEEPFAKE)
    assert prepare_prompts(ws, [PromptWish(swap, style)]) == PromptSummary()
    with pytest.raises(Declined):
        PromptBook(ws).text(swap, style)
    assert PromptBook(ws).text(swap, "as_is") == ""


def test_an_interrupt_keeps_what_came(make: Callable[..., Any], model: PromptModel) -> None:
    ws = make(model.url, concurrency=2)

    def interrupt(what: str, done: int, total: int) -> None:
        del what, total
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare_prompts(ws, wishes(*(f"cat {i}" for i in range(20))), interrupt)
    written = len(set(model.texts))
    assert 1 <= written < 20
    rest = prepare_prompts(ws, wishes(*(f"cat {i}" for i in range(20))))
    assert rest.known >= 1 and rest.known + rest.new == 20
    assert max(Counter(model.texts).values()) == 1


def test_the_book_serves_many_threads(make: Callable[..., Any], model: PromptModel) -> None:
    ws = make(model.url)
    prompts = [f"cat {i}" for i in range(12)]
    prepare_prompts(ws, wishes(*prompts))
    book = PromptBook(ws)
    with ThreadPoolExecutor(6) as pool:
        texts = list(pool.map(lambda prompt: book.text(task(prompt), "rewritten"), prompts * 5))
    assert texts == [f"In detail: {prompt}, with soft light." for prompt in prompts] * 5


def said(text: str | None, finish: str | None = "stop", refusal: str | None = None) -> Answer:
    return Answer(text, finish, refusal)


@pytest.mark.parametrize(
    ("original", "style", "form", "reply"),
    [
        ("a cat", "rewritten", "caption", "A ginger cat sits on a sunlit wall."),
        ("a cat", "rewritten", "tags", "ginger cat, sitting, brick wall, morning light, photograph"),
        ("一只猫", "rewritten", "caption", "一只橘猫坐在阳光下的墙上。"),
        ("一只猫", "rewritten", "tags", "ginger cat, brick wall"),
        ("把“早”改成“晚”", "rewritten", "kontext", 'Replace "早" with "晚", keep the lettering.'),
        ("write 'SALE' on it", "rewritten", "instruction", "Write “SALE” on the red box."),
        ("make it red", "rewritten", "kontext", "Change the car's colour to red while keeping the street."),
        ('a sign: "I can\'t help you"', "rewritten", "caption", 'A wooden sign with the words "I can\'t help you".'),
        ("New York at night", "rewritten", "caption", "New York at night: neon signs over wet streets."),
        ("新闻里的猫", "rewritten", "caption", "新闻画面里的一只猫，正对镜头。"),
    ],
)
def test_a_text_of_the_wanted_form_is_taken_as_it_is(original: str, style: str, form: str, reply: str) -> None:
    assert read_prompt(original, style, form, said(reply)) == Reading("written", text=reply)


@pytest.mark.parametrize(
    ("original", "style", "form", "reply", "why"),
    [
        ("a cat", "rewritten", "caption", "Sure! A ginger cat.", TALK),
        ("a cat", "rewritten", "caption", "Rewritten prompt: a ginger cat", TALK),
        ("a cat", "rewritten", "caption", "Here's an improved version: a ginger cat", TALK),
        ("一只猫", "rewritten", "caption", "好的，一只橘猫坐在墙上。", TALK),
        ("一只猫", "rewritten", "caption", "改写后的提示词：一只橘猫。", TALK),
        ("一只猫", "rewritten", "caption", "抱歉，我无法提供帮助。", DECLINED),
        ("a cat", "rewritten", "caption", "I cannot assist with that.", DECLINED),
        ("a cat", "rewritten", "caption", '{"prompt": "A ginger cat on a wall."}', reading.MARKUP),
        ("a cat", "rewritten", "caption", "<p>A ginger cat on a wall.</p>", reading.MARKUP),
        ("a cat", "rewritten", "caption", "", reading.EMPTY),
        ("a cat", "rewritten", "caption", "A cat.\nA wall.", reading.TOO_LONG),
        ("a cat", "rewritten", "caption", "very " * 200 + "old cat", reading.TOO_LONG),
        ("a cat", "rewritten", "tags", "cat, " * 80, reading.TOO_LONG),
        (
            "a cat and a dog on a long wall in the old town at night",
            "rewritten",
            "caption",
            "A cat.",
            reading.TOO_SHORT,
        ),
        ("a cat", "rewritten", "caption", "一只猫坐在墙上", reading.OTHER_LANGUAGE),
        ("一只猫", "rewritten", "caption", "A ginger cat.", reading.OTHER_LANGUAGE),
        ("一只猫", "rewritten", "kontext", "把猫变成橘色", NOT_ENGLISH),
        ("一只猫", "translated", "caption", "一只猫", NOT_ENGLISH),
        ("把“早”改成“晚”", "rewritten", "instruction", "把招牌上的“早上”换成“夜”。", reading.LOST_QUOTE),
        ("把“早”改成“晚”", "translated", "instruction", 'Change "morning" to "evening"', reading.LOST_QUOTE),
        ("write 'SALE' on it", "rewritten", "instruction", "Write 'Sale' on the box.", reading.LOST_QUOTE),
    ],
)
def test_what_is_no_text_of_the_wanted_form_is_refused(
    original: str, style: str, form: str, reply: str, why: str
) -> None:
    got = read_prompt(original, style, form, said(reply))
    assert (got.text, got.reason) == ("", why)


@pytest.mark.parametrize("reply", ['"A ginger cat."', "“A ginger cat.”", "'A ginger cat.'", "`A ginger cat.`"])
def test_quotation_marks_around_the_whole_answer_are_taken_off(reply: str) -> None:
    assert read_prompt("a cat", "rewritten", "caption", said(reply)) == Reading("written", text="A ginger cat.")


def test_quotation_marks_that_are_part_of_the_text_stay() -> None:
    reply = '"SALE" stands on a sign, under it "OPEN"'
    got = read_prompt("a sign 'SALE', a sign 'OPEN'", "rewritten", "caption", said(reply))
    assert got == Reading("written", text=reply)


@pytest.mark.parametrize(
    ("finish", "refusal", "why"),
    [
        ("length", None, reading.TRUNCATED),
        ("tool_calls", None, UNFINISHED),
        ("content_filter", None, DECLINED),
        ("stop", "no", DECLINED),
    ],
)
def test_only_an_answer_that_ended_by_itself_counts(finish: str, refusal: str | None, why: str) -> None:
    got = read_prompt("a cat", "rewritten", "caption", said("A ginger cat.", finish, refusal))
    assert (got.text, got.reason) == ("", why)


def test_a_long_prompt_may_stay_as_long_as_it_is() -> None:
    long = "a cat that sits on a wall and looks at birds, " * 100
    assert read_prompt(long, "rewritten", "caption", said(long.strip())).reason is None


def test_texts_that_only_the_reading_knows_must_be_repeated_letter_by_letter(
    make: Callable[..., Any], model: PromptModel
) -> None:
    ws = make(model.url)
    model.said = {"a board that says MILK BAR": "In detail: a board that advertises milk."}
    with ws.db.write() as connection:
        add_readings(connection, {"t0": TaskReading("m", texts=("MILK BAR",))}, "now")
    done = prepare_prompts(ws, wishes("a board that says MILK BAR", "a bar"))
    assert (done.new, done.failures) == (1, {reading.LOST_QUOTE: 1})
    told = [text for order, text in model.asked if "MILK BAR" in order]
    assert set(told) == {"a board that says MILK BAR"}
    model.said = {"a board that says MILK BAR": "In detail: a board with the words MILK BAR."}
    assert prepare_prompts(ws, wishes("a board that says MILK BAR"), retry_failed=True).new == 1
