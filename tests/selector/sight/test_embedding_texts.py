"""Long texts keep their end, an English tokenizer gets no other language, and HF text towers need no network."""

import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from tiny_backbone import tiny_clip

from selector.domain import MissingPart
from selector.domain.embedding import EmbeddingSettings
from selector.sight.embedding.openclip import OpenClip
from selector.sight.embedding.texts import is_latin, pieces, readable_form

LONG = (
    "A wide photograph of a harbour at dawn, with fishing boats in green and white, nets that hang over the rails, and "
    "gulls on every post. In the middle stands an old lighthouse of red brick; its lamp is still lit. On the left a "
    "woman in a yellow raincoat carries two buckets of mackerel, on the right a boy ties a rope to an iron bollard. "
    "The water is calm and mirrors the clouds, which are pink and orange. Far away a ferry leaves for the islands, "
    "and its smoke drifts slowly to the east. Shot on film, soft light, fine grain, high detail."
)


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    return OpenClip(tiny_clip(tmp_path_factory.mktemp("clip"), dim=32))


def fits(text):
    return len(open_clip.get_tokenizer("ViT-B-32").encode(text)) + 2 <= 77


def encoded(backbone, tokens):
    """One vector of length 1 by open_clip itself."""
    with torch.inference_mode():
        vector = backbone._model._model.encode_text(tokens)[0].double().numpy()
    return vector / np.linalg.norm(vector)


def test_short_text_has_the_vector_that_open_clip_gives(backbone):
    tokens = open_clip.get_tokenizer("ViT-B-32")(["a red chair"])
    assert backbone.embed_texts(["a red chair"])[0] == pytest.approx(encoded(backbone, tokens), abs=1e-6)


def test_long_text_is_the_mean_of_its_pieces_by_their_tokens(backbone):
    tokenizer = open_clip.get_tokenizer("ViT-B-32")
    parts = pieces(LONG, fits)
    assert len(parts) >= 2
    assert all(fits(part) for part in parts)
    counts = [len(tokenizer.encode(part)) for part in parts]
    vectors = [encoded(backbone, tokenizer([part])) for part in parts]
    mean = sum(count * vector for count, vector in zip(counts, vectors, strict=True))
    assert backbone.embed_texts([LONG])[0] == pytest.approx(mean / np.linalg.norm(mean), abs=1e-6)


def test_long_text_is_not_the_one_whose_end_token_was_cut_off(backbone):
    tokenizer = open_clip.get_tokenizer("ViT-B-32")
    ids = [tokenizer.sot_token_id, *tokenizer.encode(LONG), tokenizer.eot_token_id]
    assert len(ids) > 77
    naive = encoded(backbone, torch.tensor([ids[:77]]))  # no end token: the tower reads another place
    assert float(backbone.embed_texts([LONG])[0] @ naive) < 0.99


def test_every_word_of_a_long_text_counts(backbone):
    other = LONG.replace("fine grain", "coarse dust")  # far beyond the 77th token
    assert float(backbone.embed_texts([LONG])[0] @ backbone.embed_texts([other])[0]) < 0.99999


def test_texts_have_length_one_and_do_not_depend_on_each_other(backbone):
    texts = ["a cat", LONG, "x", "a cat and a dog " * 30]
    together = backbone.embed_texts(texts)
    assert np.linalg.norm(together, axis=1) == pytest.approx(np.ones(4), abs=1e-6)
    alone = np.concatenate([backbone.embed_texts([text]) for text in texts])
    assert together == pytest.approx(alone, abs=1e-6)
    assert backbone.embed_texts([]).shape == (0, 32)


@pytest.mark.parametrize("text", [LONG, "word " * 500, "x" * 900, "红色的椅子，" * 60, "。" * 300, "a,b;c. " * 99])
def test_pieces_fit_and_hold_every_character_in_order(text):
    parts = pieces(text, lambda t: len(t) <= 70)
    assert all(0 < len(part) <= 70 for part in parts)
    assert re.sub(r"\s", "", "".join(parts)) == re.sub(r"\s", "", text)


