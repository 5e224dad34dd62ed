"""Face swaps by small networks of the real ones' shapes, on the portraits that installed packages ship."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import matplotlib
import numpy as np
import onnxruntime
import pytest
import tiny_onnx_faces as tiny
from skimage import data

from generators._face.networks import latent_of
from generators.inswapper import PASTES, InSwapper
from selector.conformance import check_generator
from selector.domain import (
    Declined,
    GenerationFailed,
    InputError,
    MissingPart,
    Picture,
    Recipe,
    Task,
    TaskInputs,
    TaskType,
    encode_final,
)
from selector.registry import create_generator
from selector.sight.face_align import aligned_crop, five_points
from selector.sight.faces import face_mask, main_face
from selector.sight.onnx_session import OnnxModel, forget_models

HOPPER = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"


def picture(rgb, name="p.jpg"):
    return Picture(encode_final(np.ascontiguousarray(rgb)), name)


ASTRONAUT, CUP = picture(data.astronaut(), "astronaut.jpg"), picture(data.coffee(), "coffee.jpg")
LADY = Picture(HOPPER.read_bytes(), "hopper.jpg")


def pair(source=ASTRONAUT, reference=LADY, kind=TaskType.DEEPFAKE):
    return TaskInputs(Task("7", kind, "", "a.jpg", "b.jpg", 0), source, reference)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {
        "model_path": tiny.tinting_swapper(folder / "swapper.onnx"),
        "embedder_path": tiny.embedder(folder / "embedder.onnx"),
    }


def made(swapper, inputs=None, number=0):
    inputs = inputs or pair()
    return swapper.generate(inputs, swapper.recipes(inputs, 100, 0)[number])


def latent_by_numpy(portrait, emap=tiny.EMAP):
    """The latent of a portrait without the generator and without onnxruntime."""
    crop = aligned_crop(portrait.rgb, main_face(portrait).landmarks).astype(np.float64)
    pooled = ((crop - 127.5) / 127.5).reshape(14, 8, 14, 8, 3).mean(axis=(1, 3))
    vector = pooled.transpose(2, 0, 1).ravel() @ tiny.PROJECTION.astype(np.float64)
    vector /= np.linalg.norm(vector)
    if emap is None:
        return vector
    mapped = vector @ emap.astype(np.float64)
    return mapped / np.linalg.norm(mapped)


def nose(image, portrait):
    """Mean colour of a small patch on the nose, where every mask is 1."""
    x, y = np.round(main_face(portrait).landmarks[30]).astype(int)
    return image[y - 4 : y + 5, x - 4 : x + 5].reshape(-1, 3).mean(axis=0)


# --- the contract -----------------------------------------------------------------------------------------------------


def test_it_keeps_the_contract(models):
    check_generator(InSwapper(**models), pair())


def test_with_every_network_it_keeps_the_contract(models, tmp_path):
    found = [detected(ASTRONAUT, 640)]
    detector = tiny.detector(tmp_path / "d.onnx", tiny.detector_outputs(found, 640), 640)
    restorer = tiny.restorer(tmp_path / "r.onnx", 256, factor=0.9)
    swapper = InSwapper(**models, detector_path=detector, restorer_path=restorer)
    swapper.try_out()
    check_generator(swapper, pair(ASTRONAUT, picture(data.astronaut()[:, ::-1])))


def test_the_same_pixels_come_out_of_another_process(models):
    code = (
        "import sys, hashlib; sys.path[:0] = ['tests/generators', 'tests']; import test_inswapper as t;"
        f"print(hashlib.sha256(t.made(t.InSwapper(**{models!r})).image.tobytes()).hexdigest())"
    )
    root = Path(__file__).resolve().parents[2]
    said = subprocess.check_output([sys.executable, "-c", code], cwd=root, text=True).strip()
    assert said == hashlib.sha256(made(InSwapper(**models)).image.tobytes()).hexdigest()


# --- identity and scene -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scene, reference", [(ASTRONAUT, LADY), (LADY, ASTRONAUT)], ids=["onto her", "onto the lady"])
def test_the_swapper_is_told_the_references_identity_through_its_matrix(models, scene, reference):
    image = made(InSwapper(**models), pair(scene, reference)).image
    colour = 255 * tiny.tint_of(latent_by_numpy(reference))
    assert np.abs(nose(image, scene) - (nose(scene.rgb, scene) + colour) / 2).max() < 2
    other = 255 * tiny.tint_of(latent_by_numpy(scene))
    assert np.abs(colour - other).max() > 8  # the scene's own identity would look different


def test_raw_embeddings_go_in_as_they_are(models):
    raw = made(InSwapper(**models, latent="raw"))
    colour = 255 * tiny.tint_of(latent_by_numpy(LADY, None))
    assert np.abs(nose(raw.image, ASTRONAUT) - (nose(ASTRONAUT.rgb, ASTRONAUT) + colour) / 2).max() < 2
    assert raw.notes["latent"] == "raw" and made(InSwapper(**models)).notes["latent"] == "emap"


def test_auto_gives_the_raw_embedding_to_a_network_without_a_matrix_of_its_own(models, tmp_path):
    plain = tiny.tinting_swapper(tmp_path / "plain.onnx", emap=None)
    auto = made(InSwapper(plain, models["embedder_path"]))
    assert auto.notes["latent"] == "raw"
    assert np.array_equal(auto.image, made(InSwapper(**models, latent="raw")).image)
    with pytest.raises(InputError, match=r"keeps no matrix 512 x 512: set \[generators.inswapper\] emap_path"):
        made(InSwapper(plain, models["embedder_path"], latent="emap"))
    np.save(tmp_path / "emap.npy", tiny.EMAP)
    with_file = InSwapper(plain, models["embedder_path"], emap_path=str(tmp_path / "emap.npy"))
    assert np.array_equal(made(with_file).image, made(InSwapper(**models)).image)


def test_a_latent_has_length_one_and_needs_a_direction():
    emap = np.diag([1.0, 2.0])
    assert np.allclose(latent_of(np.array([3.0, 4.0]), None), [0.6, 0.8])
    assert np.allclose(latent_of(np.array([3.0, 4.0]), emap), np.array([0.6, 1.6]) / np.hypot(0.6, 1.6))
    for bad in (np.zeros(2), np.array([np.nan, 1.0])):
        with pytest.raises(GenerationFailed, match="no usable embedding"):
            latent_of(bad, emap)
    with pytest.raises(InputError, match="3 numbers, the swapper's emap takes 2"):
        latent_of(np.ones(3), emap)


@pytest.mark.parametrize("number", range(len(PASTES)))
def test_only_the_face_changes_and_all_of_it(models, number):
    made_ = made(InSwapper(**models), pair(LADY, ASTRONAUT), number)
    image = made_.image
    assert image.shape == LADY.rgb.shape and image.dtype == np.uint8
    changed = (image != LADY.rgb).any(axis=2)
    face = main_face(LADY)
    assert not changed[~face_mask(face, changed.shape, grow=1.2)].any()
    assert changed[face_mask(face, changed.shape, grow=-0.4)].mean() > 0.95
    left, top, right, bottom = made_.notes["scene_face_px"]
    assert right > left and bottom > top and 0 < made_.notes["model_px_per_scene_px"] < 1


def test_input_range_follows_the_settings(models):
    """A network on -1 to 1: the same weights see half of the target minus a half, and give it back so."""
    target = nose(ASTRONAUT.rgb, ASTRONAUT)
    image = made(InSwapper(**models, input_mean=127.5, input_scale=127.5)).image
    colour = tiny.tint_of(latent_by_numpy(LADY))
    expected = 127.5 * (((target - 127.5) / 127.5 + colour) / 2) + 127.5
    assert np.abs(nose(image, ASTRONAUT) - np.clip(expected, 0, 255)).max() < 2


def test_larger_swappers_are_taken_at_their_size(models, tmp_path):
    for side in (256, 512):
        swapper = InSwapper(tiny.tinting_swapper(tmp_path / f"{side}.onnx", side), models["embedder_path"])
        small, large = made(InSwapper(**models)), made(swapper)
        assert large.notes["model_px_per_scene_px"] == pytest.approx(
            side / 128 * small.notes["model_px_per_scene_px"], abs=0.01
        )
        assert np.abs(nose(large.image, ASTRONAUT) - nose(small.image, ASTRONAUT)).max() < 2
    free = tiny.identity_swapper(tmp_path / "free.onnx", side="s")
    made_ = made(InSwapper(free, models["embedder_path"], side_px=256))
    assert made_.notes["model_px_per_scene_px"] == pytest.approx(2 * small.notes["model_px_per_scene_px"], abs=0.01)


# --- recipes ----------------------------------------------------------------------------------------------------------


def test_recipes_are_distinct_best_first_and_longer_lists_start_with_shorter(models, tmp_path):
    restoring = InSwapper(**models, restorer_path=tiny.restorer(tmp_path / "r.onnx", 64))
    for swapper, count in ((InSwapper(**models), len(PASTES)), (restoring, 3 * len(PASTES))):
        every = swapper.recipes(pair(), 100, seed=3)
        assert len(every) == len({recipe.key for recipe in every}) == count
        assert list(swapper.recipes(pair(), 5, seed=9)) == list(every[:5])
        assert list(swapper.recipes(pair(), 0, seed=9)) == []
    variants = [recipe.variant for recipe in restoring.recipes(pair(), 4, 0)]
    assert variants == ["restored_half", "restored", "swap", "restored_half"]
    assert {recipe.variant for recipe in InSwapper(**models).recipes(pair(), 100, 0)} == {"swap"}


def test_every_parameter_changes_the_picture(models, tmp_path):
    swapper = InSwapper(**models, restorer_path=tiny.restorer(tmp_path / "r.onnx", factor=0.8))
    plain = swapper.generate(pair(), Recipe("swap", 0, {})).image
    changes = {"mask": "hull", "inset": 0.2, "feather": 0.3, "restore": 0.5, "colour": 1.0, "sharpness": 1.0}
    for name, value in changes.items():
        assert not np.array_equal(swapper.generate(pair(), Recipe("swap", 0, {name: value})).image, plain), name
    with pytest.raises(InputError, match="got fether"):
        swapper.generate(pair(), Recipe("swap", 0, {"fether": 1}))


def test_other_tasks_and_missing_pictures_are_declined(models):
    with pytest.raises(Declined, match="inswapper does deepfake tasks, this is a tie task"):
        InSwapper(**models).recipes(pair(kind=TaskType.TIE), 3, 0)
    with pytest.raises(Declined, match="no reference picture"):
        InSwapper(**models).recipes(pair(reference=None), 3, 0)


# --- restorer ---------------------------------------------------------------------------------------------------------


def test_the_restorers_share_is_what_the_recipe_says(models, tmp_path):
    """A restorer that gives nine tenths of its input, which is on -1 to 1."""
    swapper = InSwapper(**models, restorer_path=tiny.restorer(tmp_path / "r.onnx", factor=0.9))
    plain, half, whole = (
        nose(swapper.generate(pair(), Recipe("", 0, {"restore": share})).image, ASTRONAUT) for share in (0, 0.5, 1)
    )
    assert np.abs(whole - (0.9 * (plain - 127.5) + 127.5)).max() < 2
    assert np.abs(half - (plain + whole) / 2).max() < 1
    assert np.abs(whole - plain).max() > 3


def test_a_restorer_with_a_weight_gets_the_fidelity(models, tmp_path):
    path = tiny.restorer(tmp_path / "codeformer.onnx", knob=True)
    images = [
        InSwapper(**models, restorer_path=path, restorer_fidelity=w).generate(pair(), Recipe("", 0, {"restore": 1.0}))
        for w in (1.0, 0.5)
    ]
    faithful, beautiful = (nose(made_.image, ASTRONAUT) for made_ in images)
    assert np.abs(beautiful - (0.5 * (faithful - 127.5) + 127.5)).max() < 2


def test_nothing_outside_the_mask_is_restored(models, tmp_path):
    swapper = InSwapper(**models, restorer_path=tiny.restorer(tmp_path / "r.onnx", factor=0.5))
    images = [swapper.generate(pair(), Recipe("", 0, {"restore": share})).image for share in (0.0, 1.0)]
    touched = [(image != ASTRONAUT.rgb).any(axis=2) for image in images]
    assert not (touched[1] & ~touched[0]).sum() > 50  # where rounding hid the swap itself


def test_the_restorer_runs_once_for_all_strengths_and_the_swapper_once_a_task(models, tmp_path, monkeypatch):
    swapper = InSwapper(**models, restorer_path=tiny.restorer(tmp_path / "r.onnx"))
    ran, real = [], OnnxModel.run
    monkeypatch.setattr(OnnxModel, "run", lambda model, feeds: (ran.append(model.path.name), real(model, feeds))[1])
    for recipe in swapper.recipes(pair(), 3, 0):
        swapper.generate(pair(), recipe)
    assert ran == ["embedder.onnx", "swapper.onnx", "r.onnx"]


# --- faces ------------------------------------------------------------------------------------------------------------


def detected(portrait, side):
    """What a detector of this side should say of a portrait's main face: box, five points and score, in its px."""
    face, scale = main_face(portrait), side / max(portrait.rgb.shape[:2])
    return np.array(face.box) * scale, five_points(face.landmarks) * scale, 0.9


