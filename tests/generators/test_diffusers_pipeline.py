"""Tiny Stable Diffusion folders through the code that runs the presets: real pipelines, random weights, a CPU."""

from __future__ import annotations

import gc
import json
import shutil
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_pipelines
from conftest import HEADER, noise_jpeg
from PIL import Image

from generators._pipelines import loading, passes
from generators._pipelines.presets import PRESETS
from generators.diffusers_pipeline import DiffusersPipeline
from selector import Campaign
from selector.conformance import check_generator
from selector.domain import (
    BatchGenerator,
    BestshotError,
    Declined,
    GenerationFailed,
    InputError,
    Made,
    MissingPart,
    OutOfResources,
    Picture,
    Task,
    TaskInputs,
    TaskType,
)
from selector.generate import generating
from selector.net import Interrupted
from selector.registry import create_generator

SIZE = (96, 80)
MOST_PIXELS_OFF = 0.01  # share of values that may differ, by one level, between a pass of one and a pass of several


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("models")
    tiny_pipelines.tiny_sd(root / "sd")
    tiny_pipelines.tiny_sd(root / "checked", checker=True)
    tiny_pipelines.tiny_sdxl(root / "sdxl")
    yield root
    loading.drop()


@pytest.fixture(autouse=True)
def no_sweeping(monkeypatch: pytest.MonkeyPatch) -> None:
    """Collecting garbage among all that torch and the tests have imported takes half a second each time."""
    monkeypatch.setattr(loading, "empty_caches", lambda: None)
    monkeypatch.setattr(passes, "empty_caches", lambda: None)


@pytest.fixture
def own_model() -> Iterator[None]:
    """A model that the test may change: it is loaded for it, and dropped after it."""
    loading.drop()
    yield
    loading.drop()


def from_text(prompt: str = "a red cat", task_id: str = "7") -> TaskInputs:
    return TaskInputs(Task(task_id, TaskType.T2I, prompt, None, None, 0))


def edit(prompt: str = "make it snow", task_id: str = "7") -> TaskInputs:
    source = Picture(noise_jpeg(3, SIZE), "source.jpg")
    return TaskInputs(Task(task_id, TaskType.TIE, prompt, "source.jpg", None, 0), source)


def pipeline(folder: Path, **settings: Any) -> DiffusersPipeline:
    return DiffusersPipeline(model_path=str(folder), **{"dtype": "fp32", "steps": 2, **settings})


def images(results: Sequence[Made | BestshotError]) -> list[Any]:
    for result in results:
        assert isinstance(result, Made), result
    return [result.image for result in results if isinstance(result, Made)]


def masks(folder: Path) -> str:
    """A mask for task 7: a square in the middle of the source."""
    mask = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    mask[30:50, 35:60] = 255
    folder.mkdir()
    Image.fromarray(mask).save(folder / "7.png")
    return str(folder)


def test_it_keeps_the_contract_from_text_and_for_edits(folders: Path) -> None:
    generator = create_generator("diffusers", {"model_path": "sd", "dtype": "fp32", "steps": 2}, folders)
    assert isinstance(generator, BatchGenerator)
    check_generator(generator, from_text())
    check_generator(generator, edit())


@pytest.mark.parametrize(
    "preset, build, settings",
    [
        ("sdxl", tiny_pipelines.tiny_sdxl, {"size": "40x32"}),
        ("cogview4-baseline", tiny_pipelines.tiny_cogview4, {"size": "48x32"}),
        ("qwen-image", tiny_pipelines.tiny_qwen_image, {"size": "48x32"}),
        ("qwen-image-edit", tiny_pipelines.tiny_qwen_edit, {"size": "64x64", "steps": 1}),
        ("flux-kontext", tiny_pipelines.tiny_kontext, {"size": "64x64"}),
    ],
)
def test_tiny_models_of_the_presets_classes_run_as_the_preset_says(
    tmp_path: Path, preset: str, build: Callable[[Path], Path], settings: dict[str, Any]
) -> None:
    generator = pipeline(build(tmp_path / "model"), preset=preset, **settings)
    inputs = edit() if TaskType.TIE in generator.task_types and preset != "sdxl" else from_text()
    generator.check()
    made = generator.generate(inputs, generator.recipes(inputs, 1, 5)[0])
    assert made.notes["pipeline"] == PRESETS[preset].pipeline
    assert made.notes["call"] == PRESETS[preset].call
    asked = [int(side) for side in settings["size"].split("x")]
    assert made.notes["made_px"] == asked
    assert made.image.shape[:2] == ((SIZE[1], SIZE[0]) if inputs.source else (asked[1], asked[0]))


