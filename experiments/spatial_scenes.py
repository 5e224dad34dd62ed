"""Whether the ``spatial`` scorer tells a right picture from one with a swap, beside the whole-image similarity.

    python -m experiments.spatial_scenes --model ViT-B-32 --pretrained laion2b_s34b_b79k --json out.json
    python -m experiments.spatial_scenes --owlv2 FOLDER
    python -m experiments.spatial_scenes --model embedded          # the shipped model, on pictures of its own world

Scenes of coloured shapes are rendered with their prompts, English and Chinese. In the wrong picture the two things have
changed places, or colours, or there are more or fewer of them. Accuracy: how often the right picture has the higher
score; a tie, or two pictures that are unscored, count half. Chance is 0.5. How far `spatial` is ahead of the
whole-image similarity is told with an interval over scenes: both are asked about the same ones.

Without ``--model`` or ``--owlv2`` there is no accuracy. What a stub says of the arithmetic is a matter of the unit
tests; how well prompts are read is ``experiments.readings``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeAlias

import numpy as np

from experiments.closed_world.swaps import Swap, swaps
from experiments.support.outcome import ended, finish, parser, within
from experiments.support.scenes import examples, render
from scorers.clip_similarity import ClipSimilarity
from scorers.spatial import DetectorSpatial, GridSpatial
from selector.demo.play.figures import Figure, figure
from selector.domain import Item, Picture, Task, TaskInputs, TaskType, encode_final
from selector.domain.embedding import Backbone, EmbeddingSettings

EMBEDDED = "embedded"
SWAPS = ("relation", "attribute", "count")
LANGUAGES = ("en", "zh")
WHOLE = "whole-image similarity"
NO_ACCURACY = (
    "No accuracy on scenes: that takes a trained model.",
    "Give a backbone (--model with --pretrained or --weights) or a detector (--owlv2 FOLDER).",
)

Values = Callable[[Sequence[Item]], list[float | None]]
Won: TypeAlias = dict[str, dict[str, list[float]]]  # way to swap to 1, 0.5 or 0 a scene
Table: TypeAlias = dict[str, dict[str, Figure]]  # way to swap


def main(arguments: list[str] | None = None) -> int:
    options = parser("spatial_scenes", __doc__ or "")
    options.add_argument("--scenes", type=int, default=100, help="scenes of each swap and language (default 100)")
    options.add_argument("--model", default="", help="an open_clip architecture, or embedded")
    options.add_argument("--pretrained", default="", help="its tag")
    options.add_argument("--weights", default="", metavar="FILE", help="its weights, instead of a tag")
    options.add_argument("--config", default="", metavar="FILE", help="an architecture of one's own")
    options.add_argument("--owlv2", default="", metavar="FOLDER", help="a detector")
    chosen = options.parse_args(arguments)
    return ended(lambda: measure(chosen))


def measure(chosen: argparse.Namespace) -> int:
    """Ask all that was chosen about all scenes, print and write.

    Raises:
        InputError: a wrong number or model. MissingPart: a model or a package is not here.
    """
    within("--scenes", chosen.scenes, 1)
    within("--seed", chosen.seed, 0)
    backbone, detector = _backbone(chosen), _detector(chosen.owlv2)
    ways = ways_of(backbone, detector)
    languages = [language for language in LANGUAGES if ways and _reads(backbone, language)]
    closed = chosen.model == EMBEDDED
    won = {language: won_by(ways, language, chosen.scenes, chosen.seed, closed) for language in languages}
    accuracy, ahead = ({lang: of(own) for lang, own in won.items()} for of in (_accuracies, ahead_of_whole))
    results = {
        "accuracy": _as_json(accuracy) or None,
        "ahead_of_whole": _as_json(ahead) if any(ahead.values()) else None,
    }
    found = [*(_lines("accuracy", accuracy) if accuracy else NO_ACCURACY), ""]
    if any(ahead.values()):
        found += [*_lines(f"ahead of {WHOLE}", ahead), ""]
    finish(results, found, chosen.json)
    return 0


def _backbone(chosen: Any) -> Backbone | None:
    """The model that was asked for."""
    if not chosen.model:
        return None
    from selector.sight.embedding.openclip import backbone_of

    made = backbone_of(EmbeddingSettings(chosen.model, chosen.pretrained, chosen.weights, chosen.config))
    made.check()
    return made


def _reads(backbone: Backbone | None, language: str) -> bool:
    """Chinese prompts are left out where the model reads English."""
    return language == "en" or (backbone is not None and backbone.reads_all)


def _detector(folder: str) -> Values | None:
    if not folder:
        return None
    scorer = DetectorSpatial(folder)
    scorer.check()
    return lambda items: [scores["coherence"].value for scores in scorer.score(items)]


def ways_of(backbone: Backbone | None, detector: Values | None) -> dict[str, Values]:
    """Ways of scoring, by name."""
    ways: dict[str, Values] = {}
    if backbone is not None:
        whole, grid = ClipSimilarity(), GridSpatial()
        whole.backbone = grid.backbone = backbone
        ways[WHOLE] = lambda items: [s["similarity"].value for s in whole.score(items)]
        ways["spatial, grid"] = lambda items: [s["coherence"].value for s in grid.score(items)]
    if detector is not None:
        ways["spatial, detector"] = detector
    return ways


def accuracies(ways: dict[str, Values], language: str, n: int, seed: int, closed_world: bool = False) -> Table:
    """How often each way has the right picture first, by what was swapped, over ``n`` scenes each."""
    return _accuracies(won_by(ways, language, n, seed, closed_world))


def won_by(ways: dict[str, Values], language: str, n: int, seed: int, closed_world: bool = False) -> Won:
    """Whether each way has the right picture first, of every scene; all ways are asked about the same ones."""
    cases = {swap: _cases(swap, n, seed, language, closed_world) for swap in SWAPS}
    return {
        way: {swap: [_won(value, case, i) for i, case in enumerate(of)] for swap, of in cases.items()}
        for way, value in ways.items()
    }


def ahead_of_whole(won: Won) -> Table:
    """By how much each way's accuracy is above that of the whole image, scene by scene; empty without the latter."""
    whole = won.get(WHOLE)
    if whole is None:
        return {}
    return {
        way: {swap: figure(list(np.subtract(own, whole[swap]))) for swap, own in row.items()}
        for way, row in won.items()
        if way != WHOLE
    }


