"""inswapper: face swap by a network that redraws the scene's face with the reference's identity, in ONNX."""

from __future__ import annotations

import hashlib
import importlib.util
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generators._face.faces import WHICH, FoundFace, chosen, no_face, params_of, scene_and_reference
from generators._face.networks import Image
from generators._face.paste import RESTORE_PLACES, SWAP_PLACES, Aligned, Grid, Paste, crop_of, face_grid, paste
from generators._face.swap_models import SwapModels
from selector.domain import Generator, Made, MissingPart, Picture, Recipe, TaskInputs, TaskType, stable_hash
from selector.sight.memory import RecentResults

Floats = NDArray[np.float64]

# Best first, a judgement: the crop's own box as the networks' authors paste it, then what hides its edge better. Colour
# is matched only where nothing but the face is pasted: hair and background in the box have colours of their own.
PASTES: tuple[Paste, ...] = (
    Paste(),
    Paste("hull", inset=0.0, feather=0.08),
    Paste("hull", inset=0.0, feather=0.08, colour=1.0),
    Paste("ellipse", inset=0.0, feather=0.16),
    Paste("hull", inset=0.0, feather=0.08, sharpness=0.7),
    Paste(inset=0.02, feather=0.2),
    Paste("hull", inset=0.0, feather=0.14, colour=0.5, sharpness=0.7),
    Paste("ellipse", inset=0.0, feather=0.16, colour=1.0, sharpness=0.7),
)
HALF = 0.5


