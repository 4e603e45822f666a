"""Names that are imported at first use."""

import subprocess
import sys

import pytest

import bandwise


def test_every_public_name_is_there() -> None:
    assert set(bandwise.__all__) <= set(dir(bandwise))
    for name in bandwise.__all__:
        assert getattr(bandwise, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'bandwise' has no attribute 'learn_nothing'"):
        _ = bandwise.learn_nothing


def test_partitions_and_defaults_need_no_pytorch() -> None:
    code = (
        "import sys, bandwise; bandwise.TrainingConfig(), bandwise.radial_bands(8, 8, 8).plane;"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
