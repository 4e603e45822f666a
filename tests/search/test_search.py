import io
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.special import softmax
from scipy.stats import entropy

from bandwise.errors import ConfigurationError, EncodingError, ModelError
from bandwise.models.adapters import CallableModel
from bandwise.search.answers import Keep
from bandwise.search.candidates import Pixels
from bandwise.search.plan import Plan
from bandwise.search.search import Search
from tests.search.conftest import image

IMAGES = [image(seed) for seed in range(100, 116)]


def jpeg_of(pixels_u8: np.ndarray, quality: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels_u8).save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def divergence(model: CallableModel, pixels_u8: np.ndarray, data: bytes) -> float:
    """By Pillow and SciPy, apart from the package."""
    with Image.open(io.BytesIO(data)) as file:
        decoded = np.asarray(file)
    clean, seen = (softmax(model([each])[0].astype(float)) for each in (pixels_u8, decoded))
    return float(entropy(clean, seen))


@pytest.mark.parametrize("tolerance", [0.02, 0.2])
def test_files_keep_the_answer(model: CallableModel, plan: Plan, tolerance: float) -> None:
    search = Search([model], plan=plan, keep=Keep(tolerance=tolerance), looks=12)
    kept = 0
    for pixels_u8 in IMAGES:
        found = search.compress(pixels_u8)
        seen = divergence(model, pixels_u8, found.data)
        assert found.record.size_bytes == len(found.data)
        if found.record.kept:
            kept += 1
            assert seen <= found.record.distance + 1e-6 <= tolerance + 2e-6
    assert kept > len(IMAGES) / 2


def test_searching_beats_the_best_candidate_for_all(model: CallableModel, plan: Plan) -> None:
    tolerance = 0.1
    every = Search([model], plan=plan, keep=Keep(tolerance=tolerance), looks=len(plan.candidates))
    few = Search([model], plan=plan, keep=Keep(tolerance=tolerance), looks=8)
    best = [len(every.compress(each).data) for each in IMAGES]
    searched = [len(few.compress(each).data) for each in IMAGES]
    finest = [len(jpeg_of(each, 92)) for each in IMAGES]
    assert np.mean(best) <= np.mean(searched) < 0.7 * np.mean(finest)


def test_more_looks_never_cost_bytes(model: CallableModel, plan: Plan) -> None:
    sizes = [
        [len(Search([model], plan=plan, looks=looks).compress(each).data) for looks in (4, 8, 16)]
        for each in IMAGES[:8]
    ]
    means = np.mean(sizes, 0)
    assert means[0] >= means[1] >= means[2]


def test_the_same_image_gives_the_same_bytes(model: CallableModel, plan: Plan) -> None:
    first, second = (Search([model], plan=plan).compress(IMAGES[0]) for _ in range(2))
    assert first == second


def test_the_budget_is_kept(model: CallableModel, plan: Plan) -> None:
    asked = 0

    def counted(images: Sequence[Pixels]) -> NDArray[np.float32]:
        nonlocal asked
        asked += len(images)
        return model(images)

    counting = CallableModel(counted)
    counting.reading_side = model.reading_side
    record = Search([counting], plan=plan, looks=5).compress(IMAGES[0]).record
    assert asked == 1 + record.looks  # the original, then every look
    assert record.looks <= 2 * 5


def test_all_models_of_an_ensemble_keep_their_answers(
    model: CallableModel, other_model: CallableModel, plan: Plan
) -> None:
    keep = Keep(tolerance=0.1)
    for pixels_u8 in IMAGES[:8]:
        found = Search([model, other_model], plan=plan, keep=keep).compress(pixels_u8)
        if found.record.kept:
            assert divergence(model, pixels_u8, found.data) <= 0.1 + 1e-6
            assert divergence(other_model, pixels_u8, found.data) <= 0.1 + 1e-6


def test_decisions_are_kept_with_fewer_bytes(model: CallableModel, plan: Plan) -> None:
    decision = Search([model], plan=plan, keep=Keep(kind="decision", tolerance=0.1), looks=12)
    close = Search([model], plan=plan, keep=Keep(tolerance=0.01), looks=12)
    sizes = []
    for pixels_u8 in IMAGES:
        found = decision.compress(pixels_u8)
        sizes.append((len(found.data), len(close.compress(pixels_u8).data)))
        if found.record.kept:
            assert found.record.decision_kept
            with Image.open(io.BytesIO(found.data)) as file:
                seen = model([np.asarray(file)])
            assert seen.argmax() == model([pixels_u8]).argmax()
    assert np.mean(sizes, 0)[0] < np.mean(sizes, 0)[1]


def test_a_miss_gets_what_was_asked_for(model: CallableModel, plan: Plan) -> None:
    source = jpeg_of(IMAGES[0], 60)
    never = Keep(tolerance=0.0)
    kept = Search([model], plan=plan, keep=never).compress(IMAGES[0], source=source)
    assert kept.data == source
    assert kept.record.candidate is None
    finest = Search([model], plan=plan, keep=never, on_miss="finest")
    missed = finest.compress(IMAGES[0], source=source)
    assert not missed.record.kept
    assert missed.data != source
    png = Search([model], plan=plan, keep=never).compress(IMAGES[0], source=b"\x89PNG")
    assert png.data == missed.data
    with pytest.raises(EncodingError):
        Search([model], plan=plan, keep=never, on_miss="error").compress(IMAGES[0])


def test_files_are_not_scaled_where_that_is_forbidden(model: CallableModel, plan: Plan) -> None:
    for pixels_u8 in IMAGES[:6]:
        found = Search([model], plan=plan, scaling=False).compress(pixels_u8)
        with Image.open(io.BytesIO(found.data)) as file:
            assert file.size == (64, 56)


def test_grey_images_of_odd_sizes(model: CallableModel, plan: Plan) -> None:
    for height, width in ((1, 1), (3, 200), (57, 33)):
        pixels_u8 = image(3, height, width)[..., 0]
        found = Search([model], plan=plan).compress(pixels_u8)
        with Image.open(io.BytesIO(found.data)) as file:
            assert file.mode == "L"


def test_a_model_that_answers_nonsense_is_an_error(plan: Plan) -> None:
    broken = CallableModel(lambda images: np.full((len(images), 3), np.nan))
    with pytest.raises(ModelError):
        Search([broken], plan=plan).compress(IMAGES[0])


def test_settings_that_cannot_work_are_refused(model: CallableModel, plan: Plan) -> None:
    with pytest.raises(ConfigurationError):
        Search([], plan=plan)
    with pytest.raises(ConfigurationError):
        Search([model], plan=plan, looks=0)