class InSwapper(Generator):
    """inswapper: face swap by a network that redraws the scene's face with the reference's identity, in ONNX.

    Input: ``inputs.source`` is the scene (kept), ``inputs.reference`` gives the identity.
    Output: the scene's size; outside of the mask its pixels stay bit by bit.
    Steps: five points of both faces; the reference's aligned face through an ArcFace-type embedder; its embedding
        through the swapper's own matrix (emap); the swapper on the scene's aligned face; optionally a restorer on the
        result, at 512 px; blended back at the scene's resolution. Details: docs/inswapper.md.
    Models, none of which comes with the program (``model_path``, ``embedder_path`` are required):
    - ``swapper``: inswapper_128 and larger ones of its kind; hyperswap with ``input_mean`` = ``input_scale`` = 127.5
    - ``embedder``: ArcFace, (1, 3, 112, 112); the one that the swapper was trained with: ``w600k_r50.onnx`` for
      inswapper
    - ``detector``: dlib, or SCRFD by ``detector_path``
    - ``restorer``: GFPGAN, CodeFormer, GPEN, … by ``restorer_path``
    Licence: the published weights of inswapper, of InsightFace's embedders and detectors and of CodeFormer are for
        non-commercial use only. Swap only faces of pictures that you may use so, and say that the result is made.
    Variants: ``swap``, with a restorer ``restored_half`` and ``restored``; masks, feather, colour differ in the
        parameters. The order of the recipes is a judgement; it was measured on nothing. No randomness: the seed is
        ignored.
    Cost: detection 0.1 s a picture, once; pasting 2 to 50 ms for a face of up to 200 px. The networks come on top: the
        swapper once a task, the restorer once a mask. Published weights were not run here, where none can be reached:
        all was tried with small networks of the same inputs and outputs, and how fast and how good the real ones are
        was not measured.
    Fails with ``Declined`` where one of the pictures shows no face, also not after padding it by 15%: another try finds
        none either; with ``GenerationFailed`` where a network gives nothing. Weak where something lies in front of the
        scene's face, and on profiles.

    Args:
        model_path, embedder_path: the swapper and the embedder.
        detector_path: an SCRFD-type detector; "" is dlib, which also gives the ``hull`` mask.
        restorer_path, restorer_strength, restorer_fidelity: the restorer; its share of the picture at most, 0 to 1;
            CodeFormer's weight, 0 (beautiful) to 1 (faithful), where the network has that input.
        emap_path: the swapper's matrix as .npy, where its file has lost it; "" reads the swapper's file.
        latent: "emap" maps the embedding by the matrix, "raw" gives it as it is (of length 1), "auto" maps it where the
            swapper's file keeps a matrix that its graph does not use.
        input_mean, input_scale: a pixel enters the swapper as (value - mean) / scale.
        side_px: of the swapper's face, where its file leaves it free; 0: 128.
        which_face: the scene's face: "main" (large and central: what the scorers look at), "largest", "most_central".
        detector_threshold: least score of a face, of the ONNX detector.
        device: auto, cpu, cuda, cuda:N.

    Raises:
        ValueError: a setting makes no sense.

    Example:
        In ``campaign.toml``; ``bestshot doctor`` then loads each model once and says whether they fit:

        [generators.inswapper]
        model_path = "models/inswapper_128.onnx"
        embedder_path = "models/w600k_r50.onnx"
    """

    name = "inswapper"
    free_settings = ("device",)  # it changes no picture
    settings_in_version = ("model_path", "embedder_path", "detector_path", "restorer_path", "emap_path")
    task_types = frozenset({TaskType.DEEPFAKE})

    def __init__(
        self,
        model_path: str = "",
        embedder_path: str = "",
        detector_path: str = "",
        restorer_path: str = "",
        restorer_strength: float = 1.0,
        restorer_fidelity: float = 0.7,
        emap_path: str = "",
        latent: str = "auto",
        input_mean: float = 0.0,
        input_scale: float = 255.0,
        side_px: int = 0,
        which_face: str = "main",
        detector_threshold: float = 0.5,
        device: str = "auto",
    ) -> None:
        for name, value, known in (("latent", latent, ("auto", "emap", "raw")), ("which_face", which_face, WHICH)):
            _require(value in known, f"{name} must be one of {', '.join(known)}, got {value!r}")
        for name, share in (("strength", restorer_strength), ("fidelity", restorer_fidelity)):
            _require(0 <= share <= 1, f"restorer_{name} must be 0 to 1, got {share!r}")
        _require(0 < detector_threshold < 1, f"detector_threshold must be between 0 and 1, got {detector_threshold!r}")
        _require(side_px >= 0, f"side_px must be 0 (as the file says) or a number of pixels, got {side_px!r}")
        finite = math.isfinite(input_mean) and math.isfinite(input_scale) and input_scale > 0
        _require(finite, f"input_mean must be finite, input_scale above 0, got {input_mean!r} and {input_scale!r}")
        paths = {
            "model_path": model_path,
            "embedder_path": embedder_path,
            "detector_path": detector_path,
            "restorer_path": restorer_path,
            "emap_path": emap_path,
        }
        into_swapper = (int(side_px), float(input_mean), float(input_scale))
        self._models = SwapModels(paths, device, latent, into_swapper, float(detector_threshold))
        self._strength, self._fidelity = float(restorer_strength), float(restorer_fidelity)
        self._which = which_face
        self._faces: RecentResults[tuple[FoundFace, ...]] = RecentResults(256)
        self._latents: RecentResults[Floats] = RecentResults(256)
        self._drawn: RecentResults[Image] = RecentResults(16)
        self._restored: RecentResults[Image] = RecentResults(16)

    @cached_property
    def version(self) -> str:
        """The models' content: other weights at the same place make other pictures."""
        return f"1-{stable_hash(self._models.tags(), 8)}"

    def check(self) -> None:
        """Raise ``MissingPart`` with the cure when a file or package is not here; loads nothing."""
        if importlib.util.find_spec("cv2") is None:
            raise MissingPart("inswapper needs OpenCV, which is not installed: pip install opencv-python-headless")
        self._models.check()

    def try_out(self) -> None:
        """Load every model, for ``bestshot doctor``; raises ``InputError`` for a file of another kind."""
        self._models.try_out()

    def recipes(self, inputs: TaskInputs, n: int, seed: int) -> Sequence[Recipe]:
        """The first ``n`` of 8, or of 24 with a restorer; an ONNX detector makes ellipses of the hulls."""
        del seed
        scene_and_reference(inputs, self.name)
        pastes = self._pastes()[: max(0, n)]
        levels = [0 if how.restore == 0 else 1 if how.restore < self._strength else 2 for how in pastes]
        variants = ("swap", "restored_half", "restored")
        return [Recipe(variants[level], 0, asdict(how)) for level, how in zip(levels, pastes, strict=True)]

    def generate(self, inputs: TaskInputs, recipe: Recipe) -> Made:
        """One swap. Raises ``Declined``, ``GenerationFailed``, ``MissingPart``; ``InputError``: a parameter or file."""
        source, reference = scene_and_reference(inputs, self.name)
        how = Paste(**params_of(recipe, Paste, self.name))
        face = self._face_of(source, "scene (source)", self._which)
        given = self._face_of(reference, "reference", "main")
        swapper = self._models.swapper()
        crop = face_grid(face.points, SWAP_PLACES, swapper.side_px)

        def swap() -> Image:
            latent = self._latents.get(reference.id, lambda: self._models.latent_of(reference, given))
            return swapper.swapped(crop_of(source.rgb, crop), latent)

        drawn = self._drawn.get((source.id, reference.id), swap)  # one for all recipes of a task
        image = paste(source.rgb, Aligned(drawn, crop, face.landmarks), how, self._restoring(face, how))
        return Made(image, self._notes(face, given, crop))

    def _notes(self, face: FoundFace, given: FoundFace, crop: Grid) -> dict[str, Any]:
        return {
            "model": Path(self._models.paths["model_path"]).name,
            "latent": "raw" if self._models.emap is None else "emap",
            "scene_face_px": list(face.box),
            "reference_face_px": list(given.box),
            "model_px_per_scene_px": round(crop.scale, 3),  # under 1 the swap is softer than the scene
        }

    def _pastes(self) -> list[Paste]:
        """All ways of pasting, each without the restorer and at its strengths where there is one."""
        shares = [0.0]
        if self._models.paths["restorer_path"] and self._strength > 0:
            shares = [HALF * self._strength, self._strength, 0.0]
        known = PASTES
        if self._models.paths["detector_path"]:  # it gives five points: an ellipse is the nearest thing to a hull
            known = tuple(replace(how, mask="ellipse") if how.mask == "hull" else how for how in PASTES)
        return [replace(how, restore=share) for how in known for share in shares]

    def _face_of(self, picture: Picture, role: str, which: str) -> FoundFace:
        faces = self._faces.get(picture.id, lambda: self._models.faces(picture))
        if not faces:
            raise no_face(role, picture)
        return chosen(faces, which, picture.rgb.shape[1], picture.rgb.shape[0])

    def _restoring(self, face: FoundFace, how: Paste) -> tuple[Grid, Callable[[Image], Image]] | None:
        if how.restore == 0:
            return None
        restorer = self._models.restorer()

        def restore(image: Image) -> Image:  # once for all strengths
            key = hashlib.sha256(image.tobytes()).digest()
            return self._restored.get(key, lambda: restorer.restored(image, self._fidelity))

        return face_grid(face.points, RESTORE_PLACES, restorer.side_px), restore


def _require(fine: bool, message: str) -> None:
    if not fine:
        raise ValueError(message)
