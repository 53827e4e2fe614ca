"""Where the Python package ``onnxruntime`` keeps its library."""

import importlib.util
import os
import pathlib

_NAMES = ("libonnxruntime.so.*", "libonnxruntime.*.dylib", "onnxruntime.dll")


def onnxruntime_library() -> "os.PathLike[str] | None":
    """The shared library inside the installed package, which is not imported; None without one."""
    try:
        spec = importlib.util.find_spec("onnxruntime")
    except (ImportError, ValueError):
        return None
    for folder in (spec.submodule_search_locations if spec else None) or ():
        for name in _NAMES:
            found = sorted(pathlib.Path(folder, "capi").glob(name))
            if found:
                return found[0]
    return None
