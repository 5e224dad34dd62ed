from __future__ import annotations

import io
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from generators._metadata import ImageMetadata, read_metadata, without_texts

USER_COMMENT = 0x9286
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


def test_comfyui_nodes_with_both_conditionings_are_left_by_the_side_they_were_entered() -> None:
    graph = json.loads(json.dumps(COMFYUI))
    graph["3"]["inputs"].update(positive=["40", 0], negative=["40", 1])
    graph["40"] = {"class_type": "ControlNetApplyAdvanced", "inputs": {"positive": ["12", 0], "negative": ["7", 0]}}
    found = read_metadata(png(prompt=json.dumps(graph)))
    assert (found.prompt, found.negative_prompt) == ("一只猫 a cat", "ugly")
    graph["40"] = {"class_type": "Loader", "inputs": {"ckpt_name": "m", "negative": "mist", "positive": "a lake"}}
    found = read_metadata(png(prompt=json.dumps(graph)))
    assert (found.prompt, found.negative_prompt) == ("a lake", "mist")


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
    assert read_metadata(png(parameters="{{a|b}} fox\nSteps: 4, Seed: 1")).prompt == "{{a|b}} fox"


def test_lines_of_extensions_below_the_settings_are_no_part_of_the_negative_prompt() -> None:
    found = read_metadata(png(parameters=A1111 + "\nTemplate: a __x__ cat\nNegative Template: blurry"))
    assert (found.seed, found.negative_prompt) == (987654321, "blurry, bad\nhands")


def jpeg(tags: dict[int, Any], form: str = "JPEG", **options: Any) -> bytes:
    """A picture with these EXIF tags, the user comment among EXIF's own as cameras have it."""
    exif = Image.Exif()
    for tag, value in tags.items():
        (exif.get_ifd(0x8769) if tag == USER_COMMENT else exif)[tag] = value
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, form, exif=exif.tobytes(), **options)
    return buffer.getvalue()


def beside(comment: bytes) -> bytes:
    """A JPEG with the user comment beside the camera's tags, as Fooocus and some programs for screenshots write it."""
    exif = Image.Exif()
    exif[USER_COMMENT] = comment
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "JPEG", exif=exif.tobytes())
    return buffer.getvalue()


@pytest.mark.parametrize(
    "picture",
    [
        jpeg({USER_COMMENT: b"ASCII\0\0\0Screenshot"}),
        beside(b"ASCII\0\0\0Screenshot"),
        beside(b"Screenshot"),
        jpeg({USER_COMMENT: b"UNICODE\0" + "屏幕截图".encode("utf-16-be")}),
        jpeg({USER_COMMENT: b"ASCII\0\0\0" + json.dumps({"model": "SM-1", "seed": 3, "mode": "night"}).encode()}),
        jpeg({USER_COMMENT: b"ASCII\0\0\0" + b"\0" * 40, 0x010F: "Acme", 0x0110: "A-1", 0x0131: "v2.1"}),
        jpeg({0x010E: "The prompt: an old harbour, steps: many", 0x010F: "prompt service"}),
        jpeg({}, comment=b"Created with an editor, quality: 90, seed: none"),
        png(Software="gnome-screenshot", Description="Screenshot", Comment="Steps: see the manual"),
        png(parameters="gain=3, exposure=12"),
        png(Comment=json.dumps({"title": "x", "prompt": "y"})),
        png(Dream="I had one -last night-"),
        png(Comment="Soup\nSteps: 3, Time: 20 min, Seed of: fennel"),
        png(prompt='{"text": "a fox"}', workflow='{"stages": ["draft"]}'),
    ],
)
def test_a_comment_that_tells_of_no_generation_is_no_metadata(picture: bytes) -> None:
    assert read_metadata(picture) == ImageMetadata()


def test_keys_are_read_in_any_case() -> None:
    found = read_metadata(png(Dream='"a kettle [steam]" -s 30 -S118822'))
    assert (found.prompt, found.negative_prompt, found.seed) == ("a kettle", "steam", 118822)