def test_pieces_end_between_sentences_then_clauses_then_words():
    def short(text):
        return len(text) <= 24

    assert pieces("The first is here. The second too.", short) == ["The first is here.", "The second too."]
    assert pieces("one thing here, another thing there", short) == ["one thing here,", "another thing there"]
    assert pieces("many words without any marks", short) == ["many words", "without any marks"]


@pytest.mark.parametrize(
    "text",
    [
        "a red chair",
        "",
        "123 !?",
        "Čeština, français, Ελ"[:18],
        "a sign that says “欢迎”",
        "the book 《红楼梦》",
        "été 🙂",
    ],
)
def test_latin_text_and_quoted_other_scripts_can_be_read(text):
    assert is_latin(text)


@pytest.mark.parametrize("text", ["红色的椅子", "a red 椅子", "красный", "赤い椅子", "كرسي", "말 “red”"])
def test_other_scripts_cannot(text):
    assert not is_latin(text)


def test_translation_that_is_no_english_does_not_help():
    assert readable_form("椅子", False, {"椅子": "椅子！"})[0] == ""
    assert readable_form(" 椅子 ", False, {"椅子": "a chair"}) == ("a chair", None)
    assert readable_form(" 椅子 ", True, {"椅子": "a chair"}) == ("椅子", None)


# A text tower of Hugging Face, built here: XLM-RoBERTa's architecture, random weights, one token a character.


def tiny_tokenizer(folder):
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    characters = sorted(set("abcdefghijklmnopqrstuvwxyz 红色的椅子和蓝狗把换成猫"))
    vocabulary = {token: i for i, token in enumerate(["<s>", "<pad>", "</s>", "<unk>", *characters])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>",
        cls_token="<s>", sep_token="</s>",
    )  # fmt: skip
    fast.save_pretrained(folder)
    return len(vocabulary)


@pytest.fixture(scope="module")
def multilingual(tmp_path_factory):
    """Settings of a model whose tokenizer and configuration lie beside its weights, as they are fetched."""
    from safetensors.torch import save_file
    from transformers import XLMRobertaConfig

    folder = tmp_path_factory.mktemp("multilingual")
    tower = folder / "tiny-xlm-roberta"
    size = tiny_tokenizer(tower)
    XLMRobertaConfig(
        vocab_size=size, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=90, pad_token_id=1, bos_token_id=0, eos_token_id=2, type_vocab_size=1,
    ).save_pretrained(tower)  # fmt: skip
    architecture = {
        "embed_dim": 32,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8},
        "text_cfg": {
            "hf_model_name": "somewhere/tiny-xlm-roberta",
            "hf_tokenizer_name": "somewhere/tiny-xlm-roberta",
            "hf_pooler_type": "mean_pooler",
        },
    }
    config = folder / "tiny-multilingual.json"
    config.write_text(json.dumps(architecture), encoding="utf-8")
    made = {**architecture, "text_cfg": {**architecture["text_cfg"], "hf_model_name": str(tower)}}
    (folder / "making.json").write_text(json.dumps(made), encoding="utf-8")
    open_clip.add_model_config(folder / "making.json")
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = open_clip.create_model("making", pretrained_text=False)
    weights = folder / "open_clip_model.safetensors"
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, weights)
    return EmbeddingSettings("tiny-multilingual", "", str(weights), str(config), device="cpu", precision="fp32")


def test_multilingual_model_needs_only_its_folder(multilingual):
    backbone = OpenClip(multilingual)
    backbone.check()
    assert backbone.reads_all
    vectors = backbone.embed_texts(["红色的椅子", "蓝色的狗", "红色的椅子"])
    assert vectors.shape == (3, 32)
    assert vectors[0] == pytest.approx(vectors[2], abs=1e-6)
    assert float(vectors[0] @ vectors[1]) < 0.9999


