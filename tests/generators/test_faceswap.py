"""Face swaps of the two portraits that installed packages ship, in both directions, whole and damaged."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from skimage import data

from generators._face import blend, geometry
from generators.faceswap import SWAPS, FaceSwap
from selector.domain import (
    Declined,
    Generator,
    InputError,
    Picture,
    Recipe,
    Task,
    TaskInputs,
    TaskType,
    encode_final,
)
from selector.sight.faces import descriptor, face_mask, hull_mask, main_face

HOPPER = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
swapper = FaceSwap()


def picture(rgb, name="p.jpg", quality=95):
    return Picture(encode_final(np.ascontiguousarray(rgb), quality=quality), name)


ASTRONAUT = picture(data.astronaut(), "astronaut.jpg")
LADY = Picture(HOPPER.read_bytes(), "hopper.jpg")


def pair(source, reference, kind=TaskType.DEEPFAKE):
    return TaskInputs(Task("7", kind, "", "a.jpg", "b.jpg", 0), source, reference)


def nearer_to(candidate, wanted, original):
    """Distances of the candidate's face to two pictures' faces."""
    made = picture(candidate)
    face = descriptor(made, main_face(made))
    return tuple(float(np.linalg.norm(face - descriptor(p, main_face(p)))) for p in (wanted, original))


def first(inputs):
    return swapper.generate(inputs, swapper.recipes(inputs, 1, 0)[0]).image


def test_it_is_a_generator():
    assert isinstance(swapper, Generator)
    swapper.check()


def test_recipes_are_distinct_best_first_and_longer_lists_start_with_shorter():
    inputs = pair(ASTRONAUT, LADY)
    all_of_them = swapper.recipes(inputs, 100, seed=3)
    assert len(all_of_them) == len(SWAPS) >= 10
    assert len({recipe.key for recipe in all_of_them}) == len(all_of_them)
    assert list(swapper.recipes(inputs, 6, seed=3)) == list(all_of_them[:6])
    assert len({recipe.variant for recipe in all_of_them[:6]}) >= 3
    assert "baseline_triangles" not in {recipe.variant for recipe in all_of_them[:6]}
    assert list(swapper.recipes(inputs, 0, seed=3)) == []


@pytest.mark.parametrize("source, reference", [(ASTRONAUT, LADY), (LADY, ASTRONAUT)], ids=["onto her", "onto the lady"])
def test_first_six_recipes_are_nearer_to_the_reference_than_to_the_scene(source, reference):
    inputs = pair(source, reference)
    for recipe in swapper.recipes(inputs, 6, 0):
        wanted, original = nearer_to(swapper.generate(inputs, recipe).image, reference, source)
        assert wanted < original, recipe
        assert wanted < 0.55, recipe


def test_first_recipe_beats_the_baselines_method():
    inputs = pair(ASTRONAUT, LADY)
    baseline = next(recipe for recipe in swapper.recipes(inputs, 100, 0) if recipe.variant == "baseline_triangles")
    theirs, _ = nearer_to(swapper.generate(inputs, baseline).image, LADY, ASTRONAUT)
    ours, _ = nearer_to(first(inputs), LADY, ASTRONAUT)
    assert ours < theirs - 0.1


DAMAGES = {
    "mirrored": lambda rgb: rgb[:, ::-1],
    "small": lambda rgb: rgb[::2, ::2],
    "dark": lambda rgb: (rgb * 0.4).astype(np.uint8),
    "jpeg": lambda rgb: picture(rgb, quality=15).rgb,
    "grey": lambda rgb: np.repeat(rgb.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("side", ["source", "reference"])
def test_damaged_inputs_are_swapped_all_the_same(side, damage):
    hurt = picture(DAMAGES[damage](LADY.rgb))
    inputs = pair(hurt, ASTRONAUT) if side == "source" else pair(ASTRONAUT, hurt)
    wanted, original = nearer_to(first(inputs), inputs.reference, inputs.source)
    assert wanted < original


def test_only_the_face_changes_and_the_size_stays():
    for recipe in swapper.recipes(pair(LADY, ASTRONAUT), 100, 0):
        image = swapper.generate(pair(LADY, ASTRONAUT), recipe).image
        assert image.shape == LADY.rgb.shape and image.dtype == np.uint8
        changed = (image != LADY.rgb).any(axis=2)
        assert changed.any()
        assert not changed[~face_mask(main_face(LADY), changed.shape, grow=0.25)].any(), recipe


def test_scene_of_several_people_gets_the_new_face_on_its_main_one():
    scene = np.full((600, 900, 3), 120, np.uint8)
    scene[:, :512] = LADY.rgb
    scene[250:450, 680:880] = ASTRONAUT.rgb[30:230, 130:330]
    inputs = pair(picture(scene), ASTRONAUT)
    image = first(inputs)
    assert (image != inputs.source.rgb)[:, :512].any()
    assert not (image != inputs.source.rgb)[:, 512:].any()


def test_same_recipe_gives_the_same_pixels_also_in_threads():
    inputs = pair(ASTRONAUT, LADY)
    recipes = list(swapper.recipes(inputs, 4, 0)) * 2
    with ThreadPoolExecutor(8) as pool:
        images = [made.image for made in pool.map(lambda recipe: swapper.generate(inputs, recipe), recipes)]
    assert all(np.array_equal(images[i], images[i + 4]) for i in range(4))


@pytest.mark.parametrize("role", ["source", "reference"])
def test_missing_face_is_declined_with_a_reason_that_names_the_picture(role):
    cup = picture(data.coffee(), "coffee.jpg")
    inputs = pair(cup, LADY) if role == "source" else pair(LADY, cup)
    with pytest.raises(Declined, match=rf"no face found in the .*{role}.* coffee\.jpg"):
        first(inputs)


def test_other_tasks_and_missing_pictures_are_declined():
    with pytest.raises(Declined, match="tie task"):
        swapper.recipes(pair(ASTRONAUT, LADY, TaskType.TIE), 3, 0)
    with pytest.raises(Declined, match="no reference picture"):
        swapper.recipes(pair(ASTRONAUT, None), 3, 0)


def test_unknown_parameter_is_named():
    with pytest.raises(InputError, match="got fether"):
        swapper.generate(pair(ASTRONAUT, LADY), Recipe("outline", 0, {"fether": 1}))


def test_recipe_survives_being_stored_with_fewer_parameters():
    made = swapper.generate(pair(ASTRONAUT, LADY), Recipe("outline", 0, {}))
    assert np.array_equal(made.image, first(pair(ASTRONAUT, LADY)))
    assert len(made.notes["scene_face_px"]) == 4


# --- geometry -----------------------------------------------------------------------------------------------------


def landmarks():
    return main_face(LADY).landmarks


def test_similarity_is_found_exactly_and_never_mirrors():
    turn = np.array([[0.0, -2.0, 5.0], [2.0, 0.0, 7.0]])  # 90 degrees, twice as large, shifted
    moved = geometry.transform(turn, landmarks())
    assert np.allclose(geometry.similarity_matrix(landmarks(), moved), turn)
    mirrored = geometry.similarity_matrix(landmarks(), landmarks() * [-1, 1])
    assert np.linalg.det(mirrored[:, :2]) > 0


def test_affine_is_found_exactly():
    shear = np.array([[1.1, 0.3, 5.0], [0.0, 0.8, -7.0]])
    assert np.allclose(geometry.affine_matrix(landmarks(), geometry.transform(shear, landmarks())), shear)


@pytest.mark.parametrize("warp", ["similarity", "affine", "outline", "triangles", "plain_triangles"])
def test_every_warp_of_a_face_onto_itself_stays_in_place(warp):
    fit = geometry.fit_face(warp, landmarks(), landmarks(), (400, 512))
    y, x = np.mgrid[:400, :512]
    inside = face_mask(main_face(LADY), (400, 512))
    assert np.abs(fit.map_xy - np.stack([x, y], axis=-1))[inside].max() < 0.5


def test_outline_bends_the_jaw_onto_the_scene_and_keeps_the_features_together():
    narrow = landmarks() * [0.8, 1.0]
    fit = geometry.fit_face("outline", landmarks(), narrow, (512, 512))
    assert np.allclose(fit.placed[:17], narrow[:17])
    eyes = np.linalg.norm(fit.placed[36] - fit.placed[45]) / np.linalg.norm(fit.placed[27] - fit.placed[33])
    own = np.linalg.norm(landmarks()[36] - landmarks()[45]) / np.linalg.norm(landmarks()[27] - landmarks()[33])
    assert eyes == pytest.approx(own)


def test_closed_mouth_on_an_open_one_makes_no_degenerate_triangles():
    wide_open = landmarks().copy()
    wide_open[65:68, 1] += 25  # inner and outer lower lip, and the chin
    wide_open[55:60, 1] += 25
    wide_open[6:11, 1] += 25
    lips = wide_open[60:68].mean(axis=0).astype(int)
    safe = geometry.fit_face("triangles", landmarks(), wide_open, (512, 512)).map_xy
    plain = geometry.fit_face("plain_triangles", landmarks(), wide_open, (512, 512)).map_xy

    def stretch(found):
        rows = found[lips[1] - 10 : lips[1] + 10, lips[0], 1]
        return float(np.diff(rows).min())  # reference px for each px of the scene

    assert stretch(plain) < 0.1 < 0.3 < stretch(safe)


# --- blending -----------------------------------------------------------------------------------------------------


def test_feather_rises_inwards_and_is_zero_outside():
    mask = np.zeros((40, 40), bool)
    mask[10:30, 10:30] = True
    alpha = blend.feather(mask, 5.0)
    assert (alpha[~mask] == 0).all() and alpha[20, 20] == 1
    assert (np.diff(alpha[20, 9:15]) > 0).all()


def test_feather_treats_the_border_of_the_picture_as_an_edge_of_the_mask():
    assert blend.feather(np.ones((9, 9), bool), 3.0)[0, 0] < 0.5


def test_mix_leaves_the_scene_where_alpha_is_zero():
    scene = np.random.default_rng(1).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    alpha = np.zeros((8, 8), np.float32)
    alpha[2, 2], alpha[3, 3] = 1.0, 0.5
    mixed = blend.mix(scene, np.full((8, 8, 3), 200, np.float32), alpha)
    assert (mixed[2, 2] == 200).all()
    assert np.allclose(mixed[3, 3], (scene[3, 3].astype(float) + 200) / 2, atol=0.51)
    assert np.array_equal(mixed[alpha == 0], scene[alpha == 0])


def test_colour_transfer_brings_the_mean_over_and_zero_strength_changes_nothing():
    rng = np.random.default_rng(2)
    face = rng.normal([150, 120, 100], 8, (50, 50, 3)).clip(0, 255).astype(np.float32)
    scene = rng.normal([90, 70, 60], 8, (50, 50, 3)).clip(0, 255).astype(np.float32)
    everywhere = np.ones((50, 50), bool)
    moved = blend.match_colour(face, scene, everywhere, 1.0)
    assert np.abs(moved.mean(axis=(0, 1)) - [90, 70, 60]).max() < 2
    assert np.abs(blend.match_colour(face, scene, everywhere, 0.0) - face).max() < 1


def test_grey_scene_takes_no_colour():
    grey = picture(DAMAGES["grey"](ASTRONAUT.rgb))
    image = first(pair(grey, LADY)).astype(int)
    assert np.abs(image.max(axis=2) - image.min(axis=2)).max() <= 12


def test_sharp_face_is_softened_for_a_soft_scene_and_a_soft_one_sharpened():
    rng = np.random.default_rng(3)
    sharp = rng.uniform(60, 200, (60, 60, 3)).astype(np.float32)
    soft = blend._blurred(sharp, 1.5)
    inside = np.ones((60, 60), bool)
    assert blend._detail(blend.match_sharpness(sharp, soft, inside, 1.0), inside) == pytest.approx(
        blend._detail(soft, inside), rel=0.2
    )
    raised = blend._detail(blend.match_sharpness(soft, sharp, inside, 1.0), inside)
    assert raised > 1.3 * blend._detail(soft, inside)


def test_hair_of_the_reference_is_not_pasted_on_a_bare_temple_but_glasses_are_covered():
    points = main_face(LADY).landmarks
    shape = LADY.rgb.shape[:2]
    core = hull_mask(points, shape)
    skin = blend.skin_mask(points, core)
    bare = np.random.default_rng(4).normal([200, 150, 130], 4, (*shape, 3)).clip(0, 255).astype(np.float32)
    dark = np.where(core[..., None], bare, 20).astype(np.float32)  # skin in the core, hair or glasses around it

    def added(scene, face):
        return int((blend.temple_mask(points, points, (scene, face), core, skin) & ~core).sum())

    assert added(bare, dark) == 0
    assert added(bare, bare) > 100 and added(dark, bare) > 100


def test_forehead_is_taken_only_as_high_as_both_faces_are_bare():
    points = main_face(LADY).landmarks
    shape = LADY.rgb.shape[:2]
    core = hull_mask(points, shape)
    skin = blend.skin_mask(points, core)
    bare = np.random.default_rng(5).normal([200, 150, 130], 4, (*shape, 3)).clip(0, 255).astype(np.float32)
    capped = bare.copy()
    capped[: int(points[:, 1].min()) - 30] = 20  # a hat

    def height(scene, face):
        mask = blend.forehead_mask(points, (scene, face), core, skin, 0.9)
        return int(np.flatnonzero(core.any(axis=1))[0] - np.flatnonzero(mask.any(axis=1))[0])

    assert height(bare, bare) > height(capped, bare) > 0
    assert height(capped, bare) == height(bare, capped) <= 40


def test_poisson_clone_keeps_everything_outside_its_mask():
    scene = np.full((60, 60, 3), 90, np.uint8)
    mask = np.zeros((60, 60), bool)
    mask[20:45, 15:40] = True
    face = np.tile(np.linspace(100, 160, 60, dtype=np.float32)[:, None, None], (1, 60, 3))
    cloned = blend.poisson_clone(scene, face, mask)
    assert np.array_equal(cloned[~mask], scene[~mask])
    assert cloned[30, 27].mean() == pytest.approx(90, abs=12)  # the face's level is gone, its slope stays


def test_every_parameter_changes_the_picture():
    inputs = pair(ASTRONAUT, LADY)
    base = SWAPS[0][1]
    changes = {
        "feather": 0.2,
        "grow": -0.2,
        "brows": 0.0,
        "colour": 0.0,
        "light": 0.0,
        "sharpness": 0.0,
        "pose": 0.8,
        "temples": False,
    }
    plain = first(inputs)
    for name, value in changes.items():
        made = swapper.generate(inputs, Recipe("outline", 0, asdict(replace(base, **{name: value}))))
        assert not np.array_equal(made.image, plain), name
