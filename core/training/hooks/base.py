"""The base of all hooks: what happens beside the steps of a training run. Each hook does one thing and has a file."""

from typing import Any


class BaseHook:
    """Does nothing; hooks override what they need. ``core.training.loop.Hook`` is the interface that the loop sees."""

    def after_step(self, session: Any, batch: Any) -> None:
        """After every iteration. ``batch``: what the step was taken on."""

    def at_save(self, session: Any) -> None:
        """Before the files of a save are written."""

    def at_end(self, session: Any) -> None:
        """However the run ends."""
