"""Which framework trains: ``KERAS_BACKEND``, TensorFlow where nothing is said.

To be asked before anything imports Keras, which reads the variable once. Imports no framework itself.
"""

import importlib.util
import os

from core.errors import EnvironmentFault

BACKENDS = ("tensorflow", "jax", "torch")


def choose() -> str:
    """Settle the backend of this process. Raises EnvironmentFault for one that is unknown or not installed."""
    # Set as well as read, so that Keras and the processes that are started choose the same.
    name = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # else TensorFlow greets with pages about the processor
    if name not in BACKENDS:
        raise EnvironmentFault(
            "no such backend", where=f"KERAS_BACKEND={name}", hint=f"it is one of {', '.join(BACKENDS)}"
        )
    # Looks without importing, which takes seconds.
    if importlib.util.find_spec(name) is None:
        there = [other for other in BACKENDS if importlib.util.find_spec(other)]
        instead = f", or set KERAS_BACKEND={there[0]}" if there else ""
        raise EnvironmentFault(
            "the training backend is not installed",
            where=f"KERAS_BACKEND={name}",
            why=f"installed: {', '.join(there) or 'none'}",
            hint=f"pip install -r {requirements(name)}{instead}",
        )
    return name


def requirements(name: str) -> str:
    """The file that lists what a backend needs."""
    return "requirements.txt" if name == "tensorflow" else f"requirements-{name}.txt"
