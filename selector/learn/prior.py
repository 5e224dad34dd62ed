"""The prior: how SC and PQ follow from raw scores before any leaderboard total has been seen, with reasons.

Each axis of each task type is linear in standardised scores: ``mean = base + sum(points * z)``, with
``z = clip((value - centre) / spread, -2, 2)``. ``points`` carries direction and strength in points of the 0 to 10
scale per ``spread``. An unscored column contributes ``if_unscored * abs(points)`` and adds variance. These are
judgements, not measurements: nothing here was fitted to a leaderboard. The levels are rough as well: compare estimates
with each other, not with a leaderboard.
"""

from __future__ import annotations

from dataclasses import dataclass

from selector.domain import Axis, TaskType

PRIOR_NAME = "prior-2"  # every pick names it: raise it when a row changes
# The one column that no scorer measures: the place (0 the best) that the generator gave the recipe among its guesses.
RECIPE_ORDER = "recipe.order"


@dataclass(frozen=True, slots=True)
class Weight:
    """One row of the table: what a column is worth, and why."""

    column: str
    centre: float
    spread: float
    points: float
    if_unscored: float  # z assumed when unscored, good news above 0: 0 where unscored means "does not apply"
    reason: str
    optional: bool = False  # of a scorer that not every campaign runs: where it does not, the row is not there


@dataclass(frozen=True, slots=True)
class AxisPrior:
    """Base value, residual standard deviation (both on 0 to 10), and the weights of one axis."""

    base: float
    residual_sd: float
    weights: tuple[Weight, ...]


