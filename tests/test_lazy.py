"""Names that are imported at first use."""

import json
import subprocess
import sys
from types import ModuleType

import pytest

import bandwise
from bandwise import training
from bandwise.lazy import lazy_exports


@pytest.mark.parametrize("package", [bandwise, training], ids=lambda package: package.__name__)
def test_every_public_name_is_there(package: ModuleType) -> None:
    assert set(package.__all__) <= set(dir(package))
    for name in package.__all__:
        assert getattr(package, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'bandwise' has no attribute 'learn_nothing'"):
        _ = bandwise.learn_nothing


def test_what_was_found_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    package = ModuleType("package")
    monkeypatch.setitem(sys.modules, "package", package)
    find, names = lazy_exports("package", {"json": ["JSONDecodeError"]})
    assert "JSONDecodeError" in names()
    assert not hasattr(package, "JSONDecodeError")
    assert find("JSONDecodeError") is json.JSONDecodeError
    assert vars(package)["JSONDecodeError"] is json.JSONDecodeError


def test_partitions_and_defaults_need_no_pytorch() -> None:
    code = (
        "import sys, bandwise; from bandwise.training import TrainingConfig;"
        "TrainingConfig(), bandwise.radial_bands(8, 8, 8).plane; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
