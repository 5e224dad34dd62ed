"""The closed world as a contest: the truth of edits, what baselines score, and a game that comes again."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from selector.demo.closed_world._edit_truth import check_edit
from selector.demo.closed_world._edits import (
    Edit,
    Source,
    edited_background,
    edited_groups,
    edited_shapes,
    instruction,
    random_edit,
    random_source,
    repainted,
)
from selector.demo.closed_world.render import Pixels
from selector.demo.closed_world.scene import Group, Scene
from selector.demo.closed_world.simulated import EDITORS, Maker, edited
from selector.demo.play import plan as play_plan
from selector.demo.play import scores as play_scores
from selector.demo.play.contest import FIRST_DAY, play_tasks
from selector.demo.play.figures import Figure, as_document
from selector.demo.play.game import Clock, Game, Leaderboard, Rules, _drawn, own_campaign
from selector.demo.play.game import play as play_game
from selector.demo.play.plan import PoolPlan
from selector.demo.play.pool import Pool, campaign_of, make_pool
from selector.demo.play.report import as_json, by_day, lead, lines_of, verdict
from selector.demo.play.scores import GENERATOR, ORACLE, RANDOM, SIMILAR, baseline_points
from selector.domain import InputError, Pick, Picture, TaskType
from selector.prompts.edits.change import edit_of
from selector.sight.embedded import TEXT_TO_IMAGE

RED, GREEN = Group(1, "red", "circle", "large"), Group(1, "green", "cross", "small")
SOURCE = Source(Scene((RED, GREEN), "x", "grey"), ((RED, (18.0, 32.0, 10.0)), (GREEN, (48.0, 30.0, 7.0))), seed=5)
BLUE = Edit("colour", 0, "blue")
PLAN = PoolPlan(prompts=7, edits=5, each=1, days=3, stand_in=True, scorers=("gate", "technical"))


def made(edit: Edit) -> Pixels:
    """The source, rightly edited."""
    return repainted(SOURCE, edited_background(SOURCE.scene, edit), edited_shapes(SOURCE, edit))


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    return make_pool(tmp_path_factory.mktemp("play") / "pool", PLAN)


@pytest.fixture(scope="module")
def games(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> list[Game]:
    folder = tmp_path_factory.mktemp("games")
    return [play_game(pool, folder / "same", seed, Rules(0.75)) for seed in (4, 5)]  # the second makes its place anew


@pytest.mark.parametrize(
    "edit", [BLUE, Edit("shape", 1, "square"), Edit("removal", 1, ""), Edit("background", -1, "white")]
)
def test_a_right_edit_has_full_marks_and_the_untouched_source_none(edit: Edit) -> None:
    right, nothing = check_edit(made(edit), SOURCE, edit), check_edit(SOURCE.picture, SOURCE, edit)
    assert (right.success, right.kept) == (10, pytest.approx(10, abs=0.01))
    assert right.overall > 9.5
    assert (nothing.success, nothing.sc, nothing.overall) == (0, 0, 0)
    assert nothing.kept > 9.9


def test_an_edit_of_the_wrong_shape_fails_and_over_edits() -> None:
    truth = check_edit(made(Edit("colour", 1, "blue")), SOURCE, BLUE)
    assert truth.success == 0
    assert 4 < truth.kept < 8


@pytest.mark.parametrize("also", ["background", "moved", "recoloured", "stranger", "removed"])
def test_what_is_changed_beside_the_edit_costs_over_editing_and_not_success(also: str) -> None:
    (red, green), background = edited_shapes(SOURCE, BLUE), "grey"
    moved, recoloured = (GREEN, (48.0, 50.0, 7.0)), (replace(GREEN, colour="yellow"), green[1])
    shapes = {"moved": (red, moved), "recoloured": (red, recoloured), "removed": (red,)}.get(also, (red, green))
    shapes += ((Group(1, "yellow", "square", "small"), (15.0, 52.0, 7.0)),) if also == "stranger" else ()
    truth = check_edit(repainted(SOURCE, "white" if also == "background" else background, shapes), SOURCE, BLUE)
    assert truth.success == 10
    assert 0 < truth.kept < 8
    assert truth.sc == truth.kept


def test_a_right_edit_badly_painted_loses_quality_alone() -> None:
    noise = np.random.default_rng(1).normal(0, 25, (64, 64, 3))
    truth = check_edit(np.clip(made(BLUE) + noise, 0, 255).astype(np.uint8), SOURCE, BLUE)
    assert truth.sc == pytest.approx(10, abs=0.01)
    assert truth.pq < 8


def test_two_shapes_of_a_group_of_which_one_is_edited_are_half_a_success() -> None:
    two = replace(RED, count=2)
    source = replace(
        SOURCE, scene=Scene((two,), "x", "grey"), shapes=((two, (16.0, 20.0, 10.0)), (two, (45.0, 40.0, 10.0)))
    )
    blue = replace(two, colour="blue")
    half = repainted(source, "grey", ((blue, source.shapes[0][1]), source.shapes[1]))
    assert check_edit(half, source, BLUE).success == 5


def test_edits_leave_a_scene_that_can_be_told_and_are_understood_in_both_languages() -> None:
    for number in range(60):
        rng = np.random.default_rng(number)
        source = random_source(rng)
        edit = random_edit(source, rng)
        groups = edited_groups(source.scene, edit)
        assert len({(group.colour, group.shape) for group in groups}) == len(groups) >= 1
        assert groups != source.scene.groups or edit.kind == "background"
        for language in ("en", "zh"):
            assert edit_of(instruction(source, edit, rng, language)).change is not None


def test_instructions_name_the_group_and_what_it_becomes() -> None:
    two = replace(SOURCE, scene=replace(SOURCE.scene, groups=(replace(RED, count=2), GREEN)))
    rng = np.random.default_rng(0)
    assert {instruction(SOURCE, BLUE, rng, "en") for _ in range(20)} == {
        "Make the red circle blue",
        "Change the color of the red circle to blue",
    }
    assert instruction(two, Edit("shape", 0, "cross"), rng, "en") == "Turn the two red circles into crosses"
    assert instruction(two, Edit("shape", 0, "cross"), rng, "zh") == "把两个红色的圆形变成十字形"


def test_a_perfect_editor_is_right_and_a_hopeless_one_is_not() -> None:
    def mean(editor: Maker) -> float:
        rngs = [np.random.default_rng([3, i]) for i in range(20)]
        return float(np.mean([check_edit(edited(SOURCE, BLUE, editor, rng), SOURCE, BLUE).overall for rng in rngs]))

    assert mean(Maker("perfect", 1, 1, 1)) > 9.5
    assert mean(Maker("hopeless", 0, 0, 0)) < 2
    assert len({editor.name for editor in EDITORS}) == len(EDITORS)


def test_tasks_are_of_both_kinds_and_languages_and_come_again() -> None:
    tasks = play_tasks(6, 4, seed=0)
    assert [task.type for task in tasks] == [TaskType.T2I] * 6 + [TaskType.TIE] * 4
    assert len({task.id for task in tasks}) == 10
    assert [task.prompt.isascii() for task in tasks] == [True, False] * 5
    assert play_tasks(6, 4, seed=0) == tasks != play_tasks(6, 4, seed=1)


def test_the_leaderboard_shows_the_rounded_mean_with_the_judges_noise() -> None:
    truth = {("1", "a"): 8.0, ("2", "b"): 3.005}
    picks = [Pick("1", "a", None, False, ""), Pick("2", "b", None, False, ""), Pick("3", "c", None, True, "")]
    exact = Leaderboard(truth, 0.0, np.random.default_rng(0))
    assert exact.total(picks) == pytest.approx(3.67)  # the last resort shows nothing that was asked for
    noisy = Leaderboard(truth, 0.5, np.random.default_rng(0))
    totals = [noisy.total(picks[:2]) for _ in range(400)]
    assert all(total == round(total, 2) for total in totals)
    assert np.std(totals) == pytest.approx(0.5 / np.sqrt(2), rel=0.15)


def test_every_candidate_of_a_pool_has_a_truth_and_a_pool_is_kept(pool: Pool) -> None:
    assert {task for task, _ in pool.truth} == {task.id for task in pool.tasks}
    assert all(0 <= score <= 10 for score in pool.truth.values())
    images = campaign_of(pool.folder) / "images"
    (task, candidate), score = next(iter(pool.truth.items()))
    picture = Picture((images / candidate[:2] / f"{candidate}.jpg").read_bytes(), "").rgb
    assert {t.id: t for t in pool.tasks}[task].truth(picture) == pytest.approx(score, abs=1e-3)
    made_again = make_pool(pool.folder, PLAN)
    assert made_again.truth == pool.truth


def test_a_pool_of_other_settings_is_not_played_on(pool: Pool) -> None:
    with pytest.raises(InputError, match="other settings"):
        make_pool(pool.folder, replace(PLAN, each=2))


def test_a_pool_is_of_one_model_and_does_not_depend_on_what_a_team_was_told(pool: Pool) -> None:
    known = pool.folder / "plan.json"
    before = known.read_text(encoding="utf-8")
    assert make_pool(pool.folder, PLAN.untold()).truth == pool.truth
    assert known.read_text(encoding="utf-8") == before
    known.write_text(json.dumps({**json.loads(before), "models": {"text to image": "1-old"}}), encoding="utf-8")
    with pytest.raises(InputError, match=r"another model \(text to image: 1-old, now none\)"):
        make_pool(pool.folder, PLAN)
    known.write_text(before, encoding="utf-8")


def test_models_are_known_by_their_content(tmp_path: Path) -> None:
    made = PoolPlan(scorers=("gate",), model=str(shutil.copytree(TEXT_TO_IMAGE, tmp_path / "m"))).models
    (tmp_path / "m" / "scheduler" / "scheduler_config.json").write_text("{}", encoding="utf-8")
    other = PoolPlan(scorers=("gate",), model=str(tmp_path / "m")).models
    assert set(made) == set(other) == {"text to image"}
    assert made != other
    assert PLAN.models == {}


def test_a_game_is_made_anew_and_nothing_else_is_deleted(pool: Pool, tmp_path: Path) -> None:
    tasks = pool.tasks[:3]
    for _ in range(2):
        own_campaign(pool, tmp_path / "1", tasks, Clock()).close()
    (tmp_path / "2").mkdir()
    (tmp_path / "2" / "thesis.txt").write_text("all of it", encoding="utf-8")
    with pytest.raises(InputError, match="holds no game"):
        own_campaign(pool, tmp_path / "2", tasks, Clock())
    assert (tmp_path / "2" / "thesis.txt").exists()


def test_a_game_has_two_submissions_a_day_and_comes_again(pool: Pool, games: list[Game], tmp_path: Path) -> None:
    first, other = games
    assert play_game(pool, tmp_path / "again", 4, Rules(0.75)) == first
    assert first.tasks == 5 + 4
    assert len(first.days) == PLAN.days
    assert len(first.days[0].totals) == 2
    assert all(len(day.totals) <= 2 for day in first.days)
    assert first.gaps[RANDOM] == 0 and first.gaps[ORACLE] == 1
    assert all(day.known <= 1 for day in first.days)
    assert other.days != first.days


def test_a_game_is_a_campaign_of_its_own_with_the_pools_scores(pool: Pool, tmp_path: Path) -> None:
    tasks = _drawn(pool.tasks, 0.6, np.random.default_rng(1))
    clock = Clock()
    with own_campaign(pool, tmp_path, tasks, clock) as campaign:
        assert [task.id for task in campaign.tasks] == [task.id for task in tasks]
        assert not list(campaign.submissions)
        status = campaign.status()
        assert sum(kind.candidates for kind in status.types.values()) == len(
            [1 for task, _ in pool.truth if task in {t.id for t in tasks}]
        )
        assert status.scores > 0
        clock.day = 2
        assert campaign.submissions.quota().day == date(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day + 2)


def test_baselines_are_what_their_picks_are_expected_to_score(pool: Pool, tmp_path: Path) -> None:
    with own_campaign(pool, tmp_path, pool.tasks, Clock()) as campaign:
        found = baseline_points(campaign.folder / "campaign.db", pool.tasks, pool.truth)
    task = pool.tasks[0].id
    scores = [score for (of, _), score in pool.truth.items() if of == task]
    assert found[RANDOM][task] == pytest.approx(np.mean(scores))
    assert found[ORACLE][task] == max(scores)
    assert found[SIMILAR] == found[RANDOM]  # nothing measures similarity in this pool
    means = {name: np.mean(list(points.values())) for name, points in found.items()}
    assert means[RANDOM] < means[GENERATOR] < means[ORACLE]


def test_argmax_of_similarity_takes_the_most_similar_and_shares_ties(pool: Pool, tmp_path: Path) -> None:
    import sqlite3

    task = next(t.id for t in pool.tasks if t.type is TaskType.T2I)
    ranked = sorted((score, candidate) for (of, candidate), score in pool.truth.items() if of == task)
    with own_campaign(pool, tmp_path, pool.tasks, Clock()) as campaign:
        database = campaign.folder / "campaign.db"
        with sqlite3.connect(database) as connection:
            for _, candidate in ranked[:2]:
                row = (task, candidate, "clip_similarity", "1", "similarity", 0.3)
                connection.execute("INSERT INTO score VALUES (?, ?, ?, ?, ?, ?, NULL)", row)
        connection.close()
        found = baseline_points(database, pool.tasks, pool.truth)
    assert found[SIMILAR][task] == pytest.approx((ranked[0][0] + ranked[1][0]) / 2)


def test_tables_have_every_strategy_by_day(games: list[Game]) -> None:
    found = by_day(games)
    assert {len(figures) for figures in found.values()} == {PLAN.days}
    assert [one.mean for one in found[RANDOM]] == [0] * PLAN.days
    assert found["bestshot"][1].mean == pytest.approx(np.mean([game.days[1].known for game in games]))
    assert verdict(lead(games, ORACLE)) == "no"
    assert "n = 4 games" in lines_of(games * 2)[0]


def test_the_lead_counts_from_the_third_day_on() -> None:
    ahead, behind, unsure = Figure(0.2, 0.1, 0.3, 9), Figure(-0.2, -0.3, -0.1, 9), Figure(0.1, -0.1, 0.3, 9)
    assert verdict([behind, behind, ahead, ahead]) == "yes"
    assert verdict([ahead, ahead, ahead, unsure]) == "mean only"
    assert verdict([ahead, ahead, ahead, behind]) == verdict([ahead, ahead]) == "no"
    nan = Figure(np.nan, np.nan, np.nan, 9)
    assert verdict([ahead, ahead, nan]) == "no"


def test_one_game_has_no_interval_and_no_verdict(games: list[Game]) -> None:
    alone = Figure(0.2, 0.2, 0.2, 1)
    assert verdict([alone] * 3) == "one game"
    assert verdict([replace(alone, n=2)] * 3) == "two games"
    text = "\n".join(lines_of(games[:1]))
    assert "recovered gap by day, one game" in text
    assert "[" not in text and "ahead from day" not in text
    found = as_json(games[:1])
    assert found["recovered_gap"][RANDOM][0] == {"mean": 0, "low": None, "high": None, "n": 1}
    assert set(found["ahead_from_day_3"].values()) <= {"no", "one game"}


def test_where_picks_cannot_differ_json_says_null(games: list[Game]) -> None:
    flat = [replace(game, gaps=dict.fromkeys(game.gaps, float("nan"))) for game in games] * 2
    found = json.loads(as_document(as_json(flat)), parse_constant=pytest.fail)
    assert found["recovered_gap"][SIMILAR][0] == {"mean": None, "low": None, "high": None, "n": 4}
    assert set(found["ahead_from_day_3"].values()) == {"no"}


def test_on_the_shipped_models_a_pool_is_made_and_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hasty = {name: {**how, "steps": 2} for name, how in play_plan.PIPELINES.items()}
    monkeypatch.setattr(play_plan, "PIPELINES", hasty)
    pool = make_pool(tmp_path / "pool", PoolPlan(prompts=2, edits=2, each=1, days=1))
    assert set(pool.plan.models) == {"text to image", "embedding"}
    assert not pool.left_out
    game = play_game(pool, tmp_path / "game", 0, Rules(1.0))
    assert game.tasks == 4
    assert len(game.days) == 1


def test_the_correlation_of_a_score_is_that_within_tasks(pool: Pool) -> None:
    found = play_scores.correlations(pool)
    assert set(found) == {"t2i", "tie"}
    assert all(-1 <= r.low <= r.mean <= r.high <= 1 for own in found.values() for r in own.values())
    assert {r.n for r in found["t2i"].values()} == {7}
    assert "technical.noise" in found["t2i"]
    lifted = {"a": [(float(i), i + 5.0) for i in range(12)], "b": [(50.0 + i, -3.0 * i) for i in range(12)]}
    r = play_scores.within(lifted)
    assert r is not None
    assert r.mean == pytest.approx((1 - 3) / np.sqrt(2 * (1 + 9)), abs=1e-9)  # levels say nothing
    assert (r.low, r.high, r.n) == (pytest.approx(-1), pytest.approx(1), 2)  # of two tasks one may be drawn twice
    assert play_scores.within({"a": [(1.0, 1.0), (2.0, 2.0)]}) is None
