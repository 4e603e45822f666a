"""The machine and the software that numbers depend on."""

from __future__ import annotations

import ctypes
import os
import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

_ALLOCATOR = {-4: 0, -1: 2_000_000_000, -2: 64 << 20}
"""Parameters of ``mallopt``: M_MMAP_MAX, M_TRIM_THRESHOLD and M_TOP_PAD (``malloc.h``)."""


def versions() -> dict[str, str]:
    """Versions of what the numbers depend on."""
    packages = ("bandwise", "torch", "numpy", "scipy", "scikit-learn", "pillow")
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    """Return the machine in words: processor, cores, memory in bytes, platform."""
    return {
        "processor": _processor(),
        "cores": available_cores(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "platform": platform.platform(),
    }


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def now() -> str:
    """Return the time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def keep_freed_memory() -> None:
    """Have glibc's allocator keep large blocks that are freed, in this process from now on.

    It would give them back to the system and take them again, page by page, in every step that
    makes large tensors: half the time of such work. Other C libraries are left as they are.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    for parameter, value in _ALLOCATOR.items():
        mallopt(parameter, value)


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
