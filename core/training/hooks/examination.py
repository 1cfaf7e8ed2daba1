"""How good the swaps are, asked once: before the save in which a run reaches its target."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from core.errors import PipelineError
from core.training.hooks.base import BaseHook
from core.training.session import Session

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Examined:
    """figures: name -> mean, for programs. lines: for people."""

    figures: Mapping[str, float] = field(default_factory=dict)
    lines: tuple[str, ...] = ()


Examine = Callable[[Session], Examined]


class Examination(BaseHook):
    """Puts the result into the session, from where it goes into ``summary.txt`` and ``metrics.jsonl``."""

    def __init__(self, examine: Examine):
        self._examine = examine

    def at_save(self, session: Session) -> None:
        if not session.done or session.quality:
            return
        try:
            examined = self._examine(session)
        except PipelineError as error:
            # A figure that cannot be had must not cost a trained model.
            log.warning("the swaps were not judged: %s", str(error).replace("\n", " "))
            return
        session.quality, session.quality_lines = dict(examined.figures), list(examined.lines)
