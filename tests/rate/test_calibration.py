import numpy as np
import pytest
import torch

from bandwise.errors import ConfigurationError
from bandwise.rate import Calibration


def test_fit_finds_the_coefficients() -> None:
    rng = np.random.default_rng(0)
    luma, chroma, blocks = rng.uniform(100, 9000, (3, 50))
    truth = Calibration(luma=1.1, chroma=0.9, per_block=0.2, per_image=30.0)
    payload = 1.1 * luma + 0.9 * chroma + 0.2 * blocks + 30
    fitted = Calibration.fit(
        luma_bits=luma, chroma_bits=chroma, blocks=blocks, payload_bits=payload
    )
    for name in ("luma", "chroma", "per_block", "per_image"):
        assert getattr(fitted, name) == pytest.approx(getattr(truth, name), rel=1e-6)
    estimate = fitted(torch.tensor(luma), torch.tensor(chroma), 7)
    assert estimate.numpy() == pytest.approx(payload - 0.2 * blocks + 0.2 * 7)


def test_what_samples_cannot_tell_apart_stays_finite() -> None:
    luma = np.array([100.0, 200.0, 400.0])
    fitted = Calibration.fit(
        luma_bits=luma, chroma_bits=0 * luma, blocks=np.full(3, 64), payload_bits=1.2 * luma + 64
    )
    assert fitted.luma == pytest.approx(1.2)
    assert fitted.chroma == 0
    estimate = fitted(torch.tensor(luma), torch.zeros(3), 64)
    assert estimate.numpy() == pytest.approx(1.2 * luma + 64)


def test_the_default_changes_nothing() -> None:
    assert Calibration()(torch.tensor([3.0]), torch.tensor([4.0]), 5).tolist() == [7.0]


def test_unfit_samples_are_refused() -> None:
    good = np.ones(3)
    with pytest.raises(ConfigurationError, match="one length"):
        Calibration.fit(luma_bits=good, chroma_bits=good, blocks=[1], payload_bits=good)
    with pytest.raises(ConfigurationError, match="got 3 of which 2"):
        Calibration.fit(luma_bits=good, chroma_bits=good, blocks=good, payload_bits=[1, 0, 1])
    with pytest.raises(ConfigurationError, match="got 0"):
        Calibration.fit(luma_bits=[], chroma_bits=[], blocks=[], payload_bits=[])
