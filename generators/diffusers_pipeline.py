"""diffusers: a local pipeline of the diffusers library, from text or as an edit of the source."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from generators._pipelines import hub, model_folder, placement, presets
from generators._pipelines.building import ModelSpec
from generators._pipelines.call import arguments_of, back_onto, region_of, unread
from generators._pipelines.embedded import draw_embedded, facts_of, runs_on_onnx
from generators._pipelines.loading import in_memory
from generators._pipelines.passes import Drawn, draw, usable
from generators._pipelines.presets import Mode, among, call_of, folder_of, positive, preset_of, share, size_of
from selector.domain import (
    BatchGenerator,
    BestshotError,
    Declined,
    GenerationFailed,
    InputError,
    JSONValue,
    Made,
    MissingPart,
    Recipe,
    TaskInputs,
    TaskType,
    stable_hash,
)
from selector.domain.files import expanded
from selector.net import Interrupted
from selector.sight.embedded import need_embedded
from selector.sight.onnx_session import check_onnx

NEEDED = ("torch", "diffusers", "transformers", "accelerate", "safetensors")


class DiffusersPipeline(BatchGenerator):
    """diffusers: a local pipeline of the diffusers library, from text or as an edit of the source.

    Makes: pictures from text (`t2i`), edits by an instruction (`tie`, `vttie`: Qwen-Image-Edit, FLUX Kontext and other
        editors), or, with a model from text, edits by image to image and by inpainting of what the instruction names.
    Input: the prompt as it is; the source for edits, enlarged or shrunk to the model's size; results come back at the
        source's size and place (``generators._pipelines.call``). Recipes differ by the seed; the variant is the
        model's name, with "+image" or "+inpaint" for an edit by a model from text.
    Model and licence: any folder in diffusers' format, or hub id; ``generators._pipelines.presets`` lists the known
        ones with their licences. Their code is diffusers' own: never a model folder's.
    Cost: seconds to minutes an image on a GPU, minutes to hours on a CPU. One model is in memory at a time.
    Fails: a black, empty or NaN picture; one that the model's safety checker blacked; memory that is not there for a
        single picture. CLIP models (SD 1.5, SDXL) read 77 tokens of English; notes tell what they did not read.
    Not run here: none of the presets' weights, no accelerator. Tests run the same code on tiny folders on a CPU, and
        check the presets against the classes of the installed diffusers.

    Args:
        preset: a name of ``presets.PRESETS``; without it, what the model is known to be.
        model: a hub id, "owner/name"; by default the preset's.
        model_path: a folder in diffusers' format, instead of ``model``.
        revision: of the hub's repository: a commit, branch or tag.
        variant: of the weights' files, such as "fp16"; found by itself in a folder that has no other.
        mode: "text", "edit", "image", "inpaint", or "auto".
        dtype: "bf16", "fp16", "fp32", or "auto", the device's best.
        device: "cuda", "cuda:1", "mps", "cpu", or "auto".
        offload: "none", "model", "sequential", or "auto", by the free memory.
        steps, guidance_scale, true_cfg_scale, negative_prompt: of the pipeline's call.
        size: "WxH" or [W, H]; or ``width`` and ``height``, in px. For an edit its area counts, in the source's
            proportions.
        aspect: a ratio of the preset's table, such as "16:9".
        strength: above 0, at most 1: how much of the source image to image and inpainting make anew.
        batch: most seeds in one pass.
        scheduler: a class of diffusers instead of the model's own, such as "DPMSolverMultistepScheduler".
        mask_folder: masks for inpainting, white where to change, named by the task's id, "7.png".
        safety_checker: false leaves the model's own away, true demands one; by default as the folder has it.
        allow_pickle: also weights as .bin files, where there are no .safetensors.
        call: more parameters of the pipeline's call, such as {clip_skip = 1}.

    Example:
        In ``campaign.toml``:

        [generators.diffusers]
        model_path = "models/Qwen-Image-Edit"
        steps = 30
    """

    name = "diffusers"
    task_types: frozenset[TaskType]
    free_settings = ("batch", "offload")  # they change no picture
    settings_in_version = ("model_path",)

    def __init__(
        self,
        preset: str = "",
        model: str = "",
        model_path: str = "",
        revision: str = "",
        variant: str = "",
        mode: str = "",
        dtype: str = "",
        device: str = "auto",
        offload: str = "auto",
        steps: int | None = None,
        guidance_scale: float | None = None,
        true_cfg_scale: float | None = None,
        negative_prompt: str | None = None,
        size: str | Sequence[int] = "",
        width: int | None = None,
        height: int | None = None,
        aspect: str = "",
        strength: float | None = None,
        batch: int | None = None,
        scheduler: str = "",
        mask_folder: str = "",
        safety_checker: bool | None = None,
        allow_pickle: bool = False,
        call: Mapping[str, JSONValue] | None = None,
    ) -> None:
        among("mode", mode or "auto", presets.MODES)
        among("dtype", dtype or "auto", placement.DTYPES)
        among("offload", offload, placement.OFFLOADS)
        self._preset = preset_of(preset, model, model_path)
        self._model_path = model_path = folder_of(self._preset, model, model_path)
        self._mask_folder = mask_folder
        self.prompt_form = self._preset.prompt_form
        self._mode: Mode = mode or self._preset.mode  # type: ignore[assignment]
        self.task_types = presets.task_types_of(self._mode)
        hub_name = "" if model_path else model or self._preset.model
        self._hub = hub.HubModel(hub_name, revision, variant, allow_pickle) if hub_name else None
        self._label = preset or (Path(model_path).name if model_path else hub_name.partition("/")[2])
        self._steps = positive("steps", steps) or self._preset.steps
        asked = {"guidance_scale": guidance_scale, "true_cfg_scale": true_cfg_scale, "negative_prompt": negative_prompt}
        self._call = {**self._preset.call, **{k: v for k, v in asked.items() if v is not None}, **call_of(call)}
        self._size_px = size_of(size, width, height, aspect, self._preset)
        self._strength = self._preset.strength if strength is None else share("strength", strength)
        self._batch = positive("batch", batch) or self._preset.batch
        self._spec = ModelSpec(
            path=model_path,
            hub=self._hub,
            variant=variant,
            pipeline=self._preset.pipeline if preset else "",
            dtype=dtype or "auto",
            trained_in=self._preset.trained_in,
            dtype_on_cpu=self._preset.dtype_on_cpu,
            device=device,
            offload=offload,
            scheduler=scheduler,
            safety_checker=safety_checker,
            allow_pickle=allow_pickle,
        )
        self._on_onnx = self._mode == "text" and runs_on_onnx(self._preset, self._spec, self._call, self._size_px)
        self.lane = "" if self._on_onnx else "model"
        self._version = ""
        self._stop = threading.Event()
        self.on_step: Callable[[int, int], None] | None = None  # told (steps done, steps in all) of every pass

    @property
    def version(self) -> str:
        """This code's number, and the weights: a tag of the folder's content, or the hub's name and revision."""
        if not self._version:
            path = expanded(self._model_path)
            if self._hub is not None:
                self._version = f"1-{stable_hash([self._hub.name, self._hub.revision], 8)}"
            elif not self._model_path or not path.is_dir():
                return "1-absent"
            else:
                self._version = f"1-{model_folder.tag_of(path)}"
        return self._version

    def check(self) -> None:
        if self._on_onnx:
            check_onnx()
            need_embedded(Path(self._model_path))
            return
        for package in NEEDED:
            if importlib.util.find_spec(package) is None:
                raise MissingPart(f"diffusers: {package} is not installed: pip install 'bestshot[pipelines]'")
        if self._hub is not None:
            hub.check_hub(self._hub)
        elif self._model_path:
            if self._is_packaged():
                need_embedded(Path(self._model_path))
            folder = model_folder.read_folder(expanded(self._model_path))
            model_folder.check_class(folder.pipeline)
            model_folder.variant_of(folder, self._spec.variant, self._spec.allow_pickle)
        else:
            raise MissingPart(
                f"diffusers: no model is set; set model_path, model, or preset ({', '.join(presets.PRESETS)})"
            )

    def where(self) -> str:
        """In words: the folder, or whether a hub's model is in the cache or has to be downloaded."""
        if self._is_packaged():
            return "ships with bestshot: coloured shapes and nothing else"
        return hub.where(self._hub) if self._hub is not None else f"folder {Path(self._model_path).name}"

    def _is_packaged(self) -> bool:
        return bool(self._preset.folder) and self._model_path == str(self._preset.folder)

    def recipes(self, inputs: TaskInputs, n: int, seed: int) -> Sequence[Recipe]:
        """One a seed, from ``seed`` on. Raises ``Declined`` without a prompt, a source, or a region to inpaint."""
        mode = self._mode_for(inputs)
        variant = self._label if mode in ("text", "edit") else f"{self._label}+{mode}"
        params: dict[str, JSONValue] = {"mode": mode, "steps": self._steps, "call": dict(self._call)}
        if self._size_px:
            params["size_px"] = list(self._size_px)
        if mode in ("image", "inpaint"):
            params["strength"] = self._strength
            if self._steps is not None and int(self._steps * self._strength) < 1:
                raise InputError(
                    f"diffusers: of {self._steps} steps a strength of {self._strength} leaves none; raise one of them"
                )
        return [Recipe(variant, seed + i, params) for i in range(n)]

    def batches(self, recipes: Sequence[Recipe]) -> Sequence[Sequence[Recipe]]:
        """Neighbours that differ by the seed alone, at most ``batch`` in one pass."""
        alike = [list(group) for _, group in groupby(recipes, lambda r: stable_hash([r.variant, dict(r.params)]))]
        return [group[i : i + self._batch] for group in alike for i in range(0, len(group), self._batch)]

    def generate(self, inputs: TaskInputs, recipe: Recipe) -> Made:
        """One picture. The same recipe gives the same pixels on the same machine."""
        (made,) = self.generate_batch(inputs, [recipe])
        if isinstance(made, BestshotError):
            raise made
        return made

    def generate_batch(self, inputs: TaskInputs, recipes: Sequence[Recipe]) -> Sequence[Made | BestshotError]:
        """One result a recipe. In a pass with others a pixel may differ by a level from the same one made alone.

        Raises ``Interrupted`` once ``cancel`` was called.
        """
        return [made for group in self.batches(recipes) for made in self._made(inputs, group)]

    def cancel(self) -> None:
        """End passes after the step that they are at, with ``Interrupted``, and begin none any more; of any thread.

        A model that is being loaded is loaded first, and a picture whose steps are done is decoded.
        """
        self._stop.set()

    def _go_on(self) -> None:
        if self._stop.is_set():
            raise Interrupted("stopped")

    def _after_step(self, done: int, total: int) -> None:
        if self.on_step is not None:
            self.on_step(done, total)
        if done < total:
            self._go_on()

    def _made(self, inputs: TaskInputs, recipes: Sequence[Recipe]) -> list[Made | BestshotError]:
        mode, params = _mode_in(recipes[0]), recipes[0].params
        self._go_on()
        if self._on_onnx:
            drawn = draw_embedded(inputs.task.prompt, recipes, self._after_step)
            notes = self._notes(params, mode, "", facts_of(inputs.task.prompt))
            return [_finished(one, inputs, mode, None, notes) for one in drawn]
        with in_memory(self._spec, mode) as loaded:
            self._go_on()
            arguments, mask = arguments_of(loaded.pipe, self._preset, inputs, mode, params, self._mask_folder)
            size = [arguments["image"].size if "image" in arguments else params.get("size_px")]
            kind = stable_hash([mode, size])
            drawn = draw(loaded, arguments, [recipe.seed for recipe in recipes], kind, self._after_step)
            facts = {**loaded.facts(), **unread(loaded.pipe, inputs.task.prompt, self._preset.reads_all)}
            notes = self._notes(params, mode, loaded.revision, facts)
        return [_finished(one, inputs, mode, mask, notes) for one in drawn]

    def _mode_for(self, inputs: TaskInputs) -> Mode:
        task = inputs.task
        if task.type not in self.task_types:
            kinds = ", ".join(sorted(kind.value for kind in self.task_types))
            raise Declined(f"diffusers: this model does {kinds} tasks, task {task.id} is a {task.type.value} task")
        if not task.prompt.strip():
            raise Declined(f"diffusers: task {task.id} has no prompt")
        if task.type is TaskType.T2I:
            return "text"
        if inputs.source is None:
            raise Declined(f"diffusers: task {task.id} has no source picture to edit")
        if self._mode in ("edit", "image"):
            return self._mode
        if region_of(inputs, self._mask_folder) is not None:
            return "inpaint"
        if self._mode == "inpaint":
            raise Declined(
                'diffusers: the instruction does not say clearly what to inpaint; set mask_folder, or mode = "image"'
            )
        return "image"

    def _notes(
        self, params: Mapping[str, Any], mode: Mode, revision: str, facts: Mapping[str, JSONValue]
    ) -> dict[str, JSONValue]:
        return {
            "model": self._hub.name if self._hub else Path(self._model_path).name,
            "revision": revision,
            "mode": mode,
            **facts,
            "steps": params["steps"],
            "call": dict(params["call"]),
            **({"strength": params["strength"]} if "strength" in params else {}),
        }


