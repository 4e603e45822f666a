"""What a command wrote."""

import pytest


def said(capfd: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """Outputs since the last call; no error may come as a traceback."""
    out, err = capfd.readouterr()
    assert "Traceback" not in err
    return out, err
