from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from generators._metadata import ImageMetadata, read_metadata, without_texts

A1111 = """a cat, <lora:x:0.8>, Steps ahead
second line
Negative prompt: blurry, bad
hands
Steps: 28, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 987654321, Model: dream shaper, Version: v1"""

COMFYUI: dict[str, Any] = {
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sdxl.safetensors"}},
    "10": {"class_type": "LoraLoader", "inputs": {"model": ["4", 0], "clip": ["4", 1], "lora_name": "x"}},
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 42, "steps": 25, "sampler_name": "euler", "model": ["10", 0], "positive": ["12", 0],
            "negative": ["7", 0],
        },
    },
    "12": {"class_type": "ConditioningCombine", "inputs": {"conditioning_1": ["6", 0], "conditioning_2": ["7", 0]}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["20", 0], "clip": ["10", 1]}},
    "20": {"class_type": "PrimitiveString", "inputs": {"value": "一只猫 a cat"}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "ugly", "clip": ["10", 1]}},
}  # fmt: skip


def png(**texts: str) -> bytes:
    info = PngInfo()
    for key, text in texts.items():
        info.add_itxt(key.replace("__", "-"), text)
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def test_a1111_text_in_png() -> None:
    found = read_metadata(png(parameters=A1111))
    assert found == ImageMetadata(
        tool="a1111",
        seed=987654321,
        prompt="a cat, <lora:x:0.8>, Steps ahead\nsecond line",
        negative_prompt="blurry, bad\nhands",
        model="dream shaper",
        sampler="DPM++ 2M Karras",
        steps=28,
    )


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
@pytest.mark.parametrize("encoding", ["utf-16-be", "utf-16-le"])
def test_a1111_text_in_the_exif_comment(form: str, encoding: str) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + A1111.encode(encoding)
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, form, exif=exif.tobytes())
    found = read_metadata(buffer.getvalue())
    assert (found.tool, found.seed, found.steps) == ("a1111", 987654321, 28)


def test_comfyui_links_are_followed_to_text_and_model() -> None:
    found = read_metadata(png(prompt=json.dumps(COMFYUI), workflow="{}"))
    assert found.as_notes() == {
        "tool": "comfyui", "seed": 42, "prompt": "一只猫 a cat", "negative_prompt": "ugly", "model": "sdxl.safetensors",
        "sampler": "euler", "steps": 25,
    }  # fmt: skip


def test_comfyui_seed_behind_a_link() -> None:
    graph = json.loads(json.dumps(COMFYUI))
    graph["3"]["inputs"]["seed"] = ["30", 0]
    graph["30"] = {"class_type": "PrimitiveInt", "inputs": {"value": 77}}
    assert read_metadata(png(prompt=json.dumps(graph))).seed == 77


def test_comfyui_graph_of_flux() -> None:
    graph = {
        "13": {
            "class_type": "SamplerCustomAdvanced",
            "inputs": {"noise": ["25", 0], "guider": ["22", 0], "sampler": ["16", 0], "sigmas": ["17", 0]},
        },
        "25": {"class_type": "RandomNoise", "inputs": {"noise_seed": 31}},
        "22": {"class_type": "BasicGuider", "inputs": {"model": ["12", 0], "conditioning": ["26", 0]}},
        "26": {"class_type": "FluxGuidance", "inputs": {"guidance": 3.5, "conditioning": ["6", 0]}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a fox", "clip": ["11", 0]}},
        "12": {"class_type": "UNETLoader", "inputs": {"unet_name": "flux1-dev.safetensors"}},
        "16": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}},
        "17": {"class_type": "BasicScheduler", "inputs": {"steps": 20, "model": ["12", 0]}},
    }
    assert read_metadata(png(prompt=json.dumps(graph))).as_notes() == {
        "tool": "comfyui", "seed": 31, "prompt": "a fox", "model": "flux1-dev.safetensors", "sampler": "euler",
        "steps": 20,
    }  # fmt: skip


def test_comfyui_circle_of_links_ends() -> None:
    graph = {
        "1": {"class_type": "KSampler", "inputs": {"seed": 5, "positive": ["2", 0]}},
        "2": {"class_type": "A", "inputs": {"x": ["3", 0]}},
        "3": {"class_type": "B", "inputs": {"x": ["2", 0]}},
    }
    found = read_metadata(png(prompt=json.dumps(graph)))
    assert (found.seed, found.prompt) == (5, None)


