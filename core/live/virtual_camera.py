"""A camera that other programs see and that shows what the player shows. pyvirtualcam is installed by who wants it."""

from typing import Any

from core.errors import EnvironmentFault
from core.live.frames import Shown
from core.live.recording import fitted

_RATE = 30


class VirtualCamera:
    """An output of the player. Close it at the end."""

    def __init__(self, size: tuple[int, int]):
        """size: (width, height) of its pictures.

        Raises:
            EnvironmentFault: pyvirtualcam is not installed, or this computer has no virtual camera.
        """
        try:
            import pyvirtualcam
        except ImportError:
            raise EnvironmentFault(
                "a virtual camera needs the package pyvirtualcam", hint="pip install -r requirements-live.txt"
            ) from None
        self._size = size
        try:
            self._camera: Any = pyvirtualcam.Camera(*size, _RATE, fmt=pyvirtualcam.PixelFormat.BGR)
        except (RuntimeError, OSError, ValueError) as error:
            raise EnvironmentFault(
                "this computer has no virtual camera",
                why=" ".join(str(error).split())[:300],
                hint="on Linux: sudo modprobe v4l2loopback (not in a container), or the page's stream in OBS",
            ) from None
        self.device: str = self._camera.device

    def __call__(self, shown: Shown) -> None:
        self._camera.send(fitted(shown.image, self._size))

    def close(self) -> None:
        self._camera.close()
