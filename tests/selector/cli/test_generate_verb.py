"""``bestshot generate`` with services: what it would cost, what it says while and after it works."""

from __future__ import annotations

import json

import pytest
from conftest import Run
from toy_services import Make, ToyRemote, attempts, raises, reopened, toy_service

from selector.cli.common import progress_bar
from selector.cli.main import INTERRUPTED
from selector.domain import Declined, MissingPart, ServiceStopped


def row(text: str, name: str) -> list[str]:
    """The words of a table's row."""
    return next(line.split() for line in text.splitlines() if line.startswith(name))


def test_a_dry_run_shows_a_table_and_makes_nothing(run: Run, make: Make) -> None:
    campaign = make({"toy_remote": {"n": 4, "finishes": ["sharpen"]}, "toy": 1}, ["a", "b"])
    code, out, err = run("generate", "--dry-run", "-C", campaign.folder)
    assert (code, err) == (0, "")
    assert row(out, "generator")[:2] == ["generator", "tasks"]
    assert row(out, "toy_remote") == ["toy_remote", "2", "0", "8", "-", "8", "4.00", "CNY"]
    assert row(out, "toy ") == ["toy", "2", "0", "2", "-", "-"]
    assert not attempts(campaign)
    assert toy_service().submits == []


def test_a_dry_run_says_by_how_much_the_budget_would_be_passed(run: Run, make: Make) -> None:
    campaign = make({"toy_remote": 4}, ["a", "b"], services={"toyland": {"budget": 1.5}})
    out = run("generate", "--dry-run", "-C", campaign.folder)[1]
    assert "budget of toyland: 1.50 CNY left" in out
    assert "that is 2.50 more than is left at toyland" in out


def test_a_dry_run_is_json_for_programs(run: Run, make: Make) -> None:
    campaign = make({"toy_remote": 4}, ["a"])
    told = json.loads(run("generate", "--dry-run", "--json", "-n", 2, "-C", campaign.folder)[1])
    assert told["left_out"] == {}
    assert told["generators"]["toy_remote"] == {
        "tasks": 1,
        "settled": 0,
        "to_make": 2,
        "collect": 0,
        "finishes": 0,
        "price": 0.5,
        "cost": 1.0,
        "currency": "CNY",
        "service": "toyland",
        "left": None,
        "other_kind": 0,
        "unwritten": 0,
        "unplanned": 2,
        "falling": 0,
        "blocked": {},
    }


def test_a_dry_run_of_an_unknown_price_says_so(run: Run, make: Make) -> None:
    campaign = make({"toy_remote": 4}, generators={"toy_remote": {"free": True}})
    assert row(run("generate", "--dry-run", "-C", campaign.folder)[1], "toy_remote")[-2:] == ["not", "known"]


def test_a_dry_run_honours_the_options_of_the_run(run: Run, make: Make) -> None:
    campaign = make({"toy_remote": 4, "toy": 1}, ["a", "b"])
    options = ("--generator", "toy_remote", "--task", "10", "-n", "3", "--dry-run")
    out = run("generate", *options, "-C", campaign.folder)[1]
    assert row(out, "toy_remote")[1:4] == ["1", "0", "3"]
    assert "toy " not in out


def test_nothing_configured_is_said(run: Run, make: Make) -> None:
    campaign = make({"toy": 1})
    out = run("generate", "--dry-run", "--type", "t2i", "-C", campaign.folder)[1]
    assert "nothing is configured for these tasks" in out


def test_a_run_that_costs_says_what_at_most_before_it_starts(run: Run, make: Make) -> None:
    campaign = make({"toy_remote": 2, "toy": 1}, ["a", "b"], services={"toyland": {"budget": 5.0}})
    code, out, err = run("generate", "-C", campaign.folder)
    assert code == 0
    assert "toy_remote: 4 images to make at toyland, at most 2.00 CNY" in err
    assert "budget of toyland: 5.00 CNY left" in err
    assert "6 candidates made, 0 settled before, 0 failed, 0 declined" in out
    assert "toy_remote: 4 made in" in out
    assert "2.00 CNY" in out


def test_a_run_that_costs_nothing_says_nothing_of_costs(run: Run, make: Make) -> None:
    campaign = make({"toy_remote": 2}, ["a"])
    campaign.generate()
    code, out, err = run("generate", "-C", reopened(campaign).folder)
    assert (code, err) == (0, "")
    assert "0 candidates made, 2 settled before" in out


