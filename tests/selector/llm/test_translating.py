"""Prompts get their English from a table that a model fills over real HTTP; nothing known is asked again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from prompt_model import PromptModel, prompt_model

from selector import Campaign
from selector.cli.main import group
from selector.llm import JudgeStopped
from selector.llm._answers import Answer
from selector.llm._replies import Reading
from selector.llm._same_answers import SAME_FOR_ALL
from selector.llm._text_reading import (
    DECLINED,
    KEY_HIDDEN,
    MARKUP,
    TALK,
    UNFINISHED,
    read_translation,
)
from selector.store.replies import money_spent
from selector.workspace.plug_ins import read_translations

Make = Callable[..., Campaign]  # of prompts and settings of the model
PARTS = [{"type": "text", "text": "a red "}, {"type": "text", "text": "house"}]
ENGLISH: dict[str, Any] = {
    "把图片变亮": "make the picture brighter",
    "加一只猫": "add a cat",
    "很长": "a\nb",
    "拒绝": "",
    "红房子": PARTS,
    "坏人": "I'm sorry, but I can't assist with that.",
    "一棵树": "Sure! Here is the translation: a tree",
}
STATUSES = {
    "钥匙": (401, "other"),
    "禁止": (403, "other"),
    "额度": (429, "insufficient_quota"),
    "坏掉": (500, "other"),
    "请求一": (400, "other"),
    "请求二": (400, "other"),
}


@pytest.fixture
def model() -> Iterator[PromptModel]:
    with prompt_model() as running:
        running.said = {**ENGLISH, "很多字": "many"}
        running.cut = {"很多字"}
        running.statuses = STATUSES
        yield running


@pytest.fixture
def make(
    toys: None,  # noqa: ARG001
    tmp_path: Path,
    model: PromptModel,
    contest_files: Callable[[Sequence[str]], tuple[Path, Path]],
) -> Make:
    def made(prompts: Sequence[str], **settings: Any) -> Campaign:
        judges = {"translator": {"base_url": model.url, "model": "m", "backoff_seconds": 0.01, **settings}}
        return Campaign.init(tmp_path / "campaign", *contest_files(prompts), judges=judges)

    return made


def english(campaign: Campaign) -> Mapping[str, str]:
    """The table as the backbone's texts come from it."""
    return read_translations(campaign.folder / "translations.csv")


def test_without_a_judge_the_table_lists_what_needs_english(make: Make) -> None:
    campaign = make(["brighter", "把图片变亮", "加一只猫"])
    done = campaign.translate()
    assert (done.needed, done.known) == (2, 0)
    assert done.table.read_text(encoding="utf-8-sig") == "text,english\n把图片变亮,\n加一只猫,\n"


def test_a_model_fills_the_table_and_is_asked_once(make: Make, model: PromptModel) -> None:
    campaign = make(["把图片变亮", "加一只猫"])
    assert campaign.translate("translator").new == 2
    again = campaign.translate("translator")
    assert (again.known, again.new, sorted(model.texts)) == (2, 0, ["加一只猫", "把图片变亮"])
    assert english(campaign)["加一只猫"] == "add a cat"


def test_what_a_person_wrote_stays(make: Make, model: PromptModel) -> None:
    campaign = make(["把图片变亮", "加一只猫"])
    (campaign.folder / "translations.csv").write_text("text,english\n加一只猫,put a cat there\n", encoding="utf-8")
    campaign.translate("translator")
    assert english(campaign)["加一只猫"] == "put a cat there"
    assert model.texts == ["把图片变亮"]


def test_a_spreadsheet_runs_nothing_of_the_table_and_may_save_it_with_semicolons(
    make: Make, model: PromptModel
) -> None:
    campaign = make(["=1+一只猫", "加一只猫"])
    model.said = {"=1+一只猫": "@cat", "加一只猫": "-a cat"}
    table = campaign.translate("translator").table
    written = table.read_text(encoding="utf-8-sig")
    assert sorted(written.splitlines()) == ["'=1+一只猫,'@cat", "text,english", "加一只猫,'-a cat"]
    assert english(campaign) == model.said
    table.write_text("sep=;\n" + written.replace(",", ";"), encoding="utf-8-sig")
    assert english(campaign) == model.said


def test_a_repeated_translation_says_that_nothing_was_left_to_do(make: Make) -> None:
    campaign = make(["把图片变亮", "加一只猫"])
    arguments = ["translate", "-C", str(campaign.folder), "--by", "translator"]
    table = campaign.folder / "translations.csv"
    assert "nothing was left" not in CliRunner().invoke(group, arguments).output
    again = CliRunner().invoke(group, arguments)
    assert (again.exit_code, again.output.splitlines()[1:]) == (0, ["nothing was left to do"])
    table.unlink()
    told = CliRunner().invoke(group, arguments).output
    assert "2 new" in told and "2 of the new were answered in an earlier run" in told and "cost" not in told


