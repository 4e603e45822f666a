"""Reading files needs the native extension; what needs it is skipped where it was not built."""

import pytest

from bandwise import jpeg


@pytest.fixture(autouse=True)
def extension_or_skip() -> None:
    if not jpeg.available():
        pytest.skip("the native JPEG extension is not built")
