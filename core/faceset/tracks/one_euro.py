"""The one-euro filter (Casiez, Roussel, Vogel 2012): smoothing of what comes in frame by frame, with little delay.

It knows no future, as live programs do not; for films ``smooth`` is better.
"""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class OneEuro:
    """Smooths vectors that come one after the other; the faster they change, the less.

    least_cutoff: Hz, for what is at rest: lower trembles less.
    speed_weight: by how many Hz the cutoff rises for a speed of 1 a second: higher lags less.
    speed_cutoff: Hz, for the speed itself.
    """

    def __init__(self, least_cutoff: float = 3.0, speed_weight: float = 20.0, speed_cutoff: float = 3.0):
        self._least, self._weight, self._speed_cutoff = least_cutoff, speed_weight, speed_cutoff
        self.reset()

    def reset(self) -> None:
        """Forget what came before, at a cut."""
        self._time = math.nan
        self._raw = self._value = self._speed = np.empty(0)

    def step(self, time: float, value: Floats) -> Floats:
        """The smoothed value (d,) of this moment. time: seconds, later than the last; value: (d,), one group that moves
        together.
        """
        passed = time - self._time
        if not passed > 0:
            self._speed, self._value = np.zeros_like(value), value
        else:
            self._speed = self._speed + _share(self._speed_cutoff, passed) * (
                (value - self._raw) / passed - self._speed
            )
            cutoff = self._least + self._weight * float(np.sqrt((self._speed**2).mean()))
            self._value = self._value + _share(cutoff, passed) * (value - self._value)
        self._time, self._raw = time, value
        return self._value


def _share(cutoff: float, passed: float) -> float:
    """How much of a new value a low pass of ``cutoff`` Hz takes after ``passed`` seconds."""
    turn = 2 * math.pi * cutoff * passed
    return turn / (turn + 1)
