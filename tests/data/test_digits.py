import numpy as np
import torch
from sklearn import datasets

from bandwise.data.digits import load_digits
from bandwise.data.types import LabelledImages


def test_digits_are_scikit_learns_scaled_to_bytes() -> None:
    dataset = load_digits()
    assert dataset.image_shape == (1, 8, 8)
    assert dataset.classes == tuple("0123456789")
    assert dataset.validation is None
    everything = np.concatenate([dataset.train.pixels_u8, dataset.test.pixels_u8])[:, 0]
    assert set(np.unique(everything)) == {round(v * 255 / 16 + 1e-9) for v in range(17)}
    ink = np.rint(everything / 255 * 16)
    found = {image.tobytes() for image in ink}
    assert found == {image.tobytes() for image in datasets.load_digits().images}


def test_digits_are_split_by_class_and_the_same_everywhere() -> None:
    dataset = load_digits()
    assert (len(dataset.train), len(dataset.test)) == (1438, 359)

    def shares(images: LabelledImages) -> torch.Tensor:
        return torch.bincount(images.labels, minlength=10) / len(images)

    assert (shares(dataset.train) - shares(dataset.test)).abs().max() < 0.003
    assert dataset.sha256 == "35c5ea98b5925b02ceaf9edf866a5a04f8ae181d9047c0ed7478c06e2500ee8a"
