"""The handwritten digits that scikit-learn bundles: real data that needs no file or network.

1,797 grey images of 8×8 from the UCI set "Optical Recognition of Handwritten Digits" (E. Alpaydin,
C. Kaynak, 1998), whose values are counts of ink pixels, 0 to 16.
"""

from __future__ import annotations

import numpy as np
import torch

from bandwise.data.types import Dataset, LabelledImages, assemble, holdout

TEST_FRACTION = 0.2
SPLIT_SEED = 0
"""The bundled set has no official split; this seed fixes bandwise's 80/20 split by class."""


def load_digits() -> Dataset:
    """Read the digits, scaled from 0..16 to 0..255 and split 80/20 into train and test."""
    # Importing scikit-learn takes longer than reading the digits, and only they need it.
    from sklearn import datasets

    bunch = datasets.load_digits()
    pixels_u8 = np.floor(bunch.images * (255 / 16) + 0.5).astype(np.uint8)
    everything = LabelledImages(
        torch.from_numpy(pixels_u8[:, None]), torch.from_numpy(bunch.target.astype(np.int64))
    )
    train, test = holdout(everything, fraction=TEST_FRACTION, seed=SPLIT_SEED)
    return assemble(
        name="digits",
        classes=[str(digit) for digit in bunch.target_names],
        train=train,
        test=test,
        source="scikit-learn digits (bundled), split 80/20 by class",
    )
