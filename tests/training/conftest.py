"""Fixtures of the training tests."""

import pytest
from training_cases import eagerly


@pytest.fixture
def eager():
    """The test's steps are run one operation at a time."""
    with eagerly():
        yield
