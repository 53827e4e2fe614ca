"""Where the Python package ``onnxruntime`` keeps its library, and what to do about it after a fork."""

import ctypes
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


def onnxruntime_loaded() -> None:
    """Has forked children leave without ONNX Runtime's own clearing up.

    It waits for the library's threads, which are in the parent only: a child that ends in the ordinary way would hang
    (so it does with the package ``onnxruntime``). The C library's ``_exit`` is put in front of it, with the status that
    the process ends with; Python has cleared up by then.
    """
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_leave_at_once)


def _leave_at_once() -> None:
    library = ctypes.CDLL(None)
    # Of glibc; elsewhere a child leaves by os._exit, as those of multiprocessing do anyway.
    if hasattr(library, "on_exit"):
        library.on_exit(library._exit, None)
