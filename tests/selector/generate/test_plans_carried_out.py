"""``generate --plan``: what a plan proposed is made once, however often it is carried out; wrong tables are told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import ToyGenerator, noise_jpeg

from selector import Campaign
from selector.domain import InputError
from selector.domain.errors import InputProblems
from selector.learn.plan_generating import Wish

Files = Callable[[Sequence[str]], tuple[Path, Path]]
Run = Callable[..., tuple[int, str, str]]
HEADER = "task,generator,candidates,has"


@pytest.fixture
def scored(campaign: Campaign) -> Campaign:
    campaign.generate()
    campaign.score()
    return campaign


def table(path: Path, *rows: str) -> Path:
    path.write_text("\n".join([HEADER, *rows]) + "\n", "utf-8")
    return path


def test_what_plan_writes_generate_takes_and_twice_makes_nothing_twice(
    scored: Campaign, tmp_path: Path, run: Run
) -> None:
    out = tmp_path / "gen.csv"
    code, words, _ = run("plan", "-C", scored.folder, "--generate", "4", "--out", out)
    assert code == 0 and f"then: bestshot generate --plan {out}" in words
    wished = sum(w.count for w in scored.plan_generating(4).wishes)
    before = len(ToyGenerator.calls)
    assert run("generate", "-C", scored.folder, "--plan", out)[0] == 0
    assert len(ToyGenerator.calls) - before == wished > 0
    assert run("generate", "-C", scored.folder, "--plan", out)[0] == 0
    assert len(ToyGenerator.calls) - before == wished
    assert scored.generate().made == 0, "and what the configuration asks for is there, too"


def test_only_what_the_plan_names_is_made(campaign: Campaign, tmp_path: Path) -> None:
    plan = table(tmp_path / "gen.csv", "10,toy,2,0", "3,toy,0,0")
    assert campaign.estimate(plan=plan).generators["toy"].to_make == 2
    assert campaign.generate(plan=plan).made == 2
    assert {task for task, _ in ToyGenerator.calls} == {"10"}
    assert campaign.generate(plan=[Wish("10", "toy", 1, 0.0, has=2)]).made == 1


def test_what_a_generator_has_no_ideas_for_is_told(
    scored: Campaign, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_of = ToyGenerator.recipes
    monkeypatch.setattr(ToyGenerator, "recipes", lambda self, inputs, n, seed: all_of(self, inputs, min(n, 4), seed))
    plan = table(tmp_path / "gen.csv", "10,toy,6,3")
    code, words, _ = run("generate", "-C", scored.folder, "--plan", plan)
    assert code == 0 and "1 candidate made" in words
    assert "5 of those asked for were not made: toy has no more ideas for their tasks" in words
    assert scored.generate(n=9).without_ideas == {"toy": 15}
    assert scored.generate().without_ideas == {}


def test_a_person_may_ask_for_more_in_the_table(scored: Campaign, tmp_path: Path) -> None:
    assert scored.generate(plan=table(tmp_path / "gen.csv", "10,toy,2,3")).made == 2
    assert scored.generate(plan=table(tmp_path / "gen.csv", "10,toy,5,3")).made == 3


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("11,toy,1,0", "line 2: there is no task '11' in this campaign"),
        ("010,toy,1,0", "line 2: there is no task '010' in this campaign (did you mean '10'?)"),
        ("10,tay,1,0", "line 2: 'tay' is not in [generate] tie in campaign.toml (did you mean 'toy'?)"),
        ("10,folder:x,1,0", "line 2: 'folder:x' is an import: make these with your tool, and `bestshot import` them"),
        ("10,toy,some,0", "line 2: 'candidates' must be a whole number from 0 to 10000, got 'some'"),
        ("10,toy,-1,0", "got '-1'"),
        ("10,toy,1,", "line 2: 'has' is empty: say how many"),
        ("10,toy,1,0\n10,toy,2,0", "line 3: 'toy' and task 10 stand on line 2 already: keep one row"),
    ],
)
def test_wrong_rows_are_told_with_their_lines_and_nothing_is_made(
    campaign: Campaign, tmp_path: Path, row: str, said: str
) -> None:
    with pytest.raises(InputProblems) as caught:
        campaign.generate(plan=table(tmp_path / "gen.csv", row))
    assert said in str(caught.value)
    assert ToyGenerator.calls == []


def test_a_column_that_is_missing_is_named(campaign: Campaign, tmp_path: Path) -> None:
    path = tmp_path / "gen.csv"
    path.write_text("task,generator,candidates\n10,toy,1\n", "utf-8")
    with pytest.raises(InputError, match="'has' is missing"):
        campaign.generate(plan=path)
    with pytest.raises(InputError, match="leave out n"):
        campaign.generate(plan=path, n=3)


def test_a_generator_out_of_ideas_is_not_proposed_again(scored: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    every = ToyGenerator.recipes

    def few(self: ToyGenerator, inputs: Any, n: int, seed: int) -> Any:
        asked.append(n)
        return every(self, inputs, min(n, 3), seed)

    monkeypatch.setattr(ToyGenerator, "recipes", few)
    assert scored.plan_generating(6).wishes
    scored.generate(plan=[Wish(task, "toy", 2, 0.0, has=3) for task in ("3", "10", "17")])
    found = scored.plan_generating(6)
    assert found.wishes == () and found.without_ideas == {"toy": ("3", "10", "17")}


def test_imports_are_not_proposed_to_generate_but_named(scored: Campaign, tmp_path: Path, run: Run) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for number, name in enumerate(("3", "3_b", "10", "10_b", "17", "17_b")):
        (folder / f"{name}.jpg").write_bytes(noise_jpeg(60 + number))
    scored.import_folder(folder, "mine")
    scored.score()
    found = scored.plan_generating(6)
    assert {w.generator for w in found.wishes} <= {"toy"}
    assert {w.generator for w in found.by_hand} <= {"folder:mine"}
    out = tmp_path / "mine.csv"
    words = run("plan", "-C", scored.folder, "--generate", "6", "--generator", "folder:mine", "--out", out)[1]
    assert "generate --plan" not in words
    if found.by_hand:
        assert "with your tool 'mine'" in words and "bestshot import FOLDER --label mine" in words


def test_what_people_excluded_is_not_proposed(scored: Campaign) -> None:
    assert {w.generator for w in scored.plan_generating(6).wishes} == {"toy"}
    scored.decisions.exclude("all alike", task="10", generator="toy")
    assert "10" not in {w.task_id for w in scored.plan_generating(60).wishes}
    assert {w.task_id for w in scored.plan_generating(60).wishes} == {"3", "17"}


@pytest.mark.parametrize(("name", "said"), [("folder:mine", "'folder:mine' is an import"), ("toi", "'toi' is not in")])
def test_a_wish_for_what_is_not_configured_is_told(campaign: Campaign, name: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        campaign.generate(plan=[Wish("3", name, 1, 0.0)])
