"""Faces that training had to leave out."""

import logging
from typing import Any

from core.training.hooks.base import BaseHook
from core.training.run_state import RunState

log = logging.getLogger(__name__)


class UnreadableFaces(BaseHook):
    """Names each face that could not be read once, and collects them for the report in ``session.skipped``."""

    def after_step(self, session: RunState, batch: Any) -> None:
        for name in batch.skipped:
            if name not in session.skipped:
                session.skipped.append(name)
                log.warning("skipped: %s", name)
