"""The catalogue: every model that a scorer needs.

A hash is here only where independent public records of the same revision agree on it; a model without one is checked
against what the hub states while it is fetched (see ``stated``). Sizes marked "about" are those that the hub's page
shows. No hub can be reached where this was written, so no file but the two heads was fetched.
"""

from __future__ import annotations

from selector.weights.model import Model, ModelFile, Repository

_SHARED = ("clip_direction", "clip_similarity", "prompt_contrast", "realism", "spatial")
_VIT_L = Repository(
    "timm/vit_large_patch14_clip_224.openai",
    "18d0535469bb561bf468d76c1d73aa35156c922b",
    modelscope="timm/vit_large_patch14_clip_224.openai",
)
_VIT_B = Repository(
    "timm/vit_base_patch32_clip_224.openai",
    "a6f597a30f7b82c51704746581f9a4e41421e878",
    modelscope="timm/vit_base_patch32_clip_224.openai",
)
_XLM_CLIP = Repository("laion/CLIP-ViT-B-32-xlm-roberta-base-laion5B-s13B-b90k")
_XLM = Repository(
    "FacebookAI/xlm-roberta-base",
    "e73636d4f797dec63c3081bb6ed5c7b0bb3f2089",
    modelscope="AI-ModelScope/xlm-roberta-base",
)
_OWL = Repository("google/owlv2-base-patch16-ensemble", "cfd3195ba4ea9592eec887ded089f4c08eff231d")
_HPS = Repository("xswu/HPSv2")
_PICK = Repository(
    "yuvalkirstain/PickScore_v1",
    "a4e4367c6dfa7288a00c550414478f865b875800",
    modelscope="AI-ModelScope/PickScore_v1",
)
_SDXL = Repository("Organika/sdxl-detector")


def _of(repository: Repository, *files: tuple[str, int, str]) -> tuple[ModelFile, ...]:
    """Files of one repository with exact size and hash."""
    return tuple(ModelFile(name, digest, size, repository=repository) for name, size, digest in files)


def _unhashed(repository: Repository, *files: tuple[str, int]) -> tuple[ModelFile, ...]:
    """Files of one repository with a rounded size and no published hash."""
    return tuple(ModelFile(name, about_bytes=about, repository=repository) for name, about in files)


