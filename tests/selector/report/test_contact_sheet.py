"""The contact sheet: safe with hostile text, honest with missing things, paged, reused, and bounded in memory."""

from __future__ import annotations

import hashlib
import html.parser
import os
import re
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

from selector.domain import Axis, Column, Estimate, InputError, Score, TaskType, encode_final
from selector.report import CandidateCard, Failure, Sheet, TaskRow, Verdict, write_contact_sheet
from selector.report._pictures import Pictures
from selector.report._summary import HEIGHT, WIDTH, TypeSummary, concerns_of, histogram
from selector.report._view import anchor, task_view
from selector.report._words import Words

HOSTILE = '<script>alert("1")</script>\n把“开”改成‘关’ & 🎨 "quoted" \'single\' {{ 7 * 7 }} </article>'
COLUMNS = {
    "identity.cosine": Column("cosine", -1, 1, True, Axis.SC, "Likeness to the wanted identity"),
    "technical.noise": Column("noise", 0, 1, False, Axis.PQ, "Noise in flat regions"),
}


def picture(folder: Path, value: int, size: tuple[int, int] = (60, 80)) -> tuple[str, Path]:
    data = encode_final(np.full((*size, 3), value, np.uint8))
    path = folder / f"{value}.jpg"
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest(), path


def card(folder: Path, value: int = 90, **facts: object) -> CandidateCard:
    content_id, path = picture(folder, value)
    return CandidateCard(content_id, path, "faceswap", "hull", **facts)  # type: ignore[arg-type]


def estimate(overall: float) -> Estimate:
    return Estimate(overall, 0.5, overall, 0.5, overall, 0.4)


def sheet(*tasks: TaskRow, **facts: object) -> Sheet:
    return Sheet("Trial", "tianchi-532389", "us", tasks, COLUMNS, **facts)  # type: ignore[arg-type]