_TECHNICAL = (
    Weight("technical.sharpness", 0.5, 0.25, 0.9, 0.0, "blur is the artefact that people and judges name first"),
    Weight("technical.noise", 0.35, 0.35, -1.2, 0.0, "visible grain reads as damage, but real photographs have some"),
    Weight("technical.blocking", 0.15, 0.15, -0.15, 0.0, "JPEG blocks; weak, because blur hides them"),
    Weight("technical.clipping", 0.05, 0.10, -0.2, 0.0, "burnt or crushed areas look processed"),
    Weight("technical.banding", 0.10, 0.15, -0.2, 0.0, "posterised skies betray strong tone edits"),
    Weight("technical.colour_cast", 0.20, 0.20, -0.2, 0.0, "a cast can be meant (sepia, warmth): weak"),
    Weight("technical.resolution", 0.5, 0.30, 0.5, 0.0, "small pictures show less, and are enlarged by the judge"),
)
# Small: each sign has honest causes, sharpness and noise are weighed above, and a judge sees only what is strong.
_ARTEFACTS = (
    Weight("artefacts.spectral_slope", 0.1, 0.25, -0.1, 0.0, "softened or oversharpened; sharpness says most of it"),
    Weight("artefacts.upsampling_peaks", 0.15, 0.25, -0.25, 0.0, "enlarged detail, or the checkerboard of a decoder"),
    Weight("artefacts.noise_consistency", 0.8, 0.15, 0.1, 0.0, "other grain in a part; but nature is uneven as well"),
    Weight("artefacts.jpeg_grid", 0.05, 0.25, -0.1, 0.0, "a part with another JPEG history; seldom to be seen"),
)
_ORDER = Weight(
    RECIPE_ORDER, 2.0, 3.0, -0.3, 0.0, "a generator lists its best guess first: worth little, but more than a tie"
)
_SEAMS = (
    Weight("seams.boundary_gradient", 0.25, 0.20, -0.9, 0.0, "a visible edge around the edit is the typical artefact"),
    Weight("seams.noise_mismatch", 0.25, 0.20, -0.5, 0.0, "a patch that is smoother or noisier than its surroundings"),
    Weight("seams.copy_paste", 0.25, 0.25, -0.4, 0.0, "repeated or doubled structure"),
)
# No ``seams.boundary_gradient``: crisp strokes touch the outline of their own edit, so it rises with better lettering
# (drawn signs, within a task: correlation +0.5 with likeness to the sign drawn with the new text).
_SEAMS_OF_TEXT = (
    Weight(
        "seams.noise_mismatch", 0.25, 0.20, -0.2, 0.0, "a smoother patch shows, but letters are smooth by themselves"
    ),
)
# A judge sees one thing, "the sign as it was, with other words"; what moves or replaces most pixels weighs most.
_LETTERING_KEPT = (
    Weight("lettering.place_match", 0.8, 0.2, 0.8, 0.0, "a text off its line or its alignment looks out of place"),
    Weight("lettering.ground_kept", 0.9, 0.1, 0.6, 0.0, "a repainted patch around the letters is over-editing"),
    Weight("lettering.height_match", 0.8, 0.2, 0.3, 0.0, "larger or smaller letters are another sign"),
    Weight("lettering.width_match", 0.8, 0.2, 0.2, 0.0, "squeezed letters show, but a longer text may need it"),
)
_LETTERING_LOOK = (
    Weight("lettering.form_match", 0.8, 0.1, 0.4, 0.0, "the same character in another typeface gives the edit away"),
    Weight("lettering.slant_match", 0.8, 0.2, 0.2, 0.0, "italics for upright letters, or a line that is turned"),
    Weight("lettering.stroke_match", 0.8, 0.25, 0.3, 0.0, "bolder or thinner letters than before"),
    Weight("lettering.colour_match", 0.8, 0.2, 0.3, 0.0, "ink of another colour"),
    Weight("lettering.sharpness_match", 0.8, 0.2, 0.2, 0.0, "crisp letters on a soft photograph look pasted"),
)
# Weak: within a task the motif is the same and what is left is the manner, but the embedding sees motifs first.
_REALISM = (
    Weight("realism.knn_distance", 0.3, 0.1, -0.2, 0.0, "far from any real photograph reads as generated", True),
    Weight("realism.mahalanobis", 1.0, 0.3, -0.2, 0.0, "off the mass of photographs in any direction", True),
)
_REALISM_OF_A_MOTIF = (
    Weight(
        "realism.knn_distance", 0.35, 0.1, -0.1, 0.0, "a free motif may lie far from the contest's photographs", True
    ),
    Weight("realism.mahalanobis", 1.1, 0.3, -0.1, 0.0, "the same: the wanted motif counts more than the manner", True),
)
# Heads of the shared embedding. Small: on the published ratings of ImagenHub the candidate with the highest CLIP score
# is no better than a random one (recovered gap -0.01, 197 prompts). Centres and spreads are as reported of OpenAI's
# ViT-L/14, not measured here; within a task only differences count, and the calibration learns from totals.
_FITS_ITS_PROMPT = (
    Weight("clip_similarity.similarity", 0.25, 0.04, 0.2, 0.0, "its scale differs from prompt to prompt: weak", True),
    Weight("prompt_contrast.margin", 2.5, 1.0, 0.4, 0.0, "the same, on the scale of the contest's prompts", True),
    Weight("prompt_contrast.rank", 0.95, 0.1, 0.2, 0.0, "another prompt fits better: a miss. Most good ones tie", True),
)
_CHANGED_AS_ASKED = (
    Weight(
        "clip_direction.direction", 0.08, 0.1, 0.6, 0.0, "an edit in the wrong direction fails, however visible", True
    ),
)
_PLEASING = Weight("aesthetic.rating", 5.2, 0.7, 0.3, 0.0, "people's taste is part of naturalness, but only part", True)
_PLEASING_EDIT = Weight("aesthetic.rating", 5.0, 0.7, 0.15, 0.0, "mostly the source's doing", True)
_LOOKS_GENERATED = Weight(
    "fake_universal.logit", -1.0, 2.5, -0.15, 0.0, "trained on one GAN: a weak sign of artefacts", True
)
_KEPT = (
    Weight("preservation.outside_ssim", 0.90, 0.10, 0.8, 0.0, "SC of an edit is the smaller of success and keeping"),
    Weight("preservation.outside_delta_e", 3.0, 4.0, -0.4, 0.0, "a colour shift of the rest is over-editing"),
)

