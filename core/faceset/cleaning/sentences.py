"""What cleaning found, in sentences for people."""

from core.faceset.cleaning.coverage import Gap
from core.faceset.cleaning.verdicts import Verdicts

# Where negative and positive angles look.
SIDES = {"yaw": ("right", "left"), "pitch": ("down", "up")}
# Verdict -> what its score says of a face.
_SCORES = {
    "misaligned": "{:.1f} times the error that is allowed",
    "cut off": "{:.0%} of the face lie outside of the frame",
    "obstructed": "hidden by the mask: {:.0%} of the face",
    "blurred": "{:.0%} of the usual sharpness",
    "too dark": "brightness {:.0f} of 255",
    "too bright": "brightness {:.0f} of 255",
    "low contrast": "contrast {:.0f} of 255",
    "duplicate": "one of {:.0f} pictures that show the same; the sharpest stays",
}


def score_sentence(verdict: str, score: float, mask: str = "") -> str:
    """What the score of a verdict says; empty where it says nothing. mask: where the face's mask comes from."""
    if verdict == "another person":
        # A cosine, which may be negative.
        return f"{max(score, 0):.0%} like the person that most faces show"
    sentence = _SCORES.get(verdict, "").format(score)
    return f"{sentence} ({mask} mask)" if verdict == "obstructed" else sentence


def gap_sentence(gap: Gap) -> str:
    """A gap in words; left and right are those of the picture."""
    frames = f"{gap.needed} frame{'s' * (gap.needed != 1)}"
    there = f"{gap.there or 'no'} face{'s' * (gap.there != 1)}"
    where = [looks(axis, ends) for axis, ends in (("yaw", gap.yaw), ("pitch", gap.pitch)) if ends]
    return f"dst looks {' and '.join(where)} in {frames}; src has {there} there"


def looks(axis: str, ends: tuple[int, int]) -> str:
    """``left by 30 to 45 degrees``: where a face of these angles looks, as one sees it on the picture.

    axis: yaw or pitch. ends: low and high in degrees, on one side of 0.
    """
    side = SIDES[axis][ends[0] >= 0]
    near, far = sorted(map(abs, ends))
    return f"{side} by {near} to {far} degrees" if near else f"{side} by less than {far} degrees"


def remarks(verdicts: Verdicts) -> tuple[str, ...]:
    """What could not be judged, in sentences."""
    if not verdicts.without_mask:
        return ()
    return (
        f"the masks of {verdicts.without_mask} faces are drawn from landmarks, which cannot tell what is in front of a "
        "face: only masks from a network or from labels can",
    )