SHORT = "a pond\nNegative prompt: fog\nSteps: 9, Sampler: Euler, Seed: 55, Model: m"
NOVELAI = {
    "Software": "NovelAI", "Source": "NovelAI Diffusion V0 ABC", "Description": "a pond",
    "Comment": json.dumps({"prompt": "a pond", "steps": 9, "sampler": "k_euler", "seed": 55, "uc": "fog"}),
}  # fmt: skip
XMP = """<x:xmpmeta><rdf:Description><dc:description><rdf:Alt><rdf:li xml:lang="x-default">a pond
-fog</rdf:li></rdf:Alt></dc:description><exif:UserComment><rdf:Alt><rdf:li xml:lang="x-default">{&quot;c&quot;:&quot;a
 pond&quot;,&quot;uc&quot;:&quot;fog&quot;,&quot;seed&quot;:55,&quot;steps&quot;:9,&quot;model&quot;:&quot;m&quot;}</rdf:li>
</rdf:Alt></exif:UserComment></rdf:Description></x:xmpmeta>""".replace("a\n pond", "a pond")


@pytest.mark.parametrize(
    ("picture", "tool"),
    [
        (png(parameters=SHORT + ", Version: f2.0.1"), "a1111"),
        (png(parameters=SHORT.replace(", ", " | ")), "a1111"),
        (png(parameters=SHORT.replace("\n", " ")), "a1111"),
        (png(parameters=SHORT.replace("\n", "\r\n")), "a1111"),
        (png(parameters=SHORT.replace("Model", "model")), "a1111"),
        (png(parameters=SHORT + ", Version: Fooocus v2.5.0"), "fooocus"),
        (png(parameters=SHORT, fooocus_scheme="a1111"), "fooocus"),
        (png(parameters=SHORT + ", Version: ComfyUI", prompt=json.dumps(COMFYUI)), "comfyui"),
        (png(parameters=SHORT + ', Template: "a __x__ pond", Negative Template: "fog"'), "a1111"),
        (jpeg({}, comment=SHORT.encode()), "a1111"),
        (jpeg({0x010E: SHORT}), "a1111"),
        (beside(json.dumps({"prompt": "a pond", "negative_prompt": "fog", "seed": "55", "base_model": "m"}).encode()),
         "fooocus"),
        (jpeg({USER_COMMENT: b"ASCII\0\0\0" + json.dumps(
            {"sui_image_params": {"prompt": "a pond", "negativeprompt": "fog", "seed": 55, "model": "m"}}).encode()},
            "WEBP"), "swarmui"),
        (png(**NOVELAI), "novelai"),
        (jpeg({USER_COMMENT: b"ASCII\0\0\0" + json.dumps(NOVELAI).encode()}), "novelai"),
        (png(**{"XML:com.adobe.xmp": XMP}), "draw things"),
        (png(prompt="a pond", negative_prompt="fog", seed="55", use_stable_diffusion_model="m"), "easydiffusion"),
        (png(**{"Prompt": "a pond", "Negative Prompt": "fog", "Seed": "55", "Stable Diffusion model": "m"}),
         "easydiffusion"),
        (png(parameters=SHORT, prompt=json.dumps(COMFYUI)), "comfyui"),
        (png(parameters=json.dumps({"Prompt": "a pond", "Negative": "fog", "Seed": 55, "software": "Other"})), None),
        (jpeg({0x0110: json.dumps({"sui_image_params": {"prompt": "a pond", "negativeprompt": "fog", "seed": 55}})}),
         "swarmui"),
        (png(parameters="Prompt: a pond\nNegative prompt: fog\nVersion: a1b2, Pipeline: Some,\nSteps: 9 | Seed: 55"),
         "a1111"),
        (png(**{**NOVELAI, "Description": "", "Comment": json.dumps(
            {"seed": 55, "v4_prompt": {"caption": {"base_caption": "a pond"}},
             "v4_negative_prompt": {"caption": {"base_caption": "fog"}}})}), "novelai"),
        (png(**{"tool:prompt": "a pond", "tool:negative_prompt": "fog", "tool:seed": "55", "tool:steps": "4"}), None),
        (png(prompt="{}", invokeai_metadata=json.dumps({"positive_prompt": "a pond [fog]", "seed": 55})), "invokeai"),
    ],
)  # fmt: skip
def test_every_tool_is_read_and_taken_for_no_other(picture: bytes, tool: str | None) -> None:
    found = read_metadata(picture)
    assert (found.tool, found.prompt, found.negative_prompt, found.seed) == (tool, "a pond", "fog", 55)
    assert found.remark is None