def test_what_is_left_for_another_run_is_told_with_its_reason(run: Run, make: Make) -> None:
    toy_service().on_submit = raises(ServiceStopped("service toyland: the key is not accepted"))
    campaign = make({"toy_remote": 2, "toy": 1}, ["a", "b"])
    code, out, _ = run("generate", "-C", campaign.folder)
    assert code == 1
    assert "left for another run:" in out
    assert "4 x toy_remote: service toyland: the key is not accepted" in out
    told = json.loads(run("generate", "--json", "-C", campaign.folder)[1])
    assert list(told["left"].values()) == [4]


def test_tasks_that_all_refused_are_named(run: Run, make: Make) -> None:
    toy_service().on_submit = raises(Declined("the words are refused"))
    campaign = make({"toy_remote": 2}, ["a", "b"])
    code, out, _ = run("generate", "-C", campaign.folder)
    assert code == 0, "refusals are settled"
    assert "4 x toy_remote: the words are refused" in out
    assert "tasks without a candidate: 2 (3, 10)" in out


@pytest.mark.parametrize("dry", [("--dry-run",), ()])
def test_a_service_that_there_is_not_is_one_line(run: Run, make: Make, dry: tuple[str, ...]) -> None:
    campaign = make({"toy_remote": 2}, generators={"toy_remote": {"service": "nowhere"}})
    code, out, err = run("generate", *dry, "-C", campaign.folder)
    assert (code, out, len(err.strip().splitlines())) == (2, "", 1)
    assert "there is no [services.nowhere]" in err


def test_ctrl_c_ends_with_one_line(run: Run, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> object:
        def show(stage: str, done: int, total: int, note: str = "") -> None:  # noqa: ARG001
            if done:
                raise KeyboardInterrupt

        return show

    monkeypatch.setattr("selector.cli._make_verbs.progress_bar", interrupted)
    campaign = make({"toy_remote": 2}, ["a", "b"])
    code, _, err = run("generate", "-C", campaign.folder)
    assert code == INTERRUPTED
    assert err.splitlines()[-1] == "bestshot: interrupted; nothing is lost, run the same command again to go on"
    assert reopened(campaign).generate().failed == 0
    assert set(toy_service().images().values()) == {1}


def test_bars_of_several_generators_run_side_by_side_and_grow(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    show = progress_bar()
    show("one", 0, 4)
    show("two", 0, 2, "1 running")
    show("one", 3, 4)
    show("two", 2, 5, "3 running, 0.5/s")
    show("one", 4, 4)
    show("two", 5, 5)
    told = capsys.readouterr().err
    assert "one" in told
    assert "5/5" in told


def test_a_generator_that_cannot_run_is_told_before_and_ends_with_1(
    run: Run, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ToyRemote, "check", raises(MissingPart("no key: export TOY_KEY=... first")))
    campaign = make({"toy_remote": 2, "toy": 1}, ["a", "b"])
    code, out, _ = run("generate", "--dry-run", "-C", campaign.folder)
    assert code == 0
    assert "cannot be made now: toy_remote 4 images: no key: export TOY_KEY=... first" in out
    code, out, err = run("generate", "-C", campaign.folder)
    assert (code, err) == (1, ""), "no cost is announced"
    assert "no key: export TOY_KEY" in out


def test_a_dry_run_names_types_that_nobody_makes(run: Run, make: Make) -> None:
    out = run("generate", "--dry-run", "-C", make({}, ["a", "b"]).folder)[1]
    assert "2 tie tasks have no generator" in out


def test_without_a_terminal_a_long_run_prints_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    show = progress_bar(every_seconds=0.0)
    show("dashscope", 120, 4000, "8 running, 3 failed, 16.80 CNY")
    show("toy", 1, 2)
    show("toy", 2, 2)
    assert capsys.readouterr().err.splitlines() == [
        "dashscope: 120 of 4000, 8 running, 3 failed, 16.80 CNY",
        "toy: 1 of 2",
    ]
    seldom = progress_bar()
    seldom("toy", 0, 2)
    seldom("toy", 1, 2)
    assert capsys.readouterr().err == ""
