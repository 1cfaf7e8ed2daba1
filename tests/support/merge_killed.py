"""A merge that ends before a certain call of those that change a disk, for processes that are made for it."""

import multiprocessing
import os
import signal

from kills import CALLS

from core.jobs.merge.choices import MergeChoices
from core.jobs.merge.merge import merge
from core.merge.settings import MergeSettings
from core.video.film.encoders import FilmSettings

CHOICES = MergeChoices(settings=MergeSettings(mask="hull"), film=FilmSettings(part=3, preset="veryfast"), workers=2)


def counting(workspace, left) -> None:
    """A run that is killed before its call number ``left`` of those that change a disk; negative: never."""
    count = multiprocessing.Value("i", 0)

    def counted(original):
        def call(*args, **keywords):
            with count.get_lock():
                count.value += 1
                if count.value == left:
                    os.kill(os.getpid(), signal.SIGKILL)
            return original(*args, **keywords)

        return call

    for name in CALLS:
        setattr(os, name, counted(getattr(os, name)))
    merge(workspace, "dst", CHOICES)
    (workspace.root / ".calls").write_text(str(count.value))
