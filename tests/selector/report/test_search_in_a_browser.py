"""The contact sheet opened from the disk in a real browser: all tasks are searched and sorted, tables and ids work."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from selector.domain import Axis, Column, Estimate, Score, TaskType, encode_final
from selector.domain.decisions import DecisionKind
from selector.report import CandidateCard, Sheet, TaskRow, write_contact_sheet
from selector.report._model import Remark

TASKS, EACH = 1000, 16
TYPES = list(TaskType)
COLUMNS = {"technical.noise": Column("noise", 0, 1, False, Axis.PQ, "Noise in flat regions")}
_ROWS = "[...document.querySelectorAll('#results tbody tr th')].map(cell => cell.textContent)"
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
Open = Callable[..., Any]


def rows(image: Path, tasks: int, each: int) -> Iterator[TaskRow]:
    """Estimates, margins and flags that can be told by a task's number."""
    for n in range(tasks):
        cards = [
            CandidateCard(
                hashlib.sha256(f"{n} {i}".encode()).hexdigest(),
                image,
                f"maker{(n + i) % 5}",
                "plain",
                seed=i,
                picked=i == 0,
                estimate=Estimate(5, 0.5, 5, 0.5, (n * 7 % 1000) / 100, 0.1 + n / 100),
                scores={"technical.noise": Score.of(i / 20)},
                rank=i + 1,
            )
            for i in range(each)
        ]
        if n == 77:
            cards[1] = replace(cards[1], excluded="excluded by Ada: six fingers", excluded_by_hand=True)
            cards[2] = replace(cards[2], notes=(Remark(DecisionKind.NOTE, "Bo", "a good sky"),))
        yield TaskRow(
            f"t{n}", TYPES[n % 4], f"a {'zebra' if n == 623 else 'cat'} and {n} birds, 小鸟", candidates=tuple(cards),
            pick_reason="best of 16", flags=("SC not measured",) if n % 100 == 3 else (), margin=(n * 3 % 1000) / 100,
        )  # fmt: skip


