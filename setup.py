"""The native JPEG extension; everything else is in pyproject.toml.

The extension is optional: without a C compiler or libjpeg-turbo's headers the installation
succeeds, and the first use of JPEG says what to install.
"""

from setuptools import setup

setup(
    cffi_modules=["src/bandwise/jpeg/_build.py:ffibuilder"],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
