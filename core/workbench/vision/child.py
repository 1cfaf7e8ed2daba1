"""The vision process: answers one question after the other until its input ends.

``python -m core.workbench.vision.child``
"""

import os
import sys

from core.errors import PipelineError
from core.workbench.vision import work
from core.workbench.vision.messages import receive, send


def main() -> None:
    """Answer questions of the standard input on the standard output."""
    # What libraries print must not get among the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    eyes = work.open_eyes()
    send(answers, {"ready": True})
    while (message := receive(sys.stdin.buffer)) is not None:
        head, pictures = message
        try:
            answer = work.QUESTIONS[head.pop("ask")](eyes, pictures, **head)
        except PipelineError as error:
            answer = {"error": {"what": error.what, "why": error.why, "hint": error.hint}}
        send(answers, answer)


if __name__ == "__main__":
    main()