class _Outline(html.parser.HTMLParser):
    """Start tags with their attributes, and the text outside scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def outline(page: Path) -> _Outline:
    parser = _Outline()
    parser.feed(page.read_text("utf-8"))
    return parser


def test_hostile_text_is_shown_and_never_run(tmp_path: Path) -> None:
    bad = CandidateCard("e" * 64, tmp_path / "no.jpg", HOSTILE, HOSTILE, excluded=HOSTILE, picked=True)
    bad = CandidateCard(
        **{name: getattr(bad, name) for name in bad.__slots__} | {"scores": {HOSTILE: Score.unscored(HOSTILE)}}
    )
    task = TaskRow(
        HOSTILE, TaskType.TIE, HOSTILE, None, None, (bad,), HOSTILE, (HOSTILE,), (Failure(HOSTILE, HOSTILE),)
    )
    index = write_contact_sheet(
        tmp_path / "report", Sheet(HOSTILE, HOSTILE, HOSTILE, [task], quota=HOSTILE, notes=(HOSTILE,))
    )
    page = outline(index)
    assert [attrs.get("src") for tag, attrs in page.tags if tag == "script"] == ["tasks.js", "sheet.js"]
    assert sum(tag == "article" for tag, _ in page.tags) == 1
    assert page.text.count(HOSTILE) >= 8
    assert not any(name.startswith("on") for _, attrs in page.tags for name in attrs)


def test_prompt_keeps_its_newlines_and_characters(tmp_path: Path) -> None:
    index = write_contact_sheet(tmp_path, sheet(TaskRow("1", TaskType.VTTIE, HOSTILE)))
    assert HOSTILE in outline(index).text


@pytest.mark.parametrize(
    ("prompt", "folded"),
    [
        ("word " * 600, True),
        ("长" * 300, True),
        ("a\n" * 9, True),
        ("word " * 60, False),
        ("长" * 100, False),
        ("", False),
    ],
)
def test_a_long_prompt_is_folded_and_stays_whole(tmp_path: Path, prompt: str, folded: bool) -> None:
    page = outline(write_contact_sheet(tmp_path, sheet(TaskRow("1", TaskType.T2I, prompt))))
    assert (("details", {"class": "fold"}) in page.tags) is folded and page.text.count(prompt or "\0") == bool(prompt)
    assert (f"all {len(prompt):,} characters" in page.text) is folded


def test_a_reason_that_came_several_times_is_said_once_with_how_often(tmp_path: Path) -> None:
    refused = [Failure("wanx", "the service refuses the content", True, variant) for variant in ("suffix", "suffix")]
    other = [Failure("wanx", "no face", True, variant) for variant in (None, "suffix", "rewritten")]
    failures = (refused[0], other[0], refused[1], *other[1:], Failure("wanx", "no face"))
    index = write_contact_sheet(tmp_path, sheet(TaskRow("1", TaskType.T2I, "x", failures=failures)))
    said = re.findall(r"<li>(.*no face|.*refuses.*)</li>", index.read_text("utf-8"))
    assert [re.sub("<.*?>", "", line) for line in said] == [
        "2 × wanx suffix declined: the service refuses the content",
        "3 × wanx declined: no face",
        "wanx failed: no face",
    ]


def test_nothing_is_loaded_from_elsewhere_and_every_local_link_leads_somewhere(tmp_path: Path) -> None:
    folder = tmp_path / "图 片 #1%"
    folder.mkdir()
    shown = card(folder, picked=True, estimate=estimate(6))
    row = TaskRow("a b", TaskType.TIE, "x", shown.image, None, (shown,), flags=("close",))
    zip_file = folder / "us_图片生成_result.zip"
    zip_file.touch()
    index = write_contact_sheet(tmp_path / "report", sheet(row, zip_file=zip_file))
    page = outline(index)
    links = [attrs[name] for _, attrs in page.tags for name in ("src", "href") if attrs.get(name)]
    ids = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    assert len(links) >= 8
    for link in links:
        assert link and not re.match(r"[a-z]+:|//", link)
        path, _, fragment = link.partition("#")
        assert not path or (index.parent / unquote(path)).exists(), link
        assert not fragment or unquote(fragment) in ids, link


def test_every_picture_has_words_and_a_size(tmp_path: Path) -> None:
    row = TaskRow("7", TaskType.TIE, "x", card(tmp_path).image, None, (card(tmp_path, 10, picked=True),))
    images = [attrs for tag, attrs in outline(write_contact_sheet(tmp_path / "r", sheet(row))).tags if tag == "img"]
    assert [attrs["alt"] for attrs in images] == ["source of task 7", "candidate 1 of task 7, faceswap hull, the pick"]
    assert {(attrs["width"], attrs["height"], attrs["loading"]) for attrs in images} == {("80", "60", "lazy")}


def test_pick_comes_first_then_the_best_estimate_and_excluded_ones_last(tmp_path: Path) -> None:
    cards = (
        card(tmp_path, 1, estimate=estimate(9), excluded="not usable"),
        card(tmp_path, 2, estimate=estimate(5)),
        card(tmp_path, 3, estimate=estimate(7)),
        card(tmp_path, 4, estimate=estimate(6), picked=True),
        card(tmp_path, 5),
    )
    view = task_view(TaskRow("1", TaskType.TIE, "x", candidates=cards), COLUMNS)
    assert [shown.image.stem for shown in view.cards] == ["4", "3", "2", "5", "1"]


def test_unscored_is_grey_with_its_reason_and_never_a_number(tmp_path: Path) -> None:
    first = card(
        tmp_path, 1, scores={"identity.cosine": Score.of(-0.25), "technical.noise": Score.unscored("too small")}
    )
    second = card(
        tmp_path,
        2,
        scores={"identity.cosine": Score.unscored("no face"), "technical.noise": Score.unscored("too small")},
    )
    view = task_view(TaskRow("1", TaskType.DEEPFAKE, "", candidates=(first, second)), COLUMNS)
    assert view.scores is not None
    identity, noise = view.scores.rows
    assert noise.reason == "too small"
    assert sorted((cell.text, cell.mark) for cell in identity.cells) == [("–", "a"), ("−0.250", None)]
    assert view.scores.notes == (("a", "no face"),)
    text = outline(
        write_contact_sheet(tmp_path / "r", sheet(TaskRow("1", TaskType.DEEPFAKE, "", candidates=(first, second))))
    ).text
    assert "unscored: no face" in text and "unscored: too small" in text


def test_best_value_follows_the_direction_of_its_column(tmp_path: Path) -> None:
    cards = tuple(
        card(
            tmp_path,
            n,
            estimate=estimate(n),
            scores={"identity.cosine": Score.of(n / 10), "technical.noise": Score.of(n / 10)},
        )
        for n in (3, 2, 1)
    )
    view = task_view(TaskRow("1", TaskType.DEEPFAKE, "", candidates=cards), COLUMNS)
    assert view.scores is not None
    cosine, noise = view.scores.rows
    assert [cell.best for cell in cosine.cells] == [True, False, False]
    assert [cell.best for cell in noise.cells] == [False, False, True]
    assert (cosine.arrow, noise.arrow) == ("↑", "↓")
    assert noise.tooltip(Words("en")) == "Noise in flat regions (0 to 1, lower is better; informs PQ)"


def test_damaged_and_missing_pictures_are_named_on_the_page(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.jpg"
    damaged.write_bytes(b"no picture")
    cards = (
        CandidateCard("a" * 64, damaged, "folder", "import"),
        CandidateCard("b" * 64, tmp_path / "gone.jpg", "folder", "import"),
    )
    text = outline(write_contact_sheet(tmp_path / "r", sheet(TaskRow("1", TaskType.T2I, "x", candidates=cards)))).text
    assert "damaged.jpg: not a picture" in text and "gone.jpg: No such file" in text


def test_fallback_picks_and_tasks_without_candidates_are_flagged(tmp_path: Path) -> None:
    fallback = TaskRow(
        "1", TaskType.TIE, "x", candidates=(card(tmp_path, picked=True, fallback=True),), flags=("close",)
    )
    assert concerns_of(fallback) == ("close", "fallback")
    assert concerns_of(TaskRow("2", TaskType.TIE, "x")) == ("no candidate",)
    assert concerns_of(TaskRow("3", TaskType.TIE, "x", candidates=(card(tmp_path),))) == ("no pick",)
    failure = Failure("retouch", "there is no dog brush", declined=True)
    text = outline(
        write_contact_sheet(tmp_path, sheet(fallback, TaskRow("2", TaskType.TIE, "x", failures=(failure,))))
    ).text
    assert "⚑ fallback" in text and "declined: there is no dog brush" in text


def test_many_tasks_fill_pages_that_link_to_each_other(tmp_path: Path) -> None:
    tasks = [TaskRow(str(n), TaskType.T2I, "x") for n in range(101)]
    index = write_contact_sheet(tmp_path, sheet(*tasks))
    pages = [index, tmp_path / "page-2.html", tmp_path / "page-3.html"]
    assert [page.read_text("utf-8").count("<article") for page in pages] == [50, 50, 1]
    assert f"page-3.html#{anchor('100')}" in index.read_text("utf-8")
    write_contact_sheet(tmp_path, sheet(*tasks[:1]))
    assert not pages[1].exists() and not pages[2].exists()


def test_second_run_reuses_thumbnails_and_gives_the_same_bytes(tmp_path: Path) -> None:
    row = TaskRow("1", TaskType.TIE, "x", candidates=(card(tmp_path, 1), card(tmp_path, 2)))
    index = write_contact_sheet(tmp_path / "r", sheet(row))
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in (tmp_path / "r").rglob("*.jpg")}
    page = index.read_bytes()
    write_contact_sheet(tmp_path / "r", sheet(row))
    assert len(before) == 2
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in (tmp_path / "r").rglob("*.jpg")} == before
    assert index.read_bytes() == page
    assert not list((tmp_path / "r").rglob(".*"))


def test_thumbnails_are_at_most_320_px_and_keep_the_ratio(tmp_path: Path) -> None:
    from PIL import Image

    content_id, path = picture(tmp_path, 200, (1500, 1000))
    row = TaskRow("1", TaskType.T2I, "x", candidates=(CandidateCard(content_id, path, "g", "v"),))
    write_contact_sheet(tmp_path / "r", sheet(row))
    (small,) = (tmp_path / "r" / "thumbs").rglob("*.jpg")
    assert Image.open(small).size == (213, 320)


def test_summary_counts_what_is_shown(tmp_path: Path) -> None:
    scores = {"identity.cosine": Score.of(0.1), "technical.noise": Score.unscored("too small")}
    rows = [
        TaskRow(str(n), TaskType.DEEPFAKE, "", candidates=(card(tmp_path, n, picked=True, scores=scores),))
        for n in (1, 2)
    ]
    index = write_contact_sheet(tmp_path / "r", sheet(*rows, verdict=Verdict(False, "2 rows missing"), quota="1 left"))
    tiles = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", index.read_text("utf-8")))
    assert tiles == {
        "tasks": "2", "candidates": "2", "picks": "2", "of them fallbacks": "0",
        "tasks to look at": "0", "scores": "4", "of them unscored": "2",
    }  # fmt: skip
    assert "✗ 2 rows missing" in outline(index).text and "1 left" in outline(index).text


def test_histogram_bars_and_means_by_hand() -> None:
    summary = TypeSummary()
    for overall in (0.0, 2.0, 2.2, 10.0):
        summary.candidates.add(overall)
    summary.picks.add(10.0)
    shape = histogram(summary)
    assert [(bar.x, bar.height) for bar in shape.candidates] == [
        (0, HEIGHT / 4),
        (WIDTH / 5, HEIGHT / 2),
        (WIDTH * 0.95, HEIGHT / 4),
    ]
    assert [(bar.y, bar.height) for bar in shape.picks] == [(0, HEIGHT)]
    assert shape.candidates_mean_x == pytest.approx(3.55 / 10 * WIDTH, abs=0.05)
    assert shape.picks_mean_x == WIDTH


def test_campaign_without_tasks_still_has_a_page(tmp_path: Path) -> None:
    assert "This campaign has no tasks." in outline(write_contact_sheet(tmp_path, sheet())).text


def test_memory_does_not_grow_with_the_number_of_tasks(tmp_path: Path) -> None:
    shown = card(tmp_path, picked=True, estimate=estimate(5))

    def peak_bytes(n: int) -> int:
        def rows() -> Iterator[TaskRow]:
            for number in range(n):
                yield TaskRow(str(number), TaskType.T2I, "x" * 2000, candidates=(shown,) * 4)

        tracemalloc.start()
        write_contact_sheet(tmp_path / "r", Sheet("t", "p", "us", rows()))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak_bytes(50)  # imports and template compilation happen once
    most = 1.5 * peak_bytes(100)
    # The interpreter's table of interned names grows by megabytes at once, in whichever run its turn comes: not twice.
    assert peak_bytes(400) < most or peak_bytes(400) < most


@pytest.mark.skipif(os.name == "nt", reason="a file in the way is another error there")
def test_unwritable_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="contact sheet cannot be written"):
        write_contact_sheet(tmp_path / "file", sheet())


def test_a_thumbnail_stays_in_its_folder_whatever_the_candidates_id(tmp_path: Path) -> None:
    _, path = picture(tmp_path, 90)
    made = Pictures(tmp_path / "report").thumbnail(path, "ab/../../../x")
    assert "holds a slash" in str(made.problem) or "climbs out" in str(made.problem)
    assert not (tmp_path / "report").exists()


def test_before_any_total_places_are_shown_and_points_only_in_tooltips(tmp_path: Path) -> None:
    cards = (
        card(tmp_path, 90, estimate=estimate(6.42), rank=2, behind="0.31 ± 0.20"),
        card(tmp_path, 120, estimate=estimate(6.73), rank=1, picked=True),
    )
    task = TaskRow("7", TaskType.TIE, "brighter", candidates=cards)
    page = outline(write_contact_sheet(tmp_path / "report", sheet(task, calibrated=False)))
    assert "6.42" not in page.text and "6.73" not in page.text
    assert "1 of 2" in page.text and "2 of 2" in page.text
    titles = [attributes.get("title") or "" for _, attributes in page.tags]
    assert any("estimated overall 6.42 ± 0.40, 0.31 ± 0.20 below the best of this task" in title for title in titles)
    told = outline(write_contact_sheet(tmp_path / "told", sheet(task)))
    assert "6.73" in told.text and "1 of 2" not in told.text


def test_what_is_not_applicable_is_not_counted_as_unscored(tmp_path: Path) -> None:
    scores = {
        "technical.noise": Score.unscored("the picture is flat"),
        "identity.cosine": Score.not_applicable("nobody is asked for"),
    }
    task = TaskRow("7", TaskType.TIE, "brighter", candidates=(card(tmp_path, 90, scores=scores),))
    page = write_contact_sheet(tmp_path / "report", sheet(task)).read_text("utf-8")
    assert "<dt>not applicable</dt><dd>1</dd>" in page and "<dt>of them unscored</dt><dd>1</dd>" in page
    assert ">not applicable: nobody is asked for<" in page and "unscored: the picture is flat" in page