def test_a_negative_prompt_and_one_setting_are_a_record() -> None:
    found = read_metadata(png(parameters="a pond\nNegative prompt: fog\nSteps: 9"))
    assert (found.prompt, found.negative_prompt, found.steps) == ("a pond", "fog", 9)


def test_comfyui_graphs_in_exif_of_webp() -> None:
    graph = json.dumps(COMFYUI)
    for tags in ({0x010F: f"Prompt: {graph}", 0x010E: "Workflow: {}"}, {0x0110: f"prompt:{graph}"}):
        assert read_metadata(jpeg(tags, "WEBP")).seed == 42


def test_midjourneys_job_is_a_record() -> None:
    job = "a pond at noon --ar 3:2 --seed 55 --v 6 Job ID: 01234567-89ab-cdef-0123-456789abcdef"
    assert read_metadata(png(Description=job)).as_notes() == {
        "tool": "midjourney", "seed": 55, "prompt": "a pond at noon",
    }  # fmt: skip


def test_what_is_damaged_does_not_hide_what_is_not() -> None:
    found = read_metadata(png(sd__metadata="{", parameters=SHORT))
    assert (found.seed, found.remark) == (55, None)


def test_old_invokeai_names_its_weights_not_its_kind_of_model() -> None:
    old = {"model": "stable diffusion", "model_weights": "sd-1.4", "image": {"prompt": "x", "seed": 1}}
    assert read_metadata(png(sd__metadata=json.dumps(old))).model == "sd-1.4"


@pytest.mark.parametrize(
    "texts",
    [
        {"prompt": "{not json"}, {"prompt": "[1, 2]"}, {"prompt": "[" * 100_000}, {"invokeai_metadata": "3"},
        {"sd__metadata": "{}"}, {"workflow": "["}, {"prompt": json.dumps({str(i): {} for i in range(6000)})},
    ],
)  # fmt: skip
def test_damaged_metadata_become_a_remark(texts: dict[str, str]) -> None:
    found = read_metadata(png(**texts))
    assert found.remark
    assert found.seed is None


def test_a_command_that_mended_a_picture_tells_no_prompt() -> None:
    found = read_metadata(png(Dream='!fix "outputs/12.png" -s 50 -S  -W 512 -A k_lms'))
    assert (found.prompt, found.seed, found.steps) == (None, None, 50)


def test_the_seed_zero_is_one() -> None:
    assert read_metadata(png(invokeai_metadata=json.dumps({"seed": 0, "positive_prompt": "x"}))).seed == 0


@pytest.mark.parametrize("seed", ["1e5", "9" * 5000, None, True, [1], {"a": 1}, -1.5, -1, "-1"])
def test_strange_seeds_are_left_out(seed: Any) -> None:
    found = read_metadata(png(invokeai_metadata=json.dumps({"seed": seed, "positive_prompt": "x"})))
    assert found.seed is None


def test_long_prompts_are_cut() -> None:
    assert len(read_metadata(png(parameters="x" * 50_000 + "\nSteps: 4, Seed: 1")).prompt or "") == 8_000


def test_no_metadata_and_no_picture() -> None:
    assert read_metadata(png()) == ImageMetadata()
    assert read_metadata(b"nothing").remark


def test_without_texts_keeps_the_pixels() -> None:
    bare = without_texts(png(parameters=A1111))
    assert b"Steps" not in bare
    assert Image.open(io.BytesIO(bare)).size == (8, 8)
    assert without_texts(b"no png") == b"no png"


@pytest.mark.parametrize(
    "piece", ["Steps: 1, ", " Steps: 1, ", "a", "\t", "Steps: 1, a", "--x ", "-s ", '"', "[", "\n", "Job ID: "]
)
def test_a_text_made_to_take_long_is_read_in_a_moment(piece: str) -> None:
    text = ("Steps: 2, " + piece * (900_000 // len(piece)))[:900_000]
    started = time.perf_counter()
    read_metadata(png(parameters=text, dream=text))
    xmp = "<dc:description><rdf:Alt><rdf:li " * 20_000 + 'exif:UserComment="' * 20_000
    read_metadata(png(**{"XML:com.adobe.xmp": xmp}))
    assert time.perf_counter() - started < 10.0  # half a second alone


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
