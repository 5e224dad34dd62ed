"""Folders as the hub has them, of models with random weights: only plumbing is tested with them."""

from __future__ import annotations

import json
from pathlib import Path

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def tiny_owlv2(folder: Path) -> Path:
    """OWLv2: configuration, weights, image processor, and CLIP's tokenizer over letters."""
    import torch
    from transformers import Owlv2Config, Owlv2ForObjectDetection

    tower = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 2}
    words = {**tower, "vocab_size": 2 * len(LETTERS) + 2, "max_position_embeddings": 16}
    ends = {"bos_token_id": 2 * len(LETTERS), "eos_token_id": 2 * len(LETTERS) + 1, "pad_token_id": 0}
    config = Owlv2Config(
        text_config={**words, **ends}, vision_config={**tower, "image_size": 64, "patch_size": 16}, projection_dim=32
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Owlv2ForObjectDetection(config)
        with torch.no_grad():  # spread the answers, which are all alike in an untrained model
            for name, parameter in model.named_parameters():
                if "logit" in name or "class_head" in name or "box_head" in name:
                    parameter.normal_(0, 0.5)
    model.save_pretrained(folder)
    _write_tokenizer(folder)
    processor = {"image_processor_type": "Owlv2ImageProcessor", "size": {"height": 64, "width": 64}}
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    return folder


def _write_tokenizer(folder: Path) -> None:
    tokens = [*LETTERS, *(f"{letter}</w>" for letter in LETTERS), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(tokens)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    settings = {
        "tokenizer_class": "CLIPTokenizer",
        "bos_token": "<|startoftext|>",
        "eos_token": "<|endoftext|>",
        "unk_token": "<|endoftext|>",
        "pad_token": "a",
        "model_max_length": 16,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def tiny_pickscore(folder: Path) -> Path:
    """PickScore: transformers' CLIPModel, its tokenizer and its preprocessor."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import CLIPConfig, CLIPModel, PreTrainedTokenizerFast

    vocabulary = {c: i for i, c in enumerate(["<pad>", "<unk>", "<s>", *LETTERS, " ", ",", ".", "</s>"])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 2), ("</s>", len(vocabulary) - 1)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>"
    ).save_pretrained(folder)
    small = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {**small, "vocab_size": len(vocabulary), "eos_token_id": len(vocabulary) - 1, "bos_token_id": 2}
    vision = {**small, "image_size": 32, "patch_size": 8}
    with torch.random.fork_rng():
        torch.manual_seed(1)
        CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=16)).save_pretrained(folder)
    preprocessor = {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.3, 0.2, 0.1], "size": {"shortest_edge": 32}}
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    return folder
