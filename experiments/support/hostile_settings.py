"""Readers of TOML and JSON: profiles, configurations, priors, manifests, stored readings, what describes a model."""

from __future__ import annotations

import json
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from experiments.support.hostile_inputs import json_texts, toml_texts
from experiments.support.hostile_shared import (
    TASKS,
    Lines,
    in_file,
    strategy,
    texts_of,
)
from experiments.support.hostile_trial import Reader
from selector.contest.profile import load_profile
from selector.domain import TaskInputs

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def _toml_values(*texts: str) -> list[Any]:
    return [json.loads(json.dumps(tomllib.loads(text), default=str)) for text in texts]


def _profiles() -> list[bytes]:
    folder = Path(load_profile.__code__.co_filename).parents[1] / "profiles"
    return [path.read_bytes() for path in sorted(folder.glob("*.toml"))]


def _read_profile(path: Path) -> None:
    from datetime import datetime, timezone

    from selector.contest import quota

    profile = load_profile(path)
    for kind in profile.task_types:
        profile.output_size_px(kind, (640, 480), (300, 200))
    _ = profile.columns, profile.totals_rule
    quota.next_turn(datetime(2026, 3, 1, tzinfo=timezone.utc), profile)
    profile.export.archive_file("team")


_CONFIG = """
profile = "tianchi-532389"
team = "mine"
seed = 5
[generate]
t2i = { wanx = { n = 4, prompts = ["as_is", "suffix"], finishes = ["denoise"] }, spare = { reserve = true } }
tie = { retouch = 2 }
[generators.wanx]
kind = "dashscope"
model = "wanx2.1-t2i-turbo"
[generators.spare]
kind = "diffusers"
preset = "sdxl"
[scorers.mine]
kind = "command"
command = ["python", "x.py"]
[judges.qwen]
base_url = "http://localhost:8000/v1"
model = "qwen-vl"
price_in = 0.5
price_out = 1.5
[services.dashscope]
running = 3
budget = 50.0
prices = { "wanx2.1-t2i-turbo" = 0.14 }
[calibrate]
judges = { gpt = 0.5 }
scores = { "aesthetic.score" = 0.2 }
[engine]
name = "ray"
address = "ray://10.0.0.1:10001"
[finish]
denoise = { strength = 0.5 }
"""


def _configs() -> list[bytes]:
    from selector.config import parse_config, render_config

    return [_CONFIG.encode(), render_config(parse_config({"profile": "mini-png"})).encode()]


def _read_config(path: Path) -> None:
    from selector.config import check_names, parse_config, read_config, render_config

    found = read_config(path)
    if parse_config(tomllib.loads(render_config(found))) != found and "nan" not in repr(found):
        raise AssertionError("what is written of a configuration is not what was read")
    check_names(found)


def _read_prior(path: Path) -> None:
    from selector.decide._beliefs import load_prior

    load_prior(path.parent)


_PRIOR = {"from": "spring", "effects": {"judge": [0.5, 0.1], "generator x": [1, 2.0]}}


_MANIFEST = {
    "format": 1,
    "submission": "1a2b3c4d",
    "zip": {"name": "a.zip", "sha256": "0" * 64},
    "profile": {"name": "p", "hash": "h"},
    "contest": {"table": "t", "inputs": "i"},
    "basis": {"decisions": 3},
    "picks": [
        {
            "task": "3",
            "candidate": "1" * 64,
            "fallback": False,
            "reason": "best",
            "made_by": {"generator": "g", "build": "b", "variant": "", "seed": 5, "params": {"a": 1}},
        }
    ],
}


def _read_manifest(path: Path) -> None:
    from selector.submit._manifest_file import read_manifest

    read_manifest(path)


@lru_cache(maxsize=1)
def _stored_readings() -> list[Any]:
    from selector.prompts.reading import read_by_rules

    return [json.loads(json.dumps(read_by_rules(task.type, task.prompt).as_json())) for task in TASKS]