@pytest.mark.parametrize("mode", ["text", "image", "inpaint"])
def test_a_seed_gives_the_same_picture_alone_and_among_others(folders: Path, tmp_path: Path, mode: str) -> None:
    folder = masks(tmp_path / "masks") if mode == "inpaint" else ""
    generator = pipeline(folders / "sd", mask_folder=folder, scheduler="EulerAncestralDiscreteScheduler")
    inputs = from_text() if mode == "text" else edit()
    recipes = generator.recipes(inputs, 3, 5)
    together = images(generator.generate_batch(inputs, recipes))
    alone = [generator.generate(inputs, recipe).image for recipe in recipes]
    for one, other in zip(together, alone, strict=True):
        off = np.abs(one.astype(int) - other.astype(int))
        assert off.max() <= 1 and (off > 0).mean() <= MOST_PIXELS_OFF
    assert len({image.tobytes() for image in together}) == 3


def test_another_instance_and_a_fresh_copy_of_the_model_give_the_same_pixels(folders: Path, tmp_path: Path) -> None:
    shutil.copytree(folders / "sd", tmp_path / "sd")
    one, other = pipeline(folders / "sd"), pipeline(tmp_path / "sd")
    recipe = one.recipes(from_text(), 1, 5)[0]
    assert recipe == other.recipes(from_text(), 1, 5)[0]
    assert one.version == other.version
    assert np.array_equal(one.generate(from_text(), recipe).image, other.generate(from_text(), recipe).image)


def test_other_weights_or_settings_of_a_folder_are_another_version(folders: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folders / "sd", tmp_path / "sd"))
    config = json.loads((copy / "scheduler" / "scheduler_config.json").read_text())
    (copy / "scheduler" / "scheduler_config.json").write_text(json.dumps({**config, "beta_end": 0.02}))
    assert pipeline(copy).version != pipeline(folders / "sd").version


def test_batches_hold_neighbours_that_differ_by_the_seed_alone(folders: Path) -> None:
    generator = pipeline(folders / "sd", batch=2)
    recipes = [*generator.recipes(from_text(), 3, 0), *pipeline(folders / "sd", steps=3).recipes(from_text(), 2, 0)]
    assert [[r.seed for r in batch] for batch in generator.batches(recipes)] == [[0, 1], [2], [0, 1]]


