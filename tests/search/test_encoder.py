import numpy as np

from bandwise import jpeg
from bandwise.encoding import encode_pixels
from bandwise.frequency.tables import TableSet
from bandwise.models.adapters import CallableModel
from bandwise.profile import Profile
from bandwise.search.answers import Keep
from bandwise.search.encoder import quality_of_equal_divergence
from tests.search.conftest import image


def test_one_quality_for_all_is_found_again(model: CallableModel) -> None:
    images = [image(seed) for seed in range(200, 212)]
    profile = Profile(name="q40", tables=TableSet.ijg(40), subsampling="4:4:4")
    files = [encode_pixels(each, profile) for each in images]
    nats = [
        Keep().distances(model([each])[0], model([jpeg.decode(data)]))[0]
        for each, data in zip(images, files, strict=True)
    ]
    found = quality_of_equal_divergence(images, model, float(np.mean(nats)))
    assert found is not None
    quality, size_bytes, subsampling = found
    assert size_bytes <= 1.01 * np.mean([len(data) for data in files])
    if subsampling == "4:4:4":
        assert quality <= 41


def test_no_quality_diverges_without_end(model: CallableModel) -> None:
    assert quality_of_equal_divergence([image(1)], model, 1e6) is None