def test_invokeai_new_and_old() -> None:
    new = {"seed": 9, "positive_prompt": "a fox", "model": {"name": "flux"}, "scheduler": "euler", "steps": 30}
    assert read_metadata(png(invokeai_metadata=json.dumps(new))).as_notes() == {
        "tool": "invokeai", "seed": 9, "prompt": "a fox", "model": "flux", "sampler": "euler", "steps": 30,
    }  # fmt: skip
    old = {
        "model_weights": "sd-1.4",
        "image": {"prompt": [{"prompt": "a fox", "weight": 1}], "seed": 8, "steps": 50, "sampler": "k_lms"},
    }
    assert read_metadata(png(sd__metadata=json.dumps(old))).seed == 8
    found = read_metadata(png(dream='"a \\"red\\" fox" -s 50 -S 1234 -W 512 -A k_lms'))
    assert (found.seed, found.steps, found.sampler) == (1234, 50, "k_lms")


def test_fooocus_and_swarmui_write_json_where_a1111_writes_its_text() -> None:
    fooocus = {
        "prompt": "a lighthouse",
        "seed": "902133",
        "base_model": "xl",
        "sampler": "dpmpp",
        "scheduler": "karras",
    }
    assert read_metadata(png(parameters=json.dumps(fooocus))).as_notes() == {
        "tool": "fooocus", "seed": 902133, "prompt": "a lighthouse", "model": "xl", "sampler": "dpmpp",
    }  # fmt: skip
    swarm = {"sui_image_params": {"prompt": "a beetle", "negativeprompt": "fog", "seed": 77, "model": "flux"}}
    assert read_metadata(png(parameters=json.dumps(swarm))).as_notes() == {
        "tool": "swarmui", "seed": 77, "prompt": "a beetle", "negative_prompt": "fog", "model": "flux",
    }  # fmt: skip
    assert read_metadata(png(parameters="{{a|b}} fox")).prompt == "{{a|b}} fox"


def test_lines_of_extensions_below_the_settings_are_no_part_of_the_negative_prompt() -> None:
    found = read_metadata(png(parameters=A1111 + "\nTemplate: a __x__ cat\nNegative Template: blurry"))
    assert (found.seed, found.negative_prompt) == (987654321, "blurry, bad\nhands")


def test_keys_are_read_in_any_case_and_a_telephones_comment_is_no_prompt() -> None:
    assert read_metadata(png(Dream='"a kettle" -s 30 -S 118822')).seed == 118822
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0Screenshot"
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "JPEG", exif=exif.tobytes())
    assert read_metadata(buffer.getvalue()) == ImageMetadata()


def test_old_invokeai_names_its_weights_not_its_kind_of_model() -> None:
    old = {"model": "stable diffusion", "model_weights": "sd-1.4", "image": {"prompt": "x", "seed": 1}}
    assert read_metadata(png(sd__metadata=json.dumps(old))).model == "sd-1.4"


@pytest.mark.parametrize(
    "texts",
    [
        {"prompt": "{not json"}, {"prompt": "[1, 2]"}, {"prompt": "[" * 100_000}, {"invokeai_metadata": "3"},
        {"sd__metadata": "{}"}, {"workflow": "[]"}, {"prompt": json.dumps({str(i): {} for i in range(6000)})},
    ],
)  # fmt: skip
def test_damaged_metadata_become_a_remark(texts: dict[str, str]) -> None:
    found = read_metadata(png(**texts))
    assert found.remark
    assert found.seed is None


@pytest.mark.parametrize("seed", ["1e5", "9" * 5000, None, True, [1], {"a": 1}, -1.5])
def test_strange_seeds_are_left_out(seed: Any) -> None:
    found = read_metadata(png(invokeai_metadata=json.dumps({"seed": seed, "positive_prompt": "x"})))
    assert found.seed is None


def test_long_prompts_are_cut() -> None:
    assert len(read_metadata(png(parameters="x" * 50_000)).prompt or "") == 8_000


def test_no_metadata_and_no_picture() -> None:
    assert read_metadata(png()) == ImageMetadata()
    assert read_metadata(b"nothing").remark


def test_without_texts_keeps_the_pixels() -> None:
    bare = without_texts(png(parameters=A1111))
    assert b"Steps" not in bare
    assert Image.open(io.BytesIO(bare)).size == (8, 8)
    assert without_texts(b"no png") == b"no png"


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200), st.sampled_from(["parameters", "prompt", "dream", "invokeai_metadata"]))
def test_any_text_is_survived(text: str, key: str) -> None:
    text = text.encode("utf-8", "ignore").decode().replace("\0", "")
    assert isinstance(read_metadata(png(**{key: text})), ImageMetadata)


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_survived(data: bytes) -> None:
    read_metadata(data)
    without_texts(b"\x89PNG\r\n\x1a\n" + data)
