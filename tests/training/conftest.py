"""Fixtures of the training tests."""

import keras
import pytest


@pytest.fixture
def eager():
    """Building a graph takes longer than these few steps."""
    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(before)