class _Small:
    """A device on which a denoiser with more than so many pictures runs out of memory, as torch says it."""

    def __init__(self, unet: Any, most: int) -> None:
        self.asked: list[int] = []
        self._most = most
        unet.register_forward_pre_hook(self._look, with_kwargs=True)

    def _look(self, _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        count = (args[0] if args else kwargs["sample"]).shape[0] // 2  # guidance doubles the pictures
        self.asked.append(count)
        if count > self._most:
            raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB")


@pytest.mark.usefixtures("own_model")
def test_out_of_memory_halves_the_pass_goes_on_and_is_remembered(folders: Path) -> None:
    generator = pipeline(folders / "sd", batch=6, steps=1)
    recipes = generator.recipes(from_text(), 6, 0)
    whole = images(generator.generate_batch(from_text(), recipes))
    with loading.in_memory(generator._spec, "text") as loaded:
        small = _Small(loaded.pipe.unet, 2)
    halved = images(generator.generate_batch(from_text(), recipes))
    assert small.asked == [6, 3, 1, 1, 1, 1, 1, 1]
    assert max(np.abs(a.astype(int) - b.astype(int)).max() for a, b in zip(whole, halved, strict=True)) <= 1
    small.asked.clear()
    images(generator.generate_batch(from_text(), recipes[:3]))
    assert small.asked == [1, 1, 1]


@pytest.mark.usefixtures("own_model")
def test_a_single_picture_that_does_not_fit_ends_the_run_with_the_cure(folders: Path) -> None:
    generator = pipeline(folders / "sd", steps=1)
    recipe = generator.recipes(from_text(), 1, 0)[0]
    with loading.in_memory(generator._spec, "text") as loaded:
        small = _Small(loaded.pipe.unet, 0)
    with pytest.raises(OutOfResources, match="memory ran out with a single picture; set a smaller size"):
        generator.generate(from_text(), recipe)
    assert small.asked == [1, 1]  # the second time with a tiled autoencoder


@pytest.mark.usefixtures("own_model")
def test_a_broken_picture_is_a_failure_with_its_reason(folders: Path) -> None:
    generator = pipeline(folders / "sd", steps=1)
    recipes = generator.recipes(from_text(), 2, 0)
    with loading.in_memory(generator._spec, "text") as loaded:
        decoder = loaded.pipe.vae.decoder
    for value, reason in ((float("nan"), "NaN"), (-9.0, "black"), (9.0, "one colour")):
        hook = decoder.register_forward_hook(lambda *call, value=value: call[2].new_full(call[2].shape, value))
        results = generator.generate_batch(from_text(), recipes)
        hook.remove()
        assert [type(result) for result in results] == [GenerationFailed] * 2
        assert reason in str(results[0])


def test_one_model_is_in_memory_at_a_time(folders: Path) -> None:
    gone = []
    for folder in ("sd", "sdxl", "sd"):
        generator = pipeline(folders / folder, steps=1)
        generator.generate(from_text(), generator.recipes(from_text(), 1, 0)[0])
        assert [Path(loaded.spec.path).name for loaded in loading._here] == [folder]
        gone.append(weakref.ref(loading._here[0].pipe.unet))
    gc.collect()
    assert [reference() is None for reference in gone] == [True, True, False]


def test_two_generators_of_one_model_share_it(folders: Path) -> None:
    one, other = pipeline(folders / "sd", steps=1), pipeline(folders / "sd", steps=2)
    one.generate(from_text(), one.recipes(from_text(), 1, 0)[0])
    loaded = loading._here[0]
    other.generate(edit(), other.recipes(edit(), 1, 0)[0])
    assert loading._here == [loaded]


def test_an_edit_has_the_size_of_its_source_and_a_masked_one_its_pixels(folders: Path, tmp_path: Path) -> None:
    generator = pipeline(folders / "sd", mask_folder=masks(tmp_path / "masks"))
    recipe = generator.recipes(edit(), 1, 0)[0]
    assert recipe.variant == "sd+inpaint"
    made, source = generator.generate(edit(), recipe), edit().source
    assert source is not None
    same = (made.image == source.rgb).all(axis=2)
    assert made.image.shape == source.rgb.shape
    assert same[:20].all() and same[:, :20].all() and same[60:].all() and same[:, 75:].all()
    assert (~same[35:45, 40:55]).mean() > 0.9


def test_what_the_instruction_names_is_inpainted_and_what_is_unclear_made_anew(folders: Path) -> None:
    generator = pipeline(folders / "sd", mode="inpaint")
    with pytest.raises(Declined, match="set mask_folder"):
        generator.recipes(edit("make it snow"), 1, 0)
    assert pipeline(folders / "sd").recipes(edit("make it snow"), 1, 0)[0].variant == "sd+image"
    red = np.full((80, 96, 3), 230, np.uint8)
    red[30:50, 40:60] = (220, 20, 20)
    named = TaskInputs(edit("change the red car to blue").task, Picture(_png(red), "red.png"))
    recipe = generator.recipes(named, 1, 0)[0]
    made = generator.generate(named, recipe)
    assert made.notes["mode"] == "inpaint"
    assert (made.image[:15] == 230).all() and (made.image[35:45, 45:55] != red[35:45, 45:55]).any()


def _png(rgb: Any) -> bytes:
    import io

    stream = io.BytesIO()
    Image.fromarray(rgb).save(stream, "PNG")
    return stream.getvalue()


def test_strength_decides_how_much_of_the_source_stays(folders: Path) -> None:
    def made_at(strength: float) -> Any:
        generator = pipeline(folders / "sd", steps=20, strength=strength, guidance_scale=1.0)
        return generator.generate(edit(), generator.recipes(edit(), 1, 0)[0]).image.astype(float)

    least, little, most = made_at(0.05), made_at(0.3), made_at(1.0)  # the first: the autoencoder's work alone
    assert np.abs(little - least).mean() < np.abs(most - least).mean()


def test_a_strength_that_leaves_no_step_is_told(folders: Path) -> None:
    with pytest.raises(InputError, match=r"of 1 steps a strength of 0.6 leaves none"):
        pipeline(folders / "sd", steps=1).recipes(edit(), 1, 0)


def test_a_campaign_loads_each_of_its_models_once(
    folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, load, loads = tmp_path / "task.csv", loading._load, []
    rows = [f"{i},t2i,{prompt},," for i, prompt in enumerate(["一只猫", "a dog", "a 🦊 at night"])]
    table.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    (tmp_path / "imgs").mkdir()
    settings = {"kind": "diffusers", "dtype": "fp32", "steps": 1}
    models = {name: {**settings, "model_path": str(folders / name)} for name in ("sd", "sdxl")}
    campaign = Campaign.init(
        tmp_path / "campaign", table, tmp_path / "imgs", generate={"t2i": {"sd": 2, "sdxl": 2}}, generators=models
    )
    loading.drop()
    monkeypatch.setattr(loading, "_load", lambda spec: [loads.append(Path(spec.path).name), load(spec)][1])
    summary = campaign.generate()
    assert (summary.made, summary.failed, dict(summary.left_out)) == (12, 0, {})
    assert sorted(loads) == ["sd", "sdxl"]


def test_notes_say_what_made_the_picture(folders: Path) -> None:
    generator = pipeline(folders / "sd", guidance_scale=3.5, call={"guidance_rescale": 0.2})
    notes = generator.generate(from_text(), generator.recipes(from_text(), 1, 0)[0]).notes
    expected = {
        "model": "sd", "mode": "text", "pipeline": "StableDiffusionPipeline", "scheduler": "DDIMScheduler",
        "dtype": "fp32", "device": "cpu", "offload": "none", "steps": 2, "made_px": [32, 32],
        "call": {"guidance_scale": 3.5, "guidance_rescale": 0.2},
    }  # fmt: skip
    assert {key: notes[key] for key in expected} == expected
    assert notes["diffusers"] and "prompt_cut" not in notes


@pytest.mark.parametrize("prompt", ["一只猫在雨中 🐱", 'it\'s "quoted"\nand broken', "word " * 1000])
def test_any_prompt_is_taken_and_what_is_not_read_is_told(folders: Path, prompt: str) -> None:
    generator = pipeline(folders / "sd", steps=1)
    inputs = from_text(prompt)
    notes = generator.generate(inputs, generator.recipes(inputs, 1, 0)[0]).notes
    assert ("prompt_cut" in notes) == (len(prompt) > 100)
    assert ("prompt_not_english" in notes) == ("猫" in prompt)


def test_progress_is_told_for_every_step(folders: Path) -> None:
    steps: list[tuple[int, int]] = []
    generator = pipeline(folders / "sd", steps=3)
    generator.on_step = lambda done, total: steps.append((done, total))
    generator.generate(from_text(), generator.recipes(from_text(), 1, 0)[0])
    assert steps == [(1, 3), (2, 3), (3, 3)]


def test_a_cancelled_pass_ends_after_its_step_and_no_other_begins(folders: Path) -> None:
    """A pass takes minutes on a CPU: whoever presses Ctrl-C must not wait for it."""
    steps: list[int] = []
    generator = pipeline(folders / "sd", steps=5, batch=2)

    def told(done: int, _: int) -> None:
        steps.append(done)
        if len(steps) == 2:
            generator.cancel()  # as another thread does it

    generator.on_step = told
    recipes = generator.recipes(from_text(), 4, 0)
    with pytest.raises(Interrupted):
        generator.generate_batch(from_text(), recipes)
    with pytest.raises(Interrupted):
        generator.generate(from_text(), recipes[0])
    assert steps == [1, 2]
    again = pipeline(folders / "sd", steps=5, batch=2)  # the model in memory is none the worse for it
    others = again.generate_batch(from_text(), recipes)
    assert all(isinstance(made, Made) for made in others)


@pytest.mark.usefixtures("own_model")
def test_a_cancel_while_memory_runs_out_is_not_taken_for_a_pass_that_is_too_large(folders: Path) -> None:
    generator = pipeline(folders / "sd", batch=4, steps=3)
    recipes = generator.recipes(from_text(), 4, 0)
    with loading.in_memory(generator._spec, "text") as loaded:
        small = _Small(loaded.pipe.unet, 2)
        loaded.pipe.unet.register_forward_pre_hook(lambda *_: generator.cancel() if small.asked == [4, 2] else None)
    with pytest.raises(Interrupted):
        generator.generate_batch(from_text(), recipes)
    assert small.asked == [4, 2]


def test_ctrl_c_within_a_pass_stores_no_failure_and_the_next_run_makes_all(
    folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[int] = []
    after_step = DiffusersPipeline._after_step

    def counted(self: DiffusersPipeline, done: int, total: int) -> None:
        steps.append(done)
        after_step(self, done, total)

    monkeypatch.setattr(DiffusersPipeline, "_after_step", counted)
    monkeypatch.setattr(generating, "SHOW_SECONDS", 0.0)  # pressed after some dozens of steps, not after a second
    table = tmp_path / "tasks.csv"
    table.write_text("\n".join([HEADER, *(f"{i},t2i,a fox {i},," for i in range(3))]) + "\n", encoding="utf-8")
    (tmp_path / "imgs").mkdir()
    model = {"kind": "diffusers", "dtype": "fp32", "steps": 900, "model_path": str(folders / "sd")}
    folder = tmp_path / "campaign"
    campaign = Campaign.init(folder, table, tmp_path / "imgs", generate={"t2i": {"sd": 2}}, generators={"sd": model})

    def pressed(_name: str, _done: int, _total: int, words: str = "") -> None:
        if "step" in words:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        campaign.generate(progress=pressed)
    assert steps and max(steps) < 900, "a pass was waited for"
    assert campaign.status().types["t2i"].without_candidates == 3
    campaign.close()
    settings = folder / "campaign.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("steps = 900", "steps = 1"), encoding="utf-8")
    with Campaign(folder) as later:
        summary = later.generate()
    assert (summary.made, summary.failed) == (6, 0)


@pytest.mark.usefixtures("own_model")
def test_the_safety_checkers_verdict_is_a_failure_and_it_can_be_left_away(folders: Path) -> None:
    def with_verdict(black: bool, **settings: Any) -> Made:
        generator = pipeline(folders / "checked", steps=1, **settings)
        with loading.in_memory(generator._spec, "text") as loaded:
            checker = loaded.pipe.safety_checker
            if checker is not None:
                limit = -2.0 if black else 2.0  # cosines are compared with it
                checker.concept_embeds_weights.data.fill_(limit)
                checker.special_care_embeds_weights.data.fill_(2.0)
        return generator.generate(from_text(), generator.recipes(from_text(), 1, 0)[0])

    assert with_verdict(False).image.std() > 0
    with pytest.raises(GenerationFailed, match="safety checker blacked"):
        with_verdict(True)
    assert with_verdict(True, safety_checker=False).image.std() > 0
    generator = pipeline(folders / "sd", safety_checker=True)
    with pytest.raises(InputError, match="has no safety checker"):
        generator.generate(from_text(), generator.recipes(from_text(), 1, 0)[0])


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"call": {"nope": 1}}, "does not take nope; it takes .*guidance_scale"),
        ({"true_cfg_scale": 4.0}, "does not take true_cfg_scale"),
        ({"scheduler": "FlowMatchEulerDiscreteScheduler"}, "does not fit this model; DDIMScheduler"),
        ({"dtype": "fp16"}, "fp16 does not work on a CPU"),
        ({"offload": "model"}, "needs an accelerator"),
        ({"device": "xpu:3"}, "this machine has cpu"),
        ({"preset": "cogview4"}, "the preset is for a CogView4Pipeline"),
    ],
)
def test_a_wrong_setting_is_named_when_the_model_is_known(folders: Path, settings: Any, message: str) -> None:
    generator = pipeline(folders / "sd", **{"device": "cpu", **settings})
    with pytest.raises(InputError, match=message):
        generator.generate(from_text(), generator.recipes(from_text(), 1, 0)[0])


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"preset": "sd16"}, "no preset 'sd16'; known are cogview4"),
        ({"mode": "paint"}, "mode must be one of"),
        ({"dtype": "float16"}, "dtype must be one of auto, bf16"),
        ({"preset": "cogview4", "size": "1000x1000"}, "multiples of 16 px, got 1000; 992 is near"),
        ({"preset": "qwen-image", "aspect": "5:4"}, "aspects are 1:1, 16:9"),
        ({"preset": "sd15", "size": "big"}, 'must be "WIDTHxHEIGHT"'),
        ({"preset": "sd15", "steps": 0}, "whole number from 1 on"),
        ({"preset": "sd15", "strength": 0.0}, "above 0 and at most 1"),
        ({"preset": "sd15", "call": {"generator": 1}}, "must not set generator"),
    ],
)
def test_a_wrong_setting_is_named_at_once(settings: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        DiffusersPipeline(**settings)


def test_a_picture_is_of_the_size_that_is_set(folders: Path) -> None:
    for settings in ({"size": "48x24"}, {"size": [48, 24]}, {"width": 48, "height": 24}):
        generator = pipeline(folders / "sd", steps=1, **settings)
        assert generator.generate(from_text(), generator.recipes(from_text(), 1, 0)[0]).image.shape == (24, 48, 3)


def test_tasks_without_what_is_needed_are_declined(folders: Path) -> None:
    generator = pipeline(folders / "sd")
    for inputs in (from_text(" "), TaskInputs(edit().task)):
        with pytest.raises(Declined):
            generator.recipes(inputs, 1, 0)
    with pytest.raises(Declined, match="this model does tie, vttie tasks"):
        DiffusersPipeline(preset="flux-kontext").recipes(from_text(), 1, 0)


def test_a_model_that_cannot_be_loaded_is_a_missing_part(folders: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folders / "sd", tmp_path / "sd"))
    (copy / "vae" / "diffusion_pytorch_model.safetensors").write_bytes(b"not a model")
    generator = pipeline(copy)
    with pytest.raises(MissingPart, match=r"vae/diffusion_pytorch_model.safetensors is damaged"):
        generator.generate(from_text(), generator.recipes(from_text(), 1, 0)[0])
    with pytest.raises(MissingPart, match="no model is set"):
        DiffusersPipeline().check()