def _accuracies(won: Won) -> Table:
    return {way: {swap: figure(own) for swap, own in row.items()} for way, row in won.items()}


def _cases(swap: str, n: int, seed: int, language: str, closed_world: bool) -> list[Swap]:
    """A model that ships with the project knows its own world only; others see larger scenes with more to them."""
    if closed_world:
        return swaps(swap, n, seed, language)
    found = enumerate(examples(swap, n, seed, language))
    return [Swap(case.prompt, render(case.right, 2 * i), render(case.wrong, 2 * i + 1)) for i, case in found]


def _won(value: Values, case: Swap, number: int) -> float:
    """1 where the right picture has the higher score, 0.5 where neither has."""
    inputs = TaskInputs(Task(str(number), TaskType.T2I, case.prompt, None, None, number))
    pictures = [Picture(encode_final(pixels)) for pixels in (case.right, case.wrong)]
    right, wrong = value([Item(inputs, picture) for picture in pictures])
    if right is None or wrong is None or right == wrong:
        return 0.5
    return float(right > wrong)


def _as_json(tables: Mapping[str, Table]) -> dict[str, Any]:
    return {
        language: {way: {swap: asdict(one) for swap, one in row.items()} for way, row in table.items()}
        for language, table in tables.items()
    }


def _lines(what: str, table: Mapping[str, Table]) -> list[str]:
    lines = [f"{what:34}" + "".join(f"{swap + ' swapped':34}" for swap in SWAPS)]
    for language, rows in table.items():
        for way, row in rows.items():
            lines.append(f"{language} {way:31}" + "".join(f"{row[swap]!s:34}" for swap in SWAPS))
    return lines


if __name__ == "__main__":
    raise SystemExit(main())
