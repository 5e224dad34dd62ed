"""The study of finishes compares with the same picture unfinished, and with the truth where sizes agree."""

from __future__ import annotations

import json

from experiments import finishing_study


def test_denoise_helps_a_noisy_photograph_and_enlarging_has_no_error(tmp_path, monkeypatch):
    monkeypatch.setattr(finishing_study, "FINISHES", ("denoise", "upscale"))
    monkeypatch.setattr(finishing_study, "LONG_SIDE_PX", 256)
    out = tmp_path / "out.json"
    assert finishing_study.main(["--photographs", "1", "--json", str(out)]) == 0
    results = json.loads(out.read_text(encoding="utf-8"))["results"]
    assert list(results) == ["none", "JPEG 40", "noise 6", "blur 1 px", "enlarged"]
    noisy = results["noise 6"]["denoise"]
    assert noisy["points"]["mean"] > 0 > noisy["error"]["mean"] and noisy["error"]["n"] == 1
    assert set(results["none"]["upscale"]) == {"points"}
