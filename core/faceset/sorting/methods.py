"""The sort methods as one table.

A method that is more than one score of each face has its function in ``algorithms.py``. Nothing heavy is imported here,
so that a command line can list the methods at once.
"""

from dataclasses import dataclass

from core.errors import UsageError, did_you_mean


@dataclass(frozen=True)
class Method:
    """A way to order a faceset.

    name: as typed after ``--by``.
    help: one sentence.
    number: in the menu of the original program, or None.
    aliases: names that people know from elsewhere.
    column: the score of each face that it orders by; "" for what ``algorithms.py`` does.
    descending: the largest score first.
    faces_only: images without face metadata are rejected, not put last.
    zero_is: why faces whose score is 0 are rejected; "" keeps them.
    angle: the score is in radians, shown in degrees.
    """

    name: str
    help: str
    number: int | None = None
    aliases: tuple[str, ...] = ()
    column: str = ""
    descending: bool = True
    faces_only: bool = True
    zero_is: str = ""
    angle: bool = False


METHODS = (
    Method(
        "blur",
        "Sharpness of the face (CPBD), sharpest first.",
        number=0,
        column="cpbd",
        zero_is="no sharpness to measure",
    ),
    Method(
        "motion-blur",
        "Motion blur: variance of the Laplacian, sharpest first.",
        number=1,
        column="motion_blur",
        zero_is="no detail at all",
    ),
    Method(
        "yaw",
        "Where the nose points, from the left of the picture to the right.",
        number=2,
        aliases=("face-yaw",),
        column="yaw",
        angle=True,
    ),
    Method(
        "pitch",
        "From looking up to looking down.",
        number=3,
        aliases=("face-pitch",),
        column="pitch",
        angle=True,
    ),
    Method(
        "rect-size",
        "Size of the face in its frame (the detector's box), largest first.",
        number=4,
        aliases=("face-source-rect-size",),
        column="rect_area",
    ),
    Method("hist", "Histogram similarity: each picture is followed by the one most like it.", number=5),
    Method("hist-dissim", "Histogram dissimilarity: the most unusual pictures first.", number=6),
    Method("brightness", "Mean brightness, brightest first.", number=7, column="brightness", faces_only=False),
    Method("hue", "Mean hue, highest first.", number=8, column="hue", faces_only=False),
    Method(
        "black",
        "Amount of black, least first.",
        number=9,
        column="black",
        descending=False,
        faces_only=False,
    ),
    Method(
        "origname",
        "Original file name: the way back to the order of the film.",
        number=10,
        aliases=("original-name",),
    ),
    Method("oneface", "One face in a frame: frames with several faces go to the trash whole.", number=11),
    Method(
        "absdiff",
        "Absolute pixel difference: each picture is followed by the nearest one (--no-similar: the farthest).",
        number=12,
    ),
    Method(
        "best",
        "Best faces: keeps --count faces, spread over yaw and pitch, the sharpest of each.",
        number=13,
        aliases=("final", "best-faces", "final-by-blur"),
    ),
    Method(
        "best-fast",
        "Best faces faster: the same with the size in the frame in place of sharpness.",
        number=14,
        aliases=("final-fast", "best-faces-faster", "final-by-size"),
    ),
    Method(
        "alignment",
        "Alignment error: landmarks far from any face, eyes below the mouth, a picture unlike the others; best first.",
        aliases=("alignment-error",),
    ),
    Method(
        "black-pixels",
        "Share of fully black pixels, least first: faces at the border of their frame come last.",
        aliases=("color-black",),
        column="black_share",
        descending=False,
        faces_only=False,
    ),
    Method("blur-fft", "High frequencies of the face at 256 px, sharpest first.", column="blur_fft"),
    Method("blur-laplacian", "Laplacian variance of the face at 256 px, sharpest first.", column="laplacian"),
    Method("contrast", "Contrast inside the face, strongest first.", column="contrast"),
    Method(
        "cut-off",
        "Share of the face beyond the border of its frame, least first.",
        column="cut_off",
        descending=False,
    ),
    Method(
        "distance",
        "Distance of the landmarks from the average face, most ordinary first: bad alignments come last.",
        column="distance",
        descending=False,
    ),
    Method(
        "duplicates",
        "Near-duplicates: groups of pictures that show the same first, the largest groups first, the rest by name.",
        aliases=("near-duplicate",),
    ),
    Method(
        "exposure",
        "Brightness inside the face, brightest first: overexposed faces are first, underexposed ones last.",
        column="luma_face",
    ),
    Method(
        "gray",
        "Mean grey (luminance), brightest first.",
        aliases=("color-gray",),
        column="gray",
        faces_only=False,
    ),
    Method("green", "Color: from green to magenta.", aliases=("color-green",), column="green", faces_only=False),
    Method("identity", "Likeness to the main person, most alike first: other people come last.", aliases=("face",)),
    Method("luma", "Color: mean luma, brightest first.", aliases=("color-luma",), column="luma", faces_only=False),
    Method(
        "obstruction",
        "Share of the face that its mask hides, least first; faces without a mask come last.",
        column="obstruction",
        descending=False,
    ),
    Method("orange", "Color: from orange to blue.", aliases=("color-orange",), column="orange", faces_only=False),
    Method(
        "persons",
        "Person by person, the one with most faces first; within a person the most typical faces first.",
        aliases=("clusters",),
    ),
    Method(
        "roll",
        "Roll of the head in the aligned picture: faces that are not level are first and last.",
        column="roll",
        angle=True,
    ),
    Method("size", "Edge of the face square in its frame, from the landmarks, largest first.", column="size"),
    Method("tilt", "Turn of the head in its frame, clockwise first.", column="tilt", angle=True),
)


def find(text: str) -> Method:
    """The method of this name, alias or number.

    Raises:
        UsageError: there is none.
    """
    wanted = text.strip().lower().replace("_", "-")
    for method in METHODS:
        if wanted in (method.name, str(method.number), *method.aliases):
            return method
    close = did_you_mean(wanted, [name for method in METHODS for name in (method.name, *method.aliases)])
    raise UsageError("unknown sort method", where=text, why=close, hint=f"one of {listing()}")


def listing() -> str:
    """All methods in one line, with their numbers in front."""
    return ", ".join(numbered_name(method) for method in METHODS)


def numbered_name(method: Method) -> str:
    """The name, after its number where it has one."""
    return method.name if method.number is None else f"{method.number} {method.name}"
