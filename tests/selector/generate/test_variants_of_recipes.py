"""Variants that generators need not know of: prompt styles, explicit seeds, finishes. Each is made once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from conftest import ToyGenerator
from toy_services import (
    Make,
    all_is_answered,
    attempts,
    outcomes,
    raises,
    reopened,
    stored_jobs,
    toy_service,
)

from selector import Campaign
from selector.config import Step
from selector.domain import Declined, InputError, Made, Recipe, Task, TaskInputs, TaskType
from selector.generate.recipes import PROMPT, as_shown, finished, follows, style_of, worded
from selector.store._images import ImageFolder

SUFFIX = "Keep everything else exactly as it is."
TASK = Task("1", TaskType.TIE, "red", None, None, 0)


def planned(campaign: Campaign, generator: str = "toy_remote") -> list[tuple[str, int]]:
    """(style, seed) of the newest planning of the first task."""
    from selector.store.attempts import current_plannings

    with campaign._ws.db.read() as connection:
        (found,) = [p for p in current_plannings(connection) if p.generator == generator and p.task_id == "3"]
    return [(style_of(recipe), recipe.seed) for recipe in found.recipes]


def test_a_worded_recipe_is_shown_to_its_generator_as_its_own() -> None:
    base = Recipe("tint0", 7, {"add": 10})
    recipe = worded(base, "suffix", "red, please")
    assert (recipe.variant, recipe.seed, style_of(recipe)) == ("tint0 + suffix", 7, "suffix")
    inputs, shown = as_shown(TaskInputs(TASK), recipe)
    assert (inputs.task.prompt, inputs.task.id, shown) == ("red, please", "1", base)
    assert recipe.key != base.key != worded(base, "suffix", "other words").key
    assert worded(base, "as_is", "red") is base
    assert worded(Recipe("", 7), "suffix", "x").variant == "suffix"


def test_the_words_of_a_worded_recipe_are_shown_though_the_book_has_changed() -> None:
    recipe = worded(Recipe("", 1), "rewritten", "as it was written then")
    assert as_shown(TaskInputs(TASK), recipe)[0].task.prompt == "as it was written then"


def test_a_finished_recipe_keeps_the_seed_and_names_the_finish_in_its_variant() -> None:
    made = worded(Recipe("", 3, {"a": 1}), "suffix", "x")
    recipe = finished(made, "sharpen", "v1")
    assert (recipe.variant, recipe.seed, recipe.params["a"]) == ("suffix + sharpen", 3, 1)
    assert recipe.key != finished(made, "sharpen", "v2").key


@pytest.mark.parametrize(
    ("styles", "seeds", "right"),
    [
        (("as_is", "suffix"), (), True),
        (("suffix", "as_is"), (), False),
        (("as_is",), (), False),
        (("as_is", "suffix"), (5, 6), True),
        (("as_is", "suffix"), (6, 5), False),
        (("as_is", "suffix"), (5,), False),
    ],
)
def test_a_stored_list_follows_a_step_by_styles_and_seeds(
    styles: Sequence[str], seeds: Sequence[int], right: bool
) -> None:
    stored = [
        Recipe("", 5),
        worded(Recipe("", 5), "suffix", "x"),
        Recipe("", 6),
        worded(Recipe("", 6), "suffix", "x"),
    ]
    assert follows(stored, Step("g", 4, prompts=tuple(styles), seeds=tuple(seeds))) is right


def test_prompt_styles_take_turns_and_are_paired_by_seed(make: Make) -> None:
    campaign = make({"toy_remote": {"n": 4, "prompts": ["as_is", "suffix"]}}, ["red"])
    campaign.generate()
    (first, *_), seeds = planned(campaign), [seed for _, seed in planned(campaign)]
    assert [style for style, _ in planned(campaign)] == ["as_is", "suffix"] * 2
    assert seeds == [first[1], first[1], first[1] + 1, first[1] + 1]
    sent = Counter(job.prompt for job in toy_service().submits)
    assert sent == {"red": 2, f"red. {SUFFIX}": 2}
    assert {a.variant for a in (b.recipe for b in attempts(campaign))} == {"", "suffix"}
    assert all_is_answered(campaign)


def test_a_generator_of_this_machine_is_shown_the_other_words_too(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[str, str]] = []
    honest = ToyGenerator.generate

    def generate(self: ToyGenerator, inputs: TaskInputs, recipe: Recipe) -> Made:
        shown.append((inputs.task.prompt, recipe.variant))
        assert PROMPT not in recipe.params
        return honest(self, inputs, recipe)

    monkeypatch.setattr(ToyGenerator, "generate", generate)
    campaign = make({"toy": {"n": 2, "prompts": ["as_is", "suffix"]}}, ["red"])
    assert campaign.generate().failed == 0
    assert shown == [("red", "tint0"), (f"red. {SUFFIX}", "tint0")]


def test_more_candidates_extend_every_style_and_make_nothing_again(make: Make) -> None:
    plan: dict[str, Any] = {"n": 3, "prompts": ["as_is", "suffix"]}
    campaign = make({"toy_remote": plan}, ["red"])
    campaign.generate()
    before = planned(campaign)
    again = reopened(campaign, {"toy_remote": {**plan, "n": 6}})
    summary = again.generate()
    assert (summary.made, summary.already) == (3, 3)
    assert planned(again)[:3] == before
    assert Counter(style for style, _ in planned(again)) == {"as_is": 3, "suffix": 3}
    assert set(toy_service().images().values()) == {1}


def test_a_style_that_is_added_later_shares_the_number_and_keeps_what_is_there(make: Make) -> None:
    campaign = make({"toy_remote": 4}, ["red"])
    campaign.generate()
    again = reopened(campaign, {"toy_remote": {"n": 4, "prompts": ["as_is", "suffix"]}})
    summary = again.generate()
    assert (summary.made, summary.already) == (2, 2)
    assert set(toy_service().images().values()) == {1}
    assert reopened(again).generate().made == 0


def test_the_same_words_under_two_names_are_made_once(make: Make) -> None:
    # An English prompt translated is itself, and this one has its suffix already.
    prompt = f"red. {SUFFIX}"
    campaign = make({"toy_remote": {"n": 4, "prompts": ["as_is", "suffix", "translated"]}}, [prompt])
    assert campaign.generate().made == 4
    assert [style for style, _ in planned(campaign)] == ["as_is"] * 4
    assert sorted(toy_service().images().values()) == [1] * 4
    again = reopened(campaign)
    assert again.estimate().generators["toy_remote"].to_make == 0
    assert again.generate().made == 0


def test_a_style_that_cannot_be_had_now_is_told_and_leaves_its_share_open(make: Make) -> None:
    campaign = make({"toy_remote": {"n": 6, "prompts": ["as_is", "suffix", "rewritten"]}, "toy": 1}, ["red"])
    summary = campaign.generate()
    assert (outcomes(campaign)["toy_remote", "made"], summary.missing) == (4, 1)
    assert "prompt_writer" in next(iter(summary.reasons))
    assert outcomes(campaign)["toy", "made"] == 1  # what is missing for now falls to nobody


def test_two_styles_that_cannot_be_had_leave_both_shares_open(make: Make) -> None:
    campaign = make({"toy_remote": {"n": 6, "prompts": ["as_is", "translated", "rewritten"]}}, ["变红"])
    campaign.generate()
    assert outcomes(campaign)["toy_remote", "made"] == 2


def test_refused_words_do_not_keep_other_words_back(make: Make) -> None:
    toy_service().on_submit = lambda job: raises(Declined("no"))() if job.prompt == "red" else None
    campaign = make({"toy_remote": {"n": 4, "prompts": ["as_is", "suffix"]}}, ["red"])
    summary = campaign.generate()
    assert (summary.made, summary.declined, len(toy_service().submits)) == (2, 2, 3)


def test_explicit_seeds_are_used_in_their_order_and_no_other(make: Make) -> None:
    campaign = make({"toy_remote": {"seeds": [77, 5]}}, ["a", "b"])
    assert campaign.generate().made == 4
    assert planned(campaign) == [("as_is", 77), ("as_is", 5)]
    assert {seed for _, _, seed in toy_service().images()} == {77, 5}
    assert reopened(campaign).generate().made == 0


def test_explicit_seeds_are_used_by_every_style(make: Make) -> None:
    campaign = make({"toy_remote": {"seeds": [77, 5], "prompts": ["as_is", "suffix"]}}, ["red"])
    assert campaign.generate().made == 4
    assert planned(campaign) == [("as_is", 77), ("suffix", 77), ("as_is", 5), ("suffix", 5)]


def test_other_seeds_make_new_images_and_an_added_one_only_its_own(make: Make) -> None:
    campaign = make({"toy_remote": {"seeds": [77, 5]}}, ["a"])
    campaign.generate()
    again = reopened(campaign, {"toy_remote": {"seeds": [77, 5, 6]}})
    assert again.estimate().generators["toy_remote"].to_make == 1
    assert again.generate().made == 1
    other = reopened(again, {"toy_remote": {"seeds": [1, 2]}})
    assert other.estimate().generators["toy_remote"].to_make == 2
    assert other.generate().made == 2


def test_finishes_are_candidates_of_their_own_and_made_once(make: Make) -> None:
    campaign = make({"toy_remote": {"n": 2, "finishes": ["sharpen", "grain"]}}, ["a", "b"])
    summary = campaign.generate()
    assert summary.made == 4 * 3
    assert (summary.generators["toy_remote"].cost, len(toy_service().submits)) == (2.0, 4)
    variants = Counter(a.recipe.variant for a in attempts(campaign))
    assert variants == {"": 4, "sharpen": 4, "grain": 4}
    assert len({a.candidate_id for a in attempts(campaign)}) == 12
    again = reopened(campaign)
    before = attempts(again)
    assert (again.generate().made, attempts(again)) == (0, before)


def test_a_finish_names_what_it_was_made_from(make: Make) -> None:
    campaign = make({"toy_remote": {"n": 1, "finishes": ["sharpen"]}})
    campaign.generate()
    base, further = attempts(campaign)
    assert further.notes["finished_from"] == base.candidate_id
    assert further.notes["finish"][0]["step"] == "sharpen"


def test_a_picture_is_read_once_for_all_its_finishes(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = make({"toy_remote": {"n": 2, "finishes": ["sharpen", "grain", "denoise"]}})
    read: list[str] = []
    whole = ImageFolder.picture
    monkeypatch.setattr(ImageFolder, "picture", lambda self, id_: (read.append(id_), whole(self, id_))[1])
    assert campaign.generate().made == 2 * 4
    assert sorted(read) == sorted(str(a.candidate_id) for a in attempts(campaign) if a.recipe.variant == "")


def test_finishes_that_are_added_later_are_made_of_what_is_there_and_paid_by_nobody(make: Make) -> None:
    campaign = make({"toy_remote": 2}, ["a", "b"])
    campaign.generate()
    again = reopened(campaign, {"toy_remote": {"n": 2, "finishes": ["sharpen"]}})
    estimated = again.estimate().generators["toy_remote"]
    assert (estimated.to_make, estimated.finishes, estimated.cost) == (0, 4, 0.0)
    summary = again.generate()
    assert (summary.made, summary.already, len(toy_service().submits)) == (4, 4, 4)
    assert len(stored_jobs(again)) == 4
    assert again.estimate().generators["toy_remote"].finishes == 0


def test_other_settings_of_a_finish_are_another_finish(make: Make) -> None:
    campaign = make({"toy": {"n": 1, "finishes": ["grain"]}})
    campaign.generate()
    again = reopened(campaign, finish={"grain_strength": 6.0})
    assert again.estimate().generators["toy"].finishes == 1
    assert again.generate().made == 1
    assert again.generate().made == 0


def test_a_lost_file_of_a_finish_is_made_again_from_its_picture(make: Make) -> None:
    campaign = make({"toy_remote": {"n": 2, "finishes": ["sharpen"]}})
    campaign.generate()
    lost = [str(a.candidate_id) for a in attempts(campaign) if a.recipe.variant == "sharpen"]
    for one in lost:
        campaign._ws.images.path(one).unlink()
    again = reopened(campaign)
    assert again.generate().made == 2
    assert all(again._ws.images.path(one).is_file() for one in lost)
    assert len(toy_service().submits) == 2


def test_a_lost_picture_and_its_lost_finish_are_both_made_again(make: Make) -> None:
    campaign = make({"toy": {"n": 1, "finishes": ["sharpen"]}})
    campaign.generate()
    for a in attempts(campaign):
        campaign._ws.images.path(str(a.candidate_id)).unlink()
    again = reopened(campaign)
    assert again.generate().made == 2
    assert len({a.candidate_id for a in attempts(again)}) == 2


def test_a_finish_that_makes_no_sense_is_declined_and_falls_to_nobody(make: Make) -> None:
    campaign = make({"toy_remote": {"n": 2, "finishes": ["upscale"]}, "toy": 1})
    summary = campaign.generate()
    assert (summary.made, summary.declined) == (3, 2)
    assert reopened(campaign).generate().declined == 0


def test_what_fell_through_is_finished_once_too(make: Make) -> None:
    toy_service().on_submit = raises(Declined("never"))
    campaign = make({"toy_remote": 3, "toy": {"n": 3, "finishes": ["sharpen"]}}, ["a", "b", "c"])
    summary = campaign.generate()
    assert summary.made == 3 * 6 * 2
    assert outcomes(campaign)["toy", "made"] == 36  # neither more attempts than images nor fewer


@pytest.mark.parametrize("step", [{"finishes": ["sharpn"]}, {"prompts": ["sufix"]}])
def test_an_unknown_treatment_is_an_input_error_before_anything_is_made(make: Make, step: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"did you mean '(sharpen|suffix)'"):
        make({"toy_remote": {"n": 2, **step}})


def test_a_wrong_setting_of_a_finish_is_an_input_error_before_anything_is_made(make: Make) -> None:
    campaign = make({"toy_remote": {"n": 2, "finishes": ["grain"]}}, finish={"grain_strengh": 1.0})
    for verb in (campaign.generate, lambda: campaign.estimate()):
        with pytest.raises(InputError, match="did you mean 'grain_strength'"):
            verb()
    assert not attempts(campaign)
    assert toy_service().submits == []