def test_long_chinese_text_is_split_by_the_tower_s_own_tokenizer(multilingual):
    backbone = OpenClip(multilingual)
    text = "红色的椅子和蓝色的狗，" * 12
    parts = pieces(text, backbone._model.fits)
    assert len(parts) >= 2
    assert all(backbone._model.tokens(part) == len(part) for part in parts)  # one token a character
    other = text[:-2] + "猫，"
    assert not np.allclose(backbone.embed_texts([text]), backbone.embed_texts([other]), atol=1e-7)


def test_text_tower_that_is_not_here_is_a_missing_part(multilingual, tmp_path):
    weights = tmp_path / "open_clip_model.safetensors"
    weights.write_bytes(b"")
    settings = EmbeddingSettings("tiny-multilingual", "", str(weights), multilingual.config_path)
    with pytest.raises(MissingPart, match=r"tiny-xlm-roberta is not here: copy its config\.json and tokenizer files"):
        OpenClip(settings).check()


@pytest.mark.parametrize(
    "text", ["“一只红色的猫坐在垫子上”", "《一只猫》", "don't draw 一只红色的猫, it's bad", "Привет", "a cat ελληνικά"]
)
def test_quotes_and_apostrophes_hide_no_other_script(text: str) -> None:
    assert not is_latin(text)


@pytest.mark.parametrize(
    "text", ["5µm wide", "an Ω sign", '"A cat"', "it's the dogs' ball", "a sign: ‘营业’", "1, 2, 3"]
)
def test_symbols_apostrophes_and_quoted_text_are_read(text: str) -> None:
    assert is_latin(text)


def copied(settings, place):
    """The same model with its text tower, elsewhere."""
    folder = shutil.copytree(Path(settings.weights_path).parent, place)
    return replace(settings, weights_path=str(folder / Path(settings.weights_path).name))


def test_text_tower_belongs_to_the_space(multilingual, tmp_path):
    there = copied(multilingual, tmp_path / "there")
    space = OpenClip(multilingual).space
    assert OpenClip(there).space == space
    tower = Path(there.weights_path).parent / "tiny-xlm-roberta"
    tokenizer = json.loads((tower / "tokenizer.json").read_text())
    (tower / "tokenizer.json").write_text(json.dumps({**tokenizer, "normalizer": {"type": "Lowercase"}}))
    assert OpenClip(there).space != space


def test_space_stays_that_of_the_model_in_memory(multilingual, tmp_path):
    there = copied(multilingual, tmp_path / "there")
    backbone = OpenClip(there)
    before = backbone.space
    Path(there.weights_path).write_bytes(b"other weights")
    assert backbone.space == before != OpenClip(there).space


def test_folder_where_one_works_is_no_place_of_a_text_tower(multilingual, tmp_path, monkeypatch):
    """It would be taken by chance, and from another folder it would not be found."""
    weights = tmp_path / "weights" / "open_clip_model.safetensors"
    weights.parent.mkdir()
    weights.write_bytes(b"")
    tower = Path(multilingual.weights_path).parent / "tiny-xlm-roberta"
    shutil.copytree(tower, tmp_path / "somewhere" / "tiny-xlm-roberta")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingPart, match="tiny-xlm-roberta is not here"):
        OpenClip(replace(multilingual, weights_path=str(weights))).check()


def test_texts_from_many_threads_are_those_of_one(multilingual):
    """Loading, too: the first one loads and the others wait."""
    texts = [["红色的椅子" * (n % 7 + 1), "蓝色的狗"] for n in range(32)]
    alone = [OpenClip(multilingual).embed_texts(some) for some in texts[:7]]
    shared = OpenClip(multilingual)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(shared.embed_texts, texts))
    for n, vectors in enumerate(found):
        assert vectors == pytest.approx(alone[n % 7], abs=1e-6)