def test_an_onnx_detector_swaps_the_same_face_as_dlib_and_needs_no_landmarks(models, tmp_path):
    path = tiny.detector(tmp_path / "d.onnx", tiny.detector_outputs([detected(ASTRONAUT, 640)], 640), "side")
    swapper = InSwapper(**models, detector_path=path)
    mirrored = picture(data.astronaut())  # the same places: this detector says the same of every picture
    by_net, by_dlib = made(swapper, pair(ASTRONAUT, mirrored)), made(InSwapper(**models), pair(ASTRONAUT, mirrored))
    assert np.abs(np.array(by_net.notes["scene_face_px"]) - by_dlib.notes["scene_face_px"]).max() <= 1
    assert np.abs(by_net.image.astype(int) - by_dlib.image).mean() < 0.1
    recipes = swapper.recipes(pair(), 100, 0)
    masks = [recipe.params["mask"] for recipe in recipes]
    assert "hull" not in masks and "ellipse" in masks
    assert len({recipe.key for recipe in recipes}) == len(recipes) == len(PASTES)


@pytest.mark.parametrize("which, expected", [("largest", 0), ("most_central", 1), ("main", 0)])
def test_which_face_of_several_is_a_setting(models, tmp_path, which, expected):
    places = [(60, 60, 260, 260), (270, 270, 370, 370)]
    shares = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])
    boxes = [np.array(place, float) for place in places]
    faces = [(box, box[:2] + shares * (box[2] - box[0]), 0.9) for box in boxes]
    path = tiny.detector(tmp_path / "d.onnx", tiny.detector_outputs(faces, 640), 640)
    scene = picture(np.random.default_rng(0).integers(0, 256, (640, 640, 3), dtype=np.uint8))
    swapper = InSwapper(**models, detector_path=path, which_face=which)
    assert made(swapper, pair(scene, scene)).notes["scene_face_px"] == list(places[expected])


