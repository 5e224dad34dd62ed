"""Font discovery on the fonts that packages ship."""

import shutil
from pathlib import Path

import pytest

from selector.domain import InputError, MissingPart
from selector.sight import fonts as module
from selector.sight.fonts import all_fonts, covers, fonts_for


def named(name):
    return next(font for font in all_fonts() if font.name == name)


def test_packages_bring_latin_and_chinese_fonts():
    names = {font.name for font in all_fonts()}
    assert {"DejaVu Sans Book", "STIXGeneral Regular", "Noto Sans SC Regular", "Noto Serif SC Regular"} <= names


def test_no_font_stands_twice_and_the_order_is_steady():
    names = [font.name for font in all_fonts()]
    assert len(names) == len(set(names))
    all_fonts.cache_clear()
    assert [font.name for font in all_fonts()] == names


def test_fonts_of_symbols_and_placeholder_boxes_are_left_out():
    assert not [font for font in all_fonts() if "lastresort" in font.path.lower() or "cmex10" in font.path]


def test_latin_font_does_not_cover_chinese():
    assert covers(named("DejaVu Sans Book"), "Tom's") and not covers(named("DejaVu Sans Book"), "营业")
    assert [font.name for font in fonts_for("营业 OPEN")][:2] == ["Noto Sans SC Regular", "Noto Serif SC Regular"]


def test_excluded_fonts_are_not_offered():
    names = [font.name for font in fonts_for("营业", exclude=("noto serif",))]
    assert "Noto Sans SC Regular" in names and "Noto Serif SC Regular" not in names


def test_missing_glyph_is_a_message_with_the_cure():
    with pytest.raises(MissingPart, match=r"no font here has all characters of '\uefff'.*fonts folder"):
        fonts_for("\uefff")


def test_own_folder_comes_first(tmp_path):
    shutil.copy(named("STIXGeneral Italic").path, tmp_path / "mine.ttf")
    (tmp_path / "broken.ttf").write_bytes(b"not a font")
    assert all_fonts(str(tmp_path))[0].path == str(tmp_path / "mine.ttf")


def test_folder_that_is_none_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="fonts folder"):
        all_fonts(str(tmp_path / "nowhere"))


def test_machine_without_fontconfig_has_the_fonts_of_packages(monkeypatch):
    monkeypatch.setattr(module.shutil, "which", lambda _: None)
    all_fonts.cache_clear()
    try:
        assert {Path(font.path).parent.name for font in all_fonts()} == {"ttf", "pylopdf_fonts_zh_cn"}
    finally:
        all_fonts.cache_clear()