def test_a_blank_cell_is_no_english(make: Make) -> None:
    campaign = make(["加一只猫", "把图片变亮", "红房子"])
    rows = "text,english\n加一只猫,  \n把图片变亮,\n红房子\n"
    (campaign.folder / "translations.csv").write_text(rows, encoding="utf-8")
    assert english(campaign) == {}
    assert campaign.translate("translator").new == 3


def test_english_that_was_paid_for_and_is_in_no_table_is_taken_from_the_store(make: Make, model: PromptModel) -> None:
    campaign = make(["把图片变亮", "加一只猫", "坏人"])
    campaign.translate("translator")
    rows = "text,english\n加一只猫,put a cat there\n"
    (campaign.folder / "translations.csv").write_text(rows, encoding="utf-8")  # as a kill before the table leaves it
    again = campaign.translate("translator")
    assert (again.known, again.new, again.stored, again.failures) == (2, 1, 1, {DECLINED: 1})
    assert english(campaign) == {"把图片变亮": "make the picture brighter", "加一只猫": "put a cat there"}
    assert sorted(model.texts) == sorted(["把图片变亮", "加一只猫", "坏人", "坏人"]), "what failed is asked again"


def test_taking_english_from_the_store_needs_neither_key_nor_server(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSLATOR_KEY", "k-123456789")
    campaign = make(["把图片变亮"], key_env="TRANSLATOR_KEY")
    table = campaign.translate("translator").table
    monkeypatch.delenv("TRANSLATOR_KEY")
    table.unlink()
    assert campaign.translate("translator").stored == 1
    assert campaign.translate("translator").new == 0


def test_every_answer_is_a_row_of_its_own_and_counts_in_the_budget(make: Make) -> None:
    campaign = make(["坏人", "加一只猫"], price_in=1000.0, price_out=0.0)
    for _ in range(3):
        campaign.translate("translator")
    with campaign._ws.db.read() as connection:
        rows = connection.exec_driver_sql("SELECT original, ask, outcome, cost FROM prompt_text").fetchall()
        assert money_spent(connection, "translator") == 4.0
    assert sorted(map(tuple, rows)) == [
        ("加一只猫", 0, "written", 1.0),
        *(("坏人", ask, "refused", 1.0) for ask in range(3)),
    ]


def test_english_is_kept_whole_however_long_it_is(make: Make, model: PromptModel) -> None:
    text, long = "长长的一句话" * 200, "a long sentence " * 190 + "ends"
    model.said[text] = long
    campaign = make([text])
    campaign.translate("translator").table.unlink()
    campaign.translate("translator")
    assert (english(campaign), len(model.texts)) == ({text: long}, 1)


def test_what_is_no_translation_is_left_out_with_its_reason(make: Make) -> None:
    texts = ["很长", "拒绝", "坏人", "一棵树", "很多字"]
    campaign = make([*texts, "加一只猫", "红房子"])
    done = campaign.translate("translator")
    assert done.new == 2
    assert done.failures == {
        "the reply is no translation: several lines, or far too long": 1,
        "the reply is empty": 1,
        DECLINED: 1,
        TALK: 1,
        "the reply was cut off, also with more tokens (raise max_tokens)": 1,
    }
    assert english(campaign) == {"加一只猫": "add a cat", "红房子": "a red house"}
    assert all(f"{text},\n" in done.table.read_text(encoding="utf-8-sig") for text in texts)


@pytest.mark.parametrize(("text", "words"), [("钥匙", "does not accept the key"), ("禁止", "may not use this model")])
def test_a_closed_door_stops_the_run_and_what_came_stays(make: Make, model: PromptModel, text: str, words: str) -> None:
    campaign = make(["加一只猫", text, "把图片变亮", "红房子"], concurrency=1)
    with pytest.raises(JudgeStopped, match=words):
        campaign.translate("translator")
    assert model.texts == ["加一只猫", text]
    assert campaign.translate().known == 1


def test_no_quota_is_one_line_and_not_tried_again(make: Make, model: PromptModel) -> None:
    campaign = make(["额度", "加一只猫"], concurrency=1)
    shown = CliRunner().invoke(group, ["translate", "-C", str(campaign.folder), "--by", "translator"])
    assert isinstance(shown.exception, JudgeStopped) and "no money or quota left" in str(shown.exception)
    assert "\n" not in str(shown.exception) and model.texts == ["额度"]
    assert "budget" not in str(shown.exception), "none is set: the account at the server is empty"


def test_tries_are_those_of_the_configuration(make: Make, model: PromptModel) -> None:
    done = make(["坏掉"], max_retries=1).translate("translator")
    assert (done.failures, model.texts) == ({"the server failed (HTTP 500)": 1}, ["坏掉"] * 2)


def test_equal_reasons_are_counted_together_whatever_the_server_says(make: Make) -> None:
    done = make(["请求一", "请求二"]).translate("translator")
    assert done.failures == {"the server rejected the request (HTTP 400)": 2}


def test_a_text_with_a_part_of_the_key_is_no_translation(
    make: Make, model: PromptModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORDY_KEY", "kitten")
    model.said["加一只猫"] = "add a kitten"
    assert make(["加一只猫"], key_env="WORDY_KEY").translate("translator").failures == {KEY_HIDDEN: 1}


def test_rate_and_length_are_those_of_the_configuration(make: Make, model: PromptModel) -> None:
    campaign = make(["加一只猫", "把图片变亮", "红房子"], requests_per_minute=300, max_tokens=77, temperature=0.9)
    campaign.translate("translator")
    assert model.arrived[-1] - model.arrived[0] >= 0.3  # two intervals of 0.2 s, less the way there
    assert model.fields == [{"model": "m", "temperature": 0.0, "max_tokens": 77}] * 3


@pytest.mark.parametrize(
    "reply",
    [
        None,
        "",
        "一只猫",
        "a cat\nor a dog",
        "cat " * 100,
        "<think>a cat",
        "I cannot translate that.",
        "I'm sorry, this is against my guidelines.",
        "Sure! Here is a cat.",
        "Certainly, a cat",
        "Here's the English translation: a cat",
        "Translation: a cat",
        "**Translation:** a cat",
        "The translation is a cat",
        "English: a cat",
        "Output: a cat",
        "The text translates to a cat",
        "a cat (Note: literal)",
        "a cat. Let me know!",
        "```a cat```",
    ],
)
def test_a_reply_that_is_no_translation_is_refused(reply: str | None) -> None:
    assert read_translation("一只猫坐在桌子上面", Answer(reply, "stop")).reason is not None


@pytest.mark.parametrize(
    "reply",
    [
        "a cat",
        "A sign that says “I'm sorry, I can't help”",
        'Change the words to "Sure! Here is: a cat"',
        "English breakfast on a table: eggs",
        "Answer the phone",
        "Here comes the sun",
        "Remove the dog that the man can't see",
    ],
)
def test_a_prompt_that_only_sounds_like_talk_is_kept(reply: str) -> None:
    assert read_translation("一只猫坐在桌子上面", Answer(reply)) == Reading("written", text=reply)


@pytest.mark.parametrize(
    ("finish", "refusal", "why"),
    [
        ("length", None, "the reply was cut off (raise max_tokens)"),
        ("tool_calls", None, UNFINISHED),
        ("content_filter", None, DECLINED),
        ("stop", "no", DECLINED),
    ],
)
def test_only_a_reply_that_ended_by_itself_counts(finish: str, refusal: str | None, why: str) -> None:
    reading = read_translation("一只猫", Answer("a cat", finish, refusal))
    assert (reading.text, reading.reason) == ("", why)


@pytest.mark.parametrize(
    "said",
    ['{"error": "no"}', '["a red house"]', '{"detail": "the model is', "<html><body>Bad Gateway</body></html>", "<p>a"],
)
def test_json_and_markup_are_no_english(said: str) -> None:
    assert read_translation("一座红色的房子在山上", Answer(said, "stop")).reason == MARKUP


def test_english_with_signs_in_it_is_no_markup() -> None:
    for said in ("<3 balloons", "[a red house] on a hill", "a sign that says <b>"):
        assert read_translation("一座红色的房子在山上", Answer(said, "stop")).text == said


def test_one_answer_to_texts_that_have_nothing_in_common_is_no_translation(make: Make, model: PromptModel) -> None:
    texts = ["把图片变亮", "加一只猫", "红房子", "雪山上的日出", "她戴着帽子"]
    model.said = dict.fromkeys(texts, "Service unavailable.")
    campaign = make(texts, concurrency=1)
    done = campaign.translate("translator")
    assert (done.new, english(campaign), done.failures) == (0, {}, {SAME_FOR_ALL: 5})
    model.said = {text: f"text {number}" for number, text in enumerate(texts)}
    assert campaign.translate("translator").new == 5


def test_texts_that_say_the_same_may_have_one_answer(make: Make, model: PromptModel) -> None:
    texts = ["加一只猫", "添加一只猫", "再加一只猫", "加上一只猫"]
    model.said = dict.fromkeys(texts, "add a cat")
    assert make(texts).translate("translator").new == 4