def _finished(
    drawn: Drawn, inputs: TaskInputs, mode: Mode, mask: Any, notes: Mapping[str, JSONValue]
) -> Made | BestshotError:
    """The picture through the gate, and back onto the source; or why it is none."""
    if drawn.refused:
        return GenerationFailed(
            "diffusers: the model's safety checker blacked the picture; another seed may pass "
            "(safety_checker = false leaves the checker away)"
        )
    try:
        image = usable(drawn.image, str(notes["dtype"]))
    except GenerationFailed as error:
        return error
    more: dict[str, JSONValue] = {"made_px": [image.shape[1], image.shape[0]], "in_a_pass": drawn.together}
    if mode == "text" or inputs.source is None:
        return Made(np.ascontiguousarray(image), {**notes, **more})
    image, placed = back_onto(inputs.source.rgb, image, mask)
    return Made(image, {**notes, **more, **placed})


def _mode_in(recipe: Recipe) -> Mode:
    missing = {"mode", "steps", "call"} - set(recipe.params)
    if missing or recipe.params["mode"] not in presets.MODES[1:]:
        raise GenerationFailed(
            f"diffusers: the recipe '{recipe.variant}' is not one of this generator's; make the recipes anew"
        )
    mode: Mode = recipe.params["mode"]
    return mode