MODELS: tuple[Model, ...] = (
    Model(
        name="clip-vit-l-14",
        scorers=(*_SHARED, "aesthetic", "fake_universal"),
        licence="MIT (OpenAI); the hub's card says Apache-2.0",
        note="the default backbone; the aesthetic and fake heads read nothing else",
        open_clip=("ViT-L-14", "openai"),
        files=(
            ModelFile(
                "open_clip_model.safetensors",
                "9ce2e8a8ebfff3793d7d375ad6d3c35cb9aebf3de7ace0fc7308accab7cd207e",
                about_bytes=1_710_000_000,
                repository=_VIT_L,
            ),
        ),
    ),
    Model(
        name="aesthetic-head",
        scorers=("aesthetic",),
        licence="Apache-2.0",
        note="LAION aesthetic V2, an affine map of the ViT-L/14 embedding",
        files=(
            ModelFile(
                "sac+logos+ava1-l14-linearMSE.pth",
                "21dd590f3ccdc646f0d53120778b296013b096a035a2718c9cb0d511bff0f1e0",
                3_714_759,
                url="https://github.com/christophschuhmann/improved-aesthetic-predictor/raw/main/"
                "sac%2Blogos%2Bava1-l14-linearMSE.pth",
            ),
        ),
    ),
    Model(
        name="fake-head",
        scorers=("fake_universal",),
        licence="MIT",
        note="UniversalFakeDetect, one linear layer on the ViT-L/14 embedding",
        files=(
            ModelFile(
                "fc_weights.pth",
                "477100745713bcc957beb2b40859536859b6483fd6301b3b9293151b194c7847",
                4_083,
                url="https://github.com/WisconsinAIVision/UniversalFakeDetect/raw/main/"
                "pretrained_weights/fc_weights.pth",
            ),
        ),
    ),
    Model(
        name="clip-multilingual",
        scorers=_SHARED,
        licence="MIT",
        note="reads Chinese; no scorer takes it unless its settings say so; the text tower's tokenizer comes with it",
        optional=True,
        open_clip=("xlm-roberta-base-ViT-B-32", "laion5b_s13b_b90k"),
        files=(
            ModelFile(
                "open_clip_model.safetensors",
                about_bytes=1_460_000_000,
                repository=_XLM_CLIP,
                or_else=ModelFile("open_clip_pytorch_model.bin", about_bytes=1_460_000_000, repository=_XLM_CLIP),
            ),
            *(
                ModelFile(f"xlm-roberta-base/{name}", digest, size, repository=_XLM, path=name)
                for name, size, digest in (
                    ("config.json", 615, "d66ed8cd4f2a93b358c245e50736fa389ed4f35c0bae7aad0b32abb20c62b579"),
                    ("tokenizer.json", 9_096_718, "a898ea75433890f6610f4e470b8ebeb0c21dce5c8dd61f892eb09eb5919d2e2c"),
                    ("tokenizer_config.json", 25, "994f46754c5bf4014f1aa92d34b1374319c3a6b3f702105cd5b742beaecd18ce"),
                    (
                        "sentencepiece.bpe.model",
                        5_069_051,
                        "cfc8146abe2a0488e9e2a0c56de7952f7c11ab059eca145a0a727afce0db2865",
                    ),
                )
            ),
        ),
    ),
    Model(
        name="clip-vit-b-32",
        scorers=_SHARED,
        licence="MIT (OpenAI); the hub's card says Apache-2.0",
        note="smaller and faster than ViT-L/14; no head was trained on it",
        optional=True,
        open_clip=("ViT-B-32", "openai"),
        files=_of(
            _VIT_B,
            (
                "open_clip_model.safetensors",
                605_143_284,
                "e6d1bd7789aa45192b3bf90570a789b478bae1b74ebcce7eddd908e83a2b7c31",
            ),
        ),
    ),
    Model(
        name="owlv2",
        scorers=("spatial",),
        licence="Apache-2.0",
        note="a detector that takes words; the stronger grounding of phrases",
        optional=True,
        files=_of(
            _OWL,
            (
                "model.safetensors",
                619_918_824,
                "e1e130b9e404cf91a75ad45644c1da9d7fa5284085eecc864266a6923efb99e7",
            ),
            ("config.json", 414, "ba9df8c25a4b8461887dd0a93d9252c9cd84697fe8d49a9d8794ce409af9acb2"),
            ("preprocessor_config.json", 425, "cf3e396635b797ee1a464e1b2836e98748f8edac19e89aaa2c93b55ac15b0064"),
            ("tokenizer_config.json", 1_100, "b55cda6198e152ded427c8a9b3faf1cccf27a7fa080697a62f6ff143f511f44f"),
            ("special_tokens_map.json", 121, "d6e2b9cf664efbad2d22998b8d3da986abcbeed3e0825ad33605c9401f9cf73e"),
            ("added_tokens.json", 67, "e5dc0da35d20111e8ff3fdfc03682beca23d5f94ed74331bce81786b2636a24f"),
            ("vocab.json", 1_059_962, "e089ad92ba36837a0d31433e555c8f45fe601ab5c221d4f607ded32d9f7a4349"),
            ("merges.txt", 524_619, "9fd691f7c8039210e0fced15865466c65820d09b63988b0174bfe25de299051a"),
        ),
    ),
    Model(
        name="hpsv2.1",
        scorers=("preference",),
        licence="Apache-2.0",
        note="a ViT-H/14 of people's choices; compares only images of the same prompt",
        optional=True,
        files=_unhashed(_HPS, ("HPS_v2.1_compressed.pt", 1_970_000_000)),
    ),
    Model(
        name="pickscore",
        scorers=("preference",),
        licence="the card names none; its code is MIT",
        note="preference reads it with model = 'pickscore'; a ViT-H/14, compares only images of the same prompt",
        optional=True,
        files=_unhashed(
            _PICK,
            ("model.safetensors", 3_940_000_000),
            ("config.json", 4_510),
            ("preprocessor_config.json", 556),
            ("tokenizer.json", 2_220_000),
            ("tokenizer_config.json", 775),
            ("special_tokens_map.json", 472),
            ("vocab.json", 862_000),
            ("merges.txt", 525_000),
        ),
    ),
    Model(
        name="sdxl-detector",
        scorers=("hf_detector",),
        licence="CC-BY-NC-3.0: not for commercial use",
        note="an example of an image-classification detector; any other by its folder",
        optional=True,
        files=_unhashed(
            _SDXL, ("model.safetensors", 347_000_000), ("config.json", 1_130), ("preprocessor_config.json", 337)
        ),
    ),
    Model(
        name="arcface",
        scorers=("arcface",),
        licence="the packs of insightface are for non-commercial research only",
        note="never fetched: give the path of an ArcFace-type ONNX file of your own in the scorer's settings",
        optional=True,
        files=(),
    ),
)
