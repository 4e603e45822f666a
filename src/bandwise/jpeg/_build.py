"""Build description of the native extension `bandwise.jpeg._turbo`, used by setup.py."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from cffi import FFI

_HERE = Path(__file__).parent


def _pkg_config(option: str) -> list[str]:
    """Words that pkg-config prints for libjpeg; none where it does not know the library."""
    program = shutil.which("pkg-config")
    if program is None:
        return []
    answer = subprocess.run(
        [program, option, "libjpeg"], capture_output=True, text=True, check=False
    )
    return answer.stdout.split() if answer.returncode == 0 else []


def _text(*names: str) -> str:
    return "".join((_HERE / name).read_text() for name in names)


ffibuilder = FFI()
ffibuilder.cdef(_text("turbo.h", "trellis.h"))
ffibuilder.set_source(
    "bandwise.jpeg._turbo",
    _text("turbo.c", "trellis.c"),
    libraries=["jpeg"],
    include_dirs=[str(_HERE)],
    depends=[str(_HERE / name) for name in ("turbo.c", "turbo.h", "trellis.c", "trellis.h")],
    extra_compile_args=["-O3", *_pkg_config("--cflags-only-I")],
    extra_link_args=_pkg_config("--libs-only-L"),
    py_limited_api=True,
    optional=True,
)