def _read_stored_reading(data: bytes, _folder: Path) -> Lines:
    from selector.domain.reading import Reading
    from selector.prompts.reading import reading_of

    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return ()  # a store holds JSON alone
    reading = Reading.from_json(value)
    _ = reading.tag, reading_of(TaskInputs(TASKS[0], reading=reading)).why_unread
    return ()


def _read_index(path: Path) -> None:
    from selector.weights import check_named_files

    check_named_files(path.parent)


def _read_architecture(path: Path) -> None:
    from selector.sight.embedding._loading import read_architecture, text_folder

    text_folder(read_architecture("own", str(path)), path)


def _read_pipeline(path: Path) -> None:
    from generators._pipelines.model_folder import read_folder

    read_folder(path.parent)


def _read_labels(path: Path) -> None:
    from scorers._detector_model import _labels

    _labels(path.parent)


def _read_backbone(path: Path) -> None:
    from selector.sight.embedding.transformers_clip import _read

    _read(path)


_PIPELINE = {
    "_class_name": "FluxPipeline",
    "_diffusers_version": "0.36",
    "vae": ["diffusers", "AutoencoderKL"],
    "x": [None, None],
}


_LABELS = {"id2label": {"0": "real", "1": "fake"}, "problem_type": "single_label_classification"}


_TEXT_TOWER = {"context_length": 77, "vocab_size": 99, "width": 8, "heads": 2, "layers": 1}
_ARCHITECTURE = {
    "embed_dim": 8,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 8, "patch_size": 8},
    "text_cfg": {**_TEXT_TOWER, "hf_tokenizer_name": "a/b"},
}


READERS: tuple[Reader, ...] = (
    Reader(
        "profile",
        _profiles,
        in_file("p.toml", _read_profile),
        lambda: [toml_texts(_toml_values(*(data.decode() for data in _profiles())), ["size", "source", "fixed"])],
        2,
    ),
    Reader(
        "campaign.toml",
        _configs,
        in_file("campaign.toml", _read_config),
        lambda: [toml_texts(_toml_values(_CONFIG), ["n", "kind", "blank", "seeds", "t2i", "prompts"])],
        2,
    ),
    Reader("prior", texts_of(json.dumps(_PRIOR)), in_file("prior.json", _read_prior), strategy(json_texts, [_PRIOR])),
    Reader(
        "manifest",
        texts_of(json.dumps(_MANIFEST)),
        in_file("manifest.json", _read_manifest),
        strategy(json_texts, [_MANIFEST]),
    ),
    Reader(
        "stored readings",
        lambda: [json.dumps(one).encode() for one in _stored_readings()],
        _read_stored_reading,
        lambda: [json_texts(_stored_readings(), ["scene", "objects", "text_edit", "kind"])],
    ),
    Reader(
        "index of weights",
        texts_of('{"weight_map": {"a": "model-1.safetensors", "b": "x/y.bin"}}'),
        in_file("model.safetensors.index.json", _read_index),
        strategy(json_texts, [{"weight_map": {"a": "m.safetensors"}}], ["weight_map"]),
    ),
    Reader(
        "architecture",
        texts_of(json.dumps(_ARCHITECTURE | {"text_cfg": _TEXT_TOWER}), json.dumps(_ARCHITECTURE)),
        in_file("own.json", _read_architecture),
        strategy(json_texts, [_ARCHITECTURE]),
        told=1,  # the files of its tokenizer are not there
    ),
    Reader(
        "model_index.json",
        texts_of(json.dumps(_PIPELINE)),
        in_file("model_index.json", _read_pipeline),
        strategy(json_texts, [_PIPELINE]),
    ),
    Reader(
        "labels of a detector",
        texts_of(json.dumps(_LABELS)),
        in_file("config.json", _read_labels),
        strategy(json_texts, [_LABELS], ["0"]),
    ),
    Reader(
        "settings of a backbone",
        texts_of(json.dumps(_LABELS)),
        in_file("config.json", _read_backbone),
        strategy(json_texts, [_LABELS]),
    ),
)