def write(folder: Path, tasks: int, each: int, language: str = "en") -> Path:
    image = folder / "one.jpg"
    image.parent.mkdir(parents=True, exist_ok=True)
    image.write_bytes(encode_final(np.full((64, 64, 3), 90, np.uint8)))
    sheet = Sheet("Trial", "tianchi-532389", "us", rows(image, tasks, each), COLUMNS, language=language)
    return write_contact_sheet(folder / "report", sheet)


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,000 tasks of 16 candidates."""
    return write(tmp_path_factory.mktemp("large"), TASKS, EACH)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("small"), 120, 3)


@pytest.fixture
def open_page(browser: Any) -> Iterator[Open]:
    """Opens a file in a window of its own; an error of the script fails the test."""
    contexts: list[Any] = []
    errors: list[str] = []

    def call(file: Path, after: str = "", width: int = 1400, script: bool = True, **options: Any) -> Any:
        size = {"width": width, "height": 900}
        context = browser.new_context(viewport=size, java_script_enabled=script, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{file.as_uri()}{after}")
        if script:
            page.wait_for_selector("#filters:not([hidden])")
        return page

    yield call
    for context in contexts:
        context.close()
    assert not errors


def test_the_index_of_1000_tasks_is_small_and_a_search_over_all_quick(large: Path, open_page: Open) -> None:
    assert (large.parent / "tasks.js").stat().st_size < 400_000
    page = open_page(large)
    milliseconds = page.evaluate(
        """() => { const field = document.forms.filters.elements.q, spent = [];
        for (const text of ['zebra', 'cat', 'birds 6', '']) { const start = performance.now(); field.value = text;
          field.dispatchEvent(new Event('input', {bubbles: true})); document.body.offsetHeight;
          spent.push(performance.now() - start); } return spent; }"""
    )
    assert max(milliseconds) < 300, milliseconds


def test_a_word_finds_tasks_of_all_pages_and_leads_to_their_place(small: Path, large: Path, open_page: Open) -> None:
    page = open_page(large)
    page.fill("[name=q]", "ZEBRA 小鸟")
    assert page.evaluate(_ROWS) == ["t623"]
    assert page.inner_text("#shown") == "1 of 1,000 tasks"
    assert not page.is_visible("#tasks")
    page.click("#results a")
    page.wait_for_url("**/page-13.html#task-t623")
    assert page.is_visible("article#task-t623") and not page.is_visible("#results")
    page.go_back()
    page.wait_for_selector("#results tbody tr")
    assert page.input_value("[name=q]") == "ZEBRA 小鸟"
    page = open_page(small, "#?q=and+7+")
    page.click("#results a:text-is('t7')")
    assert page.is_visible("article#task-t7") and not page.is_visible("#results"), "on the page that is open"


def test_candidates_are_found_by_the_beginning_of_their_id(small: Path, open_page: Open) -> None:
    wanted = hashlib.sha256(b"77 2").hexdigest()
    page = open_page(small)
    for asked in (wanted[:6], wanted[:8].upper(), wanted):
        page.fill("[name=q]", asked)
        assert page.evaluate(_ROWS) == ["t77"]


def test_tasks_are_sorted_as_a_whole(small: Path, open_page: Open) -> None:
    page = open_page(small)
    wanted = {
        "estimate": sorted(range(120), key=lambda n: (n * 7 % 1000, n)),
        "uncertainty": list(range(119, -1, -1)),
        "margin": sorted(range(120), key=lambda n: (n * 3 % 1000, n)),
        "flags": [3, 103, *(n for n in range(120) if n % 100 != 3)],
        "type": sorted(range(120), key=lambda n: (n % 4, n)),
    }
    for sort, numbers in wanted.items():
        page.select_option("[name=sort]", sort)
        assert page.evaluate(_ROWS) == [f"t{n}" for n in numbers], sort
    page.select_option("[name=sort]", "estimate")
    page.click("[name=turn]")
    assert page.evaluate(_ROWS)[0] == f"t{wanted['estimate'][-1]}"
    page.click("#results th button:text-is('estimate')")
    assert page.evaluate(_ROWS)[0] == "t0"
    assert page.get_attribute("#results th[aria-sort]", "aria-sort") == "ascending"


def test_filters_by_type_generator_flag_and_decision(small: Path, open_page: Open) -> None:
    page = open_page(small)
    page.select_option("[name=type]", "tie")
    assert page.inner_text("#shown") == "30 of 120 tasks"
    page.select_option("[name=generator]", label="maker0")
    assert page.evaluate(_ROWS) == [f"t{n}" for n in range(120) if n % 4 == 1 and n % 5 in (0, 3, 4)]
    page.click("[type=reset]")
    page.wait_for_selector("#tasks")  # a form is reset after its event
    assert page.inner_text("#shown") == "50 tasks on this page of 120"
    page.select_option("[name=flag]", label="SC not measured")
    assert page.evaluate(_ROWS) == ["t3", "t103"]
    page.click("[type=reset]")
    page.wait_for_selector("#tasks")
    for decision in ("excluded", "noted"):
        page.select_option("[name=decision]", decision)
        assert page.evaluate(_ROWS) == ["t77"]
    page.select_option("[name=decision]", "pinned")
    assert page.evaluate(_ROWS) == []


def test_the_table_of_generators_is_sorted_by_a_click(small: Path, open_page: Open) -> None:
    page = open_page(small)
    cells = "[...document.querySelectorAll('table.sortable tbody tr')].map(row => row.cells[{}].textContent)"
    page.click("table.sortable th button:text-is('picked')")
    picked = [int(told) for told in page.evaluate(cells.format(3))]
    assert picked == sorted(picked, reverse=True)
    page.click("table.sortable th button:text-is('generator')")
    assert page.evaluate(cells.format(0)) == [f"maker{n}" for n in range(5)]
    page.click("table.sortable th button:text-is('generator')")
    assert page.evaluate(cells.format(0)) == [f"maker{n}" for n in range(4, -1, -1)]
    assert page.eval_on_selector_all("table.sortable [aria-sort]", "all => all.map(c => c.ariaSort)") == ["descending"]


def test_an_id_is_copied_by_its_button(small: Path, open_page: Open) -> None:
    page = open_page(small, permissions=["clipboard-read", "clipboard-write"])
    page.click("article#task-t0 .copy >> nth=0")
    short = hashlib.sha256(b"0 0").hexdigest()[:8]
    page.wait_for_function("document.getElementById('told').textContent !== ''")
    assert page.inner_text("#told") == f"Copied: {short}"
    assert page.evaluate("navigator.clipboard.readText()") == short


def test_decisions_and_notes_are_on_the_cards(small: Path, open_page: Open) -> None:
    text = open_page(small.parent / "page-2.html").text_content("article#task-t77")
    assert "excluded by Ada: six fingers" in text and "Note by Bo: a good sky" in text


def test_without_a_script_the_page_reads_as_it_is(small: Path, open_page: Open) -> None:
    page = open_page(small, script=False)
    assert page.locator("article.task").count() == 50 and page.is_visible("article#task-t0")
    assert not page.is_visible("#filters") and not page.is_visible("#results")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", ["", "#?q=cat&sort=margin"])
def test_axe_finds_nothing_against_contrast_labels_and_the_rest(
    tmp_path: Path, open_page: Open, axe: str, scheme: str, state: str
) -> None:
    page = open_page(write(tmp_path, 90, 3), state, color_scheme=scheme)
    page.evaluate(axe + "; undefined")
    found = page.evaluate("rules => axe.run({runOnly: rules, preload: false})", _RULES)["violations"]
    assert not [(one["id"], [node["html"][:120] for node in one["nodes"][:3]]) for one in found]


@pytest.mark.parametrize("state", ["", "#?sort=margin"])
def test_at_390_px_nothing_is_wider_than_the_window(small: Path, open_page: Open, state: str) -> None:
    assert open_page(small, state, width=390).evaluate("document.documentElement.scrollWidth") <= 390


def test_in_chinese_the_search_is_chinese_too(tmp_path: Path, open_page: Open) -> None:
    page = open_page(write(tmp_path, 60, 2, "zh"), "#?sort=margin")
    assert page.get_attribute("html", "lang") == "zh-CN"
    assert page.inner_text("#shown") == "60 个任务中的 60 个"
    assert "文生图" in page.inner_text("#results tbody") and "差距" in page.inner_text("#results thead")
