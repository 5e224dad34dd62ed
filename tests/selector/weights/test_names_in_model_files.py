"""Names in the files of a model: they lie in the model's folder, whatever an index or a description says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selector.domain import InputError
from selector.sight.embedding._loading import read_architecture, register, text_folder
from selector.weights import ModelFile, check_named_files

OUTSIDE = ("/etc/passwd", "../../other.safetensors", "C:\\x.safetensors", "")


def index(folder: Path, *names: object, file: str = "model.safetensors.index.json") -> Path:
    (folder / file).write_text(
        json.dumps({"metadata": {}, "weight_map": {f"w{n}": name for n, name in enumerate(names)}})
    )
    return folder


def test_parts_inside_of_the_folder_are_taken(tmp_path: Path) -> None:
    check_named_files(tmp_path)
    check_named_files(index(tmp_path, "model-00001-of-00002.safetensors", "parts/model-00002-of-00002.safetensors"))


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("file", ["model.safetensors.index.json", "model.safetensors.index.fp16.json"])
def test_parts_outside_of_the_folder_are_refused(tmp_path: Path, name: str, file: str) -> None:
    with pytest.raises(InputError, match=r"index.*json names the weights '.*; take another copy of the model"):
        check_named_files(index(tmp_path, "good.safetensors", name, file=file))


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"weight_map": 3}', "[" * 100_000])
def test_a_damaged_index_is_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "model.safetensors.index.json").write_text(content)
    with pytest.raises(InputError, match=r"no index of weights .*: copy the model again"):
        check_named_files(tmp_path)


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_file_to_fetch_lies_in_the_models_folder(name: str) -> None:
    with pytest.raises(InputError, match="must lie in the model's folder"):
        ModelFile(name)
    with pytest.raises(InputError, match="must lie in the model's folder"):
        ModelFile("a.bin", or_else=ModelFile("b.bin", path=name or ".."))


def test_a_text_tower_lies_beside_the_weights(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(InputError, match=r"the text tower '\.\.' climbs out"):
        text_folder({"text_cfg": {"hf_tokenizer_name": "me/.."}}, tmp_path / "model" / "weights.pt")


def test_a_model_of_ones_own_has_a_plain_name() -> None:
    with pytest.raises(InputError, match="give a plain name"):
        register("../mine", {})


@pytest.mark.parametrize("content", ["[" * 100_000, '{"embed_dim": 8, "vision_cfg": {}, "text_cfg": "a"}'])
def test_a_description_of_another_form_is_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "own.json").write_text(content)
    with pytest.raises(InputError, match=r"nested too deeply\): mend|own\.json is no architecture of open_clip"):
        read_architecture("own", str(tmp_path / "own.json"))
