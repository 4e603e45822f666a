"""Costs of rungs are those of the files, one by one."""

import pytest
import torch
import torch.nn.functional as F

from bandwise import jpeg
from bandwise.encoding import encode_pixels
from bandwise.evaluation import as_array, rung_costs
from bandwise.evaluation import costs as module
from bandwise.profile import Profile
from bandwise.tables import TableSet, flat
from bandwise.tasks import planes_of
from tests.jpeg.images import picture
from tests.test_guidance import Mixture

pytestmark = pytest.mark.skipif(
    not jpeg.available(), reason="the native JPEG extension is not built"
)


def ladder(*steps: int) -> list[Profile]:
    return [
        Profile(name=str(step), tables=TableSet(luma=flat(step), chroma=flat(step)))
        for step in steps
    ]


def test_each_image_is_measured_at_every_rung_of_its_own_ladder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_CHUNK", 2)
    images = torch.stack([planes_of(picture(24, 32, seed=seed)) for seed in range(5)])
    ladders, members = [ladder(4, 90), ladder(20, 200)], [0, 1, 1, 0, 1]
    heard: list[int] = []
    costs = rung_costs(ladders, members, images, Mixture(3), progress=heard.append)
    assert heard == [2, 4, 5]
    assert costs.size_bytes.shape == costs.divergence.shape == (5, 2)
    for index, member in enumerate(members):
        for rung, profile in enumerate(ladders[member]):
            data = encode_pixels(as_array(images[index]), profile)
            assert int(costs.size_bytes[index, rung]) == len(data)
            pair = torch.stack([images[index], planes_of(jpeg.decode(data))]).float() / 255
            before, after = Mixture(3)(pair).double().log_softmax(1)
            expected = F.kl_div(after, before, log_target=True, reduction="sum")
            assert float(costs.divergence[index, rung]) == pytest.approx(float(expected), abs=1e-4)