# Columns that are worth nothing by themselves, and why: no row above, and calibration does not take their direction for
# good news. Totals may still teach that one matters.
WITHOUT_POINTS = {
    "clip_direction.kept": "1 means no edit at all; `direction` is damped by it, and `preservation` measures keeping",
    "fake_universal.probability": "the logit on another scale, on which clear cases tie",
    "fake_universal.spread": "crops that disagree are no sign by themselves; the logit is their mean",
    "spatial.objects": "inside `coherence`",
    "spatial.attributes": "inside `coherence`",
    "spatial.relations": "inside `coherence`",
    "spatial.counts": "inside `coherence`",
}

PRIOR: dict[tuple[TaskType, Axis], AxisPrior] = {
    (TaskType.T2I, Axis.SC): AxisPrior(
        5.0,
        2.5,
        (
            Weight(
                "ocr_text.wanted_present", 0.5, 0.4, 1.5, 0.0, "quoted text is either there or not; else no evidence"
            ),
            # Its parts are inside it. Untried on real pictures, and a grid of crops is coarse: half a point.
            Weight("spatial.coherence", 0.6, 0.2, 0.5, 0.0, "swapped colours or places break the prompt", True),
            *_FITS_ITS_PROMPT,
        ),
    ),
    (TaskType.T2I, Axis.PQ): AxisPrior(
        6.0, 1.5, (*_TECHNICAL, *_ARTEFACTS, *_REALISM_OF_A_MOTIF, _PLEASING, _LOOKS_GENERATED)
    ),
    (TaskType.TIE, Axis.SC): AxisPrior(
        5.0,
        2.0,
        (
            Weight("preservation.edit_visible", 0.4, 0.3, 1.2, -1.0, "an edit that one cannot see has not happened"),
            *_CHANGED_AS_ASKED,
            *_KEPT,
        ),
    ),
    (TaskType.TIE, Axis.PQ): AxisPrior(
        6.0, 1.5, (*_TECHNICAL, *_ARTEFACTS, *_SEAMS, *_REALISM, _PLEASING_EDIT, _LOOKS_GENERATED, _ORDER)
    ),
    # A low base, because many rows add up: with all of them good SC comes near 10 and not beyond, where it is cut.
    (TaskType.VTTIE, Axis.SC): AxisPrior(
        2.5,
        1.5,
        (
            Weight(
                "ocr_text.wanted_present", 0.6, 0.3, 2.0, 0.0, "the instruction is the new text: it decides success"
            ),
            Weight("ocr_text.old_gone", 0.6, 0.4, 0.8, 0.0, "old text that still shows is half an edit"),
            Weight("ocr_text.rest_kept", 0.8, 0.3, 0.5, 0.0, "losing other text is over-editing"),
            *_LETTERING_KEPT,
            *_KEPT,
        ),
    ),
    (TaskType.VTTIE, Axis.PQ): AxisPrior(
        6.0, 1.5, (*_TECHNICAL, *_ARTEFACTS, *_SEAMS_OF_TEXT, *_LETTERING_LOOK, *_REALISM, _LOOKS_GENERATED, _ORDER)
    ),
    # SC is 10 x cosine of a face feature that we do not have: dlib's centred cosine stands in. A face that cannot be
    # found is the worst that can happen to a face swap, hence z = -2.
    (TaskType.DEEPFAKE, Axis.SC): AxisPrior(
        4.0,
        1.5,
        (
            Weight("identity.wanted_cosine", 0.45, 0.25, 2.0, -2.0, "the metric is this cosine, by another embedder"),
            Weight("identity.wanted_distance", 0.45, 0.12, -0.8, -2.0, "the same evidence on dlib's own scale"),
            Weight(
                "arcface.wanted_cosine", 0.35, 0.2, 1.5, -2.0, "a net of the metric's own family, if one is set", True
            ),
            Weight(
                "arcface.original_cosine", 0.35, 0.3, -0.3, 0.0, "what the scene's face has left is not swapped", True
            ),
        ),
    ),
    (TaskType.DEEPFAKE, Axis.PQ): AxisPrior(
        6.0,
        1.5,
        (
            *_TECHNICAL,
            *_ARTEFACTS,
            *_SEAMS,
            *_REALISM,
            _LOOKS_GENERATED,
            _ORDER,
            Weight("preservation.outside_ssim", 0.95, 0.05, 0.3, 0.0, "damage outside the face is an artefact"),
        ),
    ),
}
