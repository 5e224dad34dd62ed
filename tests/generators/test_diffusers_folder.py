"""What is read of a model's folder before anything is loaded."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tiny_pipelines

from generators._pipelines.model_folder import _bytes_of, read_folder, tag_of, variant_of, weigh
from generators.diffusers_pipeline import DiffusersPipeline
from selector.domain import InputError, MissingPart


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_pipelines.tiny_sd(tmp_path_factory.mktemp("models") / "sd")


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def renamed(folder: Path, old: str, new: str) -> Path:
    """All weights of the folder under another ending; ``new`` may name a variant."""
    for file in [*folder.rglob(f"*{old}")]:
        file.rename(file.with_name(file.name.replace(old, new)))
    return folder


def test_a_check_is_cheap_and_imports_nothing_heavy(folder: Path) -> None:
    code = (
        "import sys; from generators.diffusers_pipeline import DiffusersPipeline; "
        f"g = DiffusersPipeline(model_path={str(folder)!r}); g.check(); g.version; "
        "print([m for m in ('torch', 'diffusers', 'transformers', 'cv2', 'PIL') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(entry or "." for entry in sys.path)},
    )
    assert done.stdout.strip() == "[]"


def test_a_folder_that_is_none_is_told(tmp_path: Path, copy: Path) -> None:
    with pytest.raises(MissingPart, match="model folder nowhere is not there"):
        DiffusersPipeline(model_path=str(tmp_path / "nowhere")).check()
    with pytest.raises(MissingPart, match=r"has no model_index.json"):
        DiffusersPipeline(model_path=str(tmp_path)).check()
    (copy / "model_index.json").write_text("{")
    with pytest.raises(MissingPart, match="cannot be read"):
        DiffusersPipeline(model_path=str(copy)).check()


def test_code_of_a_model_folder_is_never_run(copy: Path) -> None:
    index = json.loads((copy / "model_index.json").read_text())
    (copy / "model_index.json").write_text(json.dumps({**index, "_class_name": ["my_pipeline", "Mine"]}))
    with pytest.raises(InputError, match=r"program code of its own \(my_pipeline.py\)"):
        read_folder(copy)
    (copy / "model_index.json").write_text(json.dumps({**index, "unet": ["my_unet", "Mine"]}))
    (copy / "unet" / "my_unet.py").write_text("raise SystemExit")
    with pytest.raises(InputError, match=r"unet/my_unet.py"):
        read_folder(copy)


def test_a_part_whose_library_is_a_name_too_long_for_a_file_is_no_program(copy: Path) -> None:
    index = json.loads((copy / "model_index.json").read_text())
    (copy / "model_index.json").write_text(json.dumps({**index, "unet": ["x" * 300, "Mine"]}))
    assert read_folder(copy).components["unet"][0] == "x" * 300


def test_pickled_weights_need_the_users_word(copy: Path) -> None:
    read = read_folder(renamed(copy, ".safetensors", ".bin"))
    with pytest.raises(MissingPart, match=r"only pickled weights \(.bin\) in .*allow_pickle = true"):
        variant_of(read, "", allow_pickle=False)
    assert variant_of(read, "", allow_pickle=True) == ""


def test_the_variant_is_found_where_there_is_no_other(copy: Path) -> None:
    read = read_folder(renamed(copy, ".safetensors", ".fp16.safetensors"))
    assert variant_of(read, "", allow_pickle=False) == "fp16"
    with pytest.raises(MissingPart, match=r"no weights of variant 'bf16' in .*unet"):
        variant_of(read, "bf16", allow_pickle=False)


def test_a_copy_that_is_not_complete_is_told(copy: Path) -> None:
    shutil.rmtree(copy / "unet")
    with pytest.raises(MissingPart, match="no weights in unet; the copy is not complete"):
        DiffusersPipeline(model_path=str(copy)).check()


def test_weights_weigh_what_torch_counts(folder: Path) -> None:
    import torch
    from diffusers import UNet2DConditionModel

    unet = UNet2DConditionModel.from_pretrained(folder / "unet", use_safetensors=True)
    numbers = sum(parameter.numel() for parameter in unet.parameters())
    largest = weigh(read_folder(folder), "", False, torch.finfo(torch.bfloat16).bits // 8).largest_bytes
    assert largest == 2 * numbers


def test_a_tag_is_of_the_content_and_of_nothing_else(folder: Path, copy: Path) -> None:
    os.utime(copy / "unet" / "config.json", (1, 1))
    (copy / "README.md").write_text("about")
    assert tag_of(copy) == tag_of(folder)
    with (copy / "unet" / "diffusion_pytorch_model.safetensors").open("ab") as stream:
        stream.write(b" ")
    assert tag_of(copy) != tag_of(folder)


def test_a_folder_names_no_files_outside_of_itself(copy: Path) -> None:
    index = json.loads((copy / "model_index.json").read_text())
    parts = copy / "unet" / "diffusion_pytorch_model.safetensors.index.json"
    parts.write_text(json.dumps({"metadata": {}, "weight_map": {"w": "../../other.safetensors"}}))
    with pytest.raises(InputError, match=r"names the weights '../../other.safetensors' climbs out"):
        DiffusersPipeline(model_path=str(copy)).check()
    parts.unlink()
    for name in ("../unet", "/tmp", "a/b"):
        (copy / "model_index.json").write_text(json.dumps({**index, name: ["diffusers", "UNet2DConditionModel"]}))
        with pytest.raises(InputError, match=f"model_index.json names the part '{name}'"):
            DiffusersPipeline(model_path=str(copy)).check()


@pytest.mark.parametrize(
    "header",
    [
        "[" * 5000,
        "[]",
        '{"a": 5}',
        '{"a": {"dtype": [], "data_offsets": [0]}}',
        f'{{"a": {{"dtype": "F16", "data_offsets": [0, {10**400}]}}}}',
        f'{{"a": {{"dtype": "F16", "data_offsets": [0.5, {10**400}]}}}}',
        '{"a": {"dtype": "F16", "data_offsets": [9, 0]}}',
    ],
)
def test_a_header_of_weights_that_is_none_is_one_line(tmp_path: Path, header: str) -> None:
    file = tmp_path / "part.safetensors"
    file.write_bytes(len(header).to_bytes(8, "little") + header.encode())
    with pytest.raises(MissingPart, match=r"part\.safetensors is damaged \(\w+\); copy the model again"):
        _bytes_of(file, 2)
