"""Codecs that give each image its own tables, and the oracle that bounds them."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bandwise import jpeg
from bandwise.data import LabelledImages
from bandwise.encoding import encode_pixels
from bandwise.evaluation import AdaptiveCodec, CodebookCodec, OracleCodec
from bandwise.profile import Profile
from bandwise.tables import TableSet, flat
from bandwise.tasks import planes_of
from tests.jpeg.images import picture
from tests.test_adaptive import book

pytestmark = pytest.mark.skipif(
    not jpeg.available(), reason="the native JPEG extension is not built"
)


class Fickle(nn.Module):
    """Decides by the sum of the pixels modulo three."""

    def forward(self, pixels: Tensor) -> Tensor:
        sums = (255 * pixels.double()).round().sum((1, 2, 3)).long()
        return F.one_hot(sums % 3, 3).float()


PICTURES = [picture(24, 32, seed=seed) for seed in range(8)]


def test_a_policy_is_asked_at_each_price() -> None:
    codec = AdaptiveCodec(book(), (1e-7, 1e-3), name="a")
    first, second = codec.settings()
    assert (first.family, first.label, second.label) == ("a", "1e-07", "0.001")
    assert first.options["profile_sha256"] != second.options["profile_sha256"]
    for setting, slope in ((first, 1e-7), (second, 1e-3)):
        profile = book().at(slope)
        for pixels in PICTURES:
            data = codec.encode(pixels, setting)
            assert data == encode_pixels(pixels, profile.profile_for(pixels))
            assert codec.decode(data, pixels.shape).shape == pixels.shape
    assert sum(len(codec.encode(pixels, second)) for pixels in PICTURES) < sum(
        len(codec.encode(pixels, first)) for pixels in PICTURES
    )


def test_a_codebook_gives_the_kinds_tables_at_one_rung() -> None:
    ours = book()
    codec = CodebookCodec(ours, ("fine", "middle", "coarse"), name="a", family="a: b")
    for rung, setting in enumerate(codec.settings()):
        assert (setting.family, setting.options["rung"]) == ("a: b", rung)
        for pixels in PICTURES:
            kind, _ = ours.choice(pixels)
            expected = encode_pixels(pixels, ours.rung(kind, rung))
            assert codec.encode(pixels, setting) == expected


def test_the_oracle_takes_the_smallest_file_that_is_decided_rightly() -> None:
    ladder = [
        Profile(name=str(step), tables=TableSet(luma=flat(step), chroma=flat(step)))
        for step in (4, 40, 120, 250)
    ]
    network = Fickle()
    files = [[encode_pixels(pixels, profile) for profile in ladder] for pixels in PICTURES]
    decided = [
        [int(network(planes_of(jpeg.decode(file))[None].float() / 255).argmax()) for file in each]
        for each in files
    ]
    labels = [each[0] for each in decided]
    assert {each[-1] == label for each, label in zip(decided, labels, strict=True)} == {True, False}
    images = LabelledImages(
        torch.stack([planes_of(pixels) for pixels in PICTURES]), torch.tensor(labels)
    )
    codec = OracleCodec(ladder, network, [images], name="oracle")
    settings = codec.settings()
    for setting in settings:
        extra = setting.options["extra_bytes"]
        for pixels, each, decisions, label in zip(PICTURES, files, decided, labels, strict=True):
            smallest = min(map(len, each))
            right = [
                len(file)
                for file, decision in zip(each, decisions, strict=True)
                if decision == label and len(file) <= smallest + extra
            ]
            assert len(codec.encode(pixels, setting)) == min(right, default=smallest)
    assert np.shape(codec.decode(files[0][0], PICTURES[0].shape)) == PICTURES[0].shape
