"""The requests as they go out, and the small rules behind them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dashscope_service import (
    Serve,
    edit_task,
    generator_at,
    one,
    serving,
    text_task,
)

from generators._dashscope_models import checked_size, known_models, model_named
from generators._dashscope_replies import trouble_of
from generators._dashscope_requests import FUNCTIONS
from generators._uploads import fitting_size, mask_file
from selector.domain import Declined, encode_final
from selector.prompts.wording import cut

serve = serving  # the fixture

OWN_PARAMETERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {  # function: settings, parameters beside the common
    "description_edit": ({}, {}),
    "stylization_all": ({"strength": 0.3}, {"strength": 0.3}),
    "stylization_local": ({}, {}),
    "remove_watermark": ({}, {}),
    "expand": (
        {"expand": [1.0, 1.5, 1.25, 2.0]},
        {"left_scale": 1.0, "right_scale": 1.5, "top_scale": 1.25, "bottom_scale": 2.0},
    ),
    "super_resolution": ({"upscale_factor": 3}, {"upscale_factor": 3}),
    "colorization": ({}, {}),
    "doodle": ({"is_sketch": True}, {"is_sketch": True}),
    "control_cartoon_feature": ({}, {}),
    "description_edit_with_mask": ({}, {}),
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_function_sends_its_own_parameters(serve: Serve, function: str, tmp_path: Any) -> None:
    server = serve(picture_px=0)
    settings, own = OWN_PARAMETERS[function]
    inputs = edit_task("make it red", (250, 200))
    if function == "description_edit_with_mask":
        assert inputs.source is not None
        (tmp_path / "mask.png").write_bytes(encode_final(inputs.source.rgb, "png"))
        settings = {"mask_path": str(tmp_path / "mask.png")}
    generator = generator_at(server, model="wanx2.1-imageedit", function=function, **settings)
    made = one(generator, inputs)
    (body,) = server.state.bodies
    pictures = {"base_image_url"} | ({"mask_image_url"} if "mask" in function else set())
    assert body["model"] == "wanx2.1-imageedit"
    assert set(body["input"]) == {"prompt", "function"} | pictures
    assert body["input"]["function"] == function
    assert body["parameters"] == {"seed": 5, "n": 1, "watermark": False, **own}
    assert made.image.shape == ((1152, 960, 3) if function == "expand" else (200, 250, 3))
    assert generator.version == f"1-wanx2.1-imageedit-{function}"


@pytest.mark.parametrize("name", ["qwen-image", "qwen-image-edit", "qwen-image-edit-plus", "wan2.6-t2i"])
def test_models_that_answer_at_once_get_one_message(serve: Serve, name: str) -> None:
    server = serve(picture_px=0 if "edit" in name else 64)
    inputs = edit_task("make it red") if "edit" in name else text_task("make it red")
    one(generator_at(server, model=name, negative_prompt="blur"), inputs)
    (body,) = server.state.bodies
    content = body["input"]["messages"][0]["content"]
    assert [list(part) for part in content] == ([["image"], ["text"]] if "edit" in name else [["text"]])
    assert body["parameters"]["n"] == 1 and body["parameters"]["negative_prompt"] == "blur"
    assert ("prompt_extend" in body["parameters"]) is (name != "qwen-image-edit")
    assert ("size" in body["parameters"]) is ("edit" not in name)


def test_the_usual_size_of_every_model_is_one_that_it_makes() -> None:
    for name in known_models():
        model = model_named(name)
        assert checked_size(model, "") == model.size
        if model.size:
            assert checked_size(model, model.size.replace("*", "x")) == model.size


@pytest.mark.parametrize(
    ("size_px", "bounds_px", "expected"),
    [
        ((250, 250), (512, 4096), (512, 512)),
        ((800, 600), (512, 4096), (800, 600)),
        ((600, 400), (512, 4096), (768, 512)),
        ((8000, 4000), (512, 4096), (4096, 2048)),
        ((512, 4096), (512, 4096), (512, 4096)),
        ((100, 800), (512, 4096), (512, 4096)),
        ((200, 100), (384, 3072), (768, 384)),
    ],
)
def test_sides_come_into_bounds_with_their_proportions(
    size_px: tuple[int, int], bounds_px: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert fitting_size(size_px, *bounds_px) == expected


def test_a_picture_longer_than_the_bounds_allow_is_declined() -> None:
    with pytest.raises(Declined, match="100 x 801"):
        fitting_size((100, 801), 512, 4096)


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        ("one two three", 20, "one two three"),
        ("one two three", 13, "one two three"),
        ("one two three", 12, "one two thre"),
        ("alpha beta gamma delta", 17, "alpha beta gamma"),
        ("alpha beta gamma delta", 16, "alpha beta gamma"),
        ("红色的猫，蓝色的狗", 5, "红色的猫"),
        ("aaaaaaaaaaaaaaaaaaaa", 10, "aaaaaaaaaa"),
    ],
)
def test_a_long_prompt_is_cut_between_words_unless_that_costs_a_fifth(text: str, most: int, expected: str) -> None:
    assert cut(text, most) == expected


@pytest.mark.parametrize(
    ("status", "code", "polling", "kind"),
    [
        (429, "Throttling.RateQuota", False, "throttled"),
        (429, "Throttling.BurstRate", True, "throttled"),
        (429, "", False, "throttled"),
        (429, "Throttling.AllocationQuota", False, "throttled"),
        (403, "AllocationQuota.FreeTierOnly", False, "fatal"),
        (408, "RequestTimeOut", False, "busy"),
        (500, "InternalError", False, "busy"),
        (502, "", False, "busy"),
        (503, "ModelUnavailable", True, "busy"),
        (400, "DataInspectionFailed", False, "refused"),
        (400, "IPInfringementSuspect", False, "refused"),
        (400, "InvalidParameter.DataInspection", False, "rejected"),
        (400, "InvalidParameter", False, "rejected"),
        (400, "InvalidURL", False, "rejected"),
        (400, "Arrearage", False, "fatal"),
        (401, "InvalidApiKey", True, "fatal"),
        (401, "", False, "fatal"),
        (403, "AccessDenied.Unpurchased", False, "fatal"),
        (404, "ModelNotFound", False, "fatal"),
        (404, "", True, "lost"),
        (404, "", False, "fatal"),
        (400, "TaskNotFound", True, "lost"),
    ],
)
def test_codes_mean_what_the_documentation_says(status: int, code: str, polling: bool, kind: str) -> None:
    came = trouble_of(status, code, "", {}, {"key": "THE_KEY", "model": "m"}, polling)
    assert came.kind == kind
    assert kind != "fatal" or any(word in came.cure for word in ("check", "top it up", "raise", "choose", "correct"))


def test_a_mask_is_a_file_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    (tmp_path / "outside.png").write_bytes(b"")
    (tmp_path / "masks" / "a.png").write_bytes(b"")
    assert mask_file(tmp_path / "masks", "../outside", "sub/a.jpg") == tmp_path / "masks" / "a.png"
    assert mask_file(tmp_path / "masks", "../outside", None) is None
