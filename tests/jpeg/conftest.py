"""The native extension is optional; what needs it is skipped where it was not built."""

import pytest

from bandwise import jpeg


@pytest.fixture(autouse=True)
def extension_or_skip(request: pytest.FixtureRequest) -> None:
    if "no_extension" not in request.fixturenames and not jpeg.available():
        pytest.skip("the native JPEG extension is not built")
