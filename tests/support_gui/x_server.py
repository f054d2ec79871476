"""An X server without a screen, for tests that need a real one."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def x_server() -> Iterator[str]:
    """Start one and name its display; skip the test where that cannot be."""
    program = shutil.which("Xvfb")
    if program is None:
        pytest.skip("Xvfb is not installed: no X server to ask")
    there, here = os.pipe()
    server = subprocess.Popen(
        [program, "-displayfd", str(here), "-screen", "0", "320x240x24", "-noreset", "-nolisten", "tcp"],
        pass_fds=(here,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(here)
    try:
        with os.fdopen(there) as answer:
            number = answer.readline().strip()
        if not number:
            pytest.skip("Xvfb did not start")
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(10)