@pytest.mark.parametrize("role", ["source", "reference"])
def test_a_missing_face_is_declined_with_a_reason_that_names_the_picture(models, role):
    inputs = pair(CUP, LADY) if role == "source" else pair(LADY, CUP)
    with pytest.raises(Declined, match=rf"no face found in the .*{role}.* coffee\.jpg, also not after padding"):
        made(InSwapper(**models), inputs)


# --- what is missing or wrong -----------------------------------------------------------------------------------------


def test_check_says_what_is_missing_and_loads_nothing(models, tmp_path, monkeypatch):
    monkeypatch.setattr(onnxruntime, "InferenceSession", None)
    InSwapper(**models).check()
    with pytest.raises(MissingPart, match=r"a face swapper .*: set \[generators.inswapper\] model_path"):
        InSwapper().check()
    with pytest.raises(MissingPart, match=r"face embedder .*: set \[generators.inswapper\] embedder_path"):
        InSwapper(models["model_path"]).check()
    for setting in ("detector_path", "restorer_path", "emap_path"):
        with pytest.raises(MissingPart, match=rf"no model at .*gone: set \[generators.inswapper\] {setting}"):
            InSwapper(**models, **{setting: str(tmp_path / "gone")}).check()
    with pytest.raises(InputError, match="device is one of"):
        InSwapper(**models, device="tpu").check()


