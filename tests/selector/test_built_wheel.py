"""The wheel, built for real: small enough, with both models in it, and they load from where it was unpacked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
MOST_BYTES = 25_000_000
SHIPPED = {  # by name: that a file is in the tree says nothing once it was lost from there
    "embedding": (
        "README.md", "merges.txt", "open_clip_config.json", "open_clip_model.safetensors", "picture.onnx", "text.onnx",
        "tokenizer_config.json", "vocab.json",
    ),
    "text_to_image": (
        "README.md", "model_index.json", "scheduler/scheduler_config.json", "text_encoder/config.json",
        "text_encoder/model.safetensors", "text_encoder/words.onnx", "tokenizer/tokenizer.json",
        "tokenizer/tokenizer_config.json", "unet/config.json", "unet/diffusion_pytorch_model.safetensors",
        "unet/unet.onnx", "vae/config.json", "vae/decoder.onnx", "vae/diffusion_pytorch_model.safetensors",
    ),
}  # fmt: skip
BUILD = (
    "import setuptools.build_meta as build, sys; "
    "build.build_wheel(sys.argv[1])"  # in this environment, so that nothing is fetched
)
SEE = """
import json, pathlib, sys, tempfile, selector, generators
from selector.sight import embedded
from selector.sight.embedding.openclip import OpenClip
from selector.domain.embedding import EmbeddingSettings
from generators.diffusers_pipeline import DiffusersPipeline
from selector.demo.play.plan import PoolPlan
from selector.demo.play.run import play_demo
generator = DiffusersPipeline(preset="embedded", steps=1)
generator.check()
from diffusers import DiffusionPipeline
backbone = OpenClip(EmbeddingSettings(model="embedded", device="cpu"))
backbone.check()
small = PoolPlan(prompts=2, edits=1, each=1, days=1, stand_in=True, scorers=("gate", "technical"))
with tempfile.TemporaryDirectory() as folder:
    played = play_demo(pathlib.Path(folder), lambda line: None, plan=small)["results"]["days"]
print(json.dumps({
    "places": [selector.__file__, generators.__file__],
    "pipeline": type(DiffusionPipeline.from_pretrained(embedded.TEXT_TO_IMAGE)).__name__,
    "texts": len(backbone.embed_texts(["a red circle"])),
    "days": played,
    "experiments": "experiments" in sys.modules,
}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of the tree: setuptools leaves build/ and *.egg-info where it works."""
    tree, out = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("wheel")
    for name in ("selector", "generators", "scorers", "experiments", "tests"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(out)], cwd=tree, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return next(out.glob("bestshot-*.whl"))


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def seen(unpacked: Path) -> Any:
    """What a process finds that sees the unpacked wheel and not this checkout."""
    others = [entry for entry in sys.path if entry and not (Path(entry) / "selector").is_dir()]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(unpacked), *others])}
    done = subprocess.run(
        [sys.executable, "-c", SEE], cwd=unpacked, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert all(place.startswith(str(unpacked)) for place in found["places"]), found
    return found


def test_it_is_small_and_has_every_file_of_the_models(wheel: Path) -> None:
    assert wheel.stat().st_size < MOST_BYTES
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert "selector/sight/embedded/__init__.py" in names
    place = ROOT / "selector" / "sight" / "embedded"
    models = [file for file in place.rglob("*") if file.is_file() and file.suffix not in (".py", ".pyc")]
    assert {file.relative_to(ROOT).as_posix() for file in models} <= names
    within = "selector/sight/embedded"
    assert {f"{within}/{model}/{file}" for model, files in SHIPPED.items() for file in files} <= names


def test_it_holds_the_three_packages_and_no_experiments_or_fake_services(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        roots = {name.partition("/")[0] for name in archive.namelist()}
    assert {root for root in roots if not root.endswith(".dist-info")} == {"selector", "scorers", "generators"}


def test_demo_play_plays_from_it(seen: Any) -> None:
    assert seen["days"] == [1] and not seen["experiments"]


def test_both_models_load_from_it(seen: Any) -> None:
    assert (seen["pipeline"], seen["texts"]) == ("StableDiffusionPipeline", 1)
