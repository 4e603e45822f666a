import pytest

from bandwise.errors import ConfigurationError
from bandwise.evaluation import Setting, sweep


def families(settings: list[Setting]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for setting in settings:
        found.setdefault(setting.family, []).append(setting.label)
    return found


def test_thinning_keeps_every_family_and_leaves_libjpeg_its_own_number() -> None:
    whole = {codec.name: families(settings) for codec, settings in sweep(3)}
    thin = {codec.name: families(settings) for codec, settings in sweep(3, every=3)}
    assert {"libjpeg", "downscale", "webp"} <= set(whole)
    assert thin["libjpeg"] == whole["libjpeg"]
    assert thin["webp"] == {family: labels[::3] for family, labels in whole["webp"].items()}
    ((_, libjpeg),) = sweep(3, names=["libjpeg"], libjpeg_every=5)
    assert families(libjpeg) == {name: labels[::5] for name, labels in whole["libjpeg"].items()}


def test_a_family_can_be_named() -> None:
    ((codec, settings),) = sweep(3, names=["libjpeg compact"])
    assert codec.name == "libjpeg"
    assert set(families(settings)) == {"libjpeg compact"}


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="there is no codec or family 'gif'; codecs are"):
        sweep(1, names=["libjpeg", "gif"])