def test_without_the_package_onnx_the_cure_is_named_before_a_file_is_opened(models, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingPart, match=r"pip install onnx, or set \[generators.inswapper\] emap_path"):
        InSwapper(**models).check()
    InSwapper(**models, latent="raw").check()
    np.save(tmp_path / "m.npy", np.eye(512))
    InSwapper(**models, emap_path=str(tmp_path / "m.npy")).check()


@pytest.mark.parametrize(
    "wrong",
    [
        {"latent": "mapped"},
        {"which_face": "first"},
        {"restorer_strength": 1.5},
        {"restorer_fidelity": -1},
        {"detector_threshold": 0},
        {"side_px": -1},
        {"input_scale": 0.0},
        {"input_mean": float("nan")},
        {"no_such": 1},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InputError, match=r"does not accept these settings|has no setting"):
        create_generator("inswapper", wrong)


def test_paths_are_seen_from_the_campaign(models):
    folder = Path(models["model_path"]).parent
    settings = {"model_path": "swapper.onnx", "embedder_path": "embedder.onnx"}
    create_generator("inswapper", settings, folder).check()


@pytest.mark.parametrize("value", [float("nan"), 0.0])
def test_a_network_that_gives_nothing_fails_and_no_black_face_is_made(models, tmp_path, value):
    path = tiny.constant_swapper(tmp_path / "black.onnx", value)
    with pytest.raises(GenerationFailed, match=r"black\.onnx gave a picture without content"):
        made(InSwapper(path, models["embedder_path"]))


def test_networks_that_do_not_fit_each_other_or_the_task_say_so(models, tmp_path):
    short = tiny.embedder(tmp_path / "short.onnx", tiny.PROJECTION[:, :128])
    with pytest.raises(InputError, match="the embedder gives 128 numbers, the swapper takes 512"):
        made(InSwapper(models["model_path"], short))
    with pytest.raises(InputError, match="the embedder gives 128 numbers"):
        InSwapper(models["model_path"], short).try_out()
    with pytest.raises(InputError, match=r"a face swapper needs .*; this model takes faces \["):
        InSwapper(short, models["embedder_path"]).try_out()
    with pytest.raises(InputError, match=r"a face network needs .*; this model takes target \["):
        InSwapper(models["model_path"], models["model_path"]).try_out()
    with pytest.raises(InputError, match=r"takes faces of 128 px, side_px = 256"):
        InSwapper(**models, side_px=256).try_out()
    with pytest.raises(InputError, match=r"a face restorer needs"):
        InSwapper(**models, restorer_path=short).try_out()
    with pytest.raises(InputError, match=r"a face detector needs"):
        InSwapper(**models, detector_path=short).try_out()
    (tmp_path / "page.onnx").write_text("<html>not found</html>")
    with pytest.raises(InputError, match="not an ONNX model that can be read"):
        made(InSwapper(str(tmp_path / "page.onnx"), models["embedder_path"]))


def test_version_goes_by_the_models_content_and_not_by_their_place(models, tmp_path):
    copy = tmp_path / "copy.onnx"
    copy.write_bytes(Path(models["model_path"]).read_bytes())
    assert InSwapper(str(copy), models["embedder_path"]).version == InSwapper(**models).version
    other = tiny.identity_swapper(tmp_path / "other.onnx")
    versions = {
        InSwapper(other, models["embedder_path"]).version,
        InSwapper(**models, restorer_path=other).version,
        InSwapper(**models, detector_path=other).version,
        InSwapper(**models).version,
        InSwapper().version,
    }
    assert len(versions) == 5


def test_threads_share_the_networks_and_make_the_same(models, monkeypatch):
    forget_models()
    loaded, real = [], onnxruntime.InferenceSession
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *a, **k: (loaded.append(a), real(*a, **k))[1])
    with ThreadPoolExecutor(6) as pool:
        images = [one.image for one in pool.map(lambda _: made(InSwapper(**models)), range(6))]
    assert len(loaded) == 2
    assert all(np.array_equal(image, images[0]) for image in images)


def test_importing_it_is_cheap():
    heavy = {"onnxruntime", "onnx", "cv2", "dlib", "PIL"}
    code = f"import sys, generators.inswapper as g; g.InSwapper(); assert not {heavy!r} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
