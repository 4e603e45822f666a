from __future__ import annotations

from bandwise.report.drawing import themed_colours
from bandwise.report.rate_accuracy.codecs import (
    CODECS,
    family_looks,
    in_order,
    look_of,
    setting_words,
)


def test_every_codec_has_its_own_colour_and_marker() -> None:
    looks = [*CODECS.values(), look_of("zip")]
    assert len({look.marker for look in looks}) == len(looks)
    assert len({look.colour for look in looks}) == len(looks) - 1  # an unknown one is black too
    assert look_of("zip").line != look_of("jpeg-xl").line


def test_every_colour_has_one_for_the_dark_theme() -> None:
    assert {look.colour for look in CODECS.values()} <= themed_colours(0).keys()


def test_guided_codecs_are_kin_to_and_told_apart_from_those_they_guide() -> None:
    for kin in ("bandwise", "libjpeg"):
        order = list(CODECS)
        assert order.index(f"{kin} guided") == order.index(kin) + 1
        ours, theirs = CODECS[f"{kin} guided"], CODECS[kin]
        assert ours.plain_jpeg
        assert ours.line != theirs.line
        assert ours.marker != theirs.marker


def test_no_way_of_learning_looks_like_libjpeg() -> None:
    looks = family_looks(f"family {number}" for number in range(6))
    drawn = [(look.colour, look.marker) for look in looks.values()]
    assert len(set(drawn)) == 6
    assert CODECS["libjpeg"].colour not in {colour for colour, _ in drawn}


def test_order_is_known_codecs_then_the_rest() -> None:
    assert in_order(["zip", "webp", "original", "bandwise", "webp"]) == ["bandwise", "webp", "zip"]


def test_settings_are_named_without_repeating_the_codec() -> None:
    assert setting_words("libjpeg", "libjpeg 4:2:0", "q30") == "libjpeg 4:2:0, q30"
    assert setting_words("bandwise", "gradient", "a") == "bandwise gradient, a"
    assert setting_words("bandwise", "joint", "joint 4e-06") == "bandwise joint 4e-06"
    assert setting_words("libjpeg guided", "libjpeg guided", "a") == "libjpeg guided, a"
    assert setting_words("webp", "WebP", "q5") == "WebP, q5"
    assert setting_words("original", "original", "original") == "original"
