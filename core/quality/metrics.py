"""What is measured of a model, as data: name, unit, and which way is better."""

from dataclasses import dataclass
from typing import Literal

# Counts up when a figure is taken another way: figures of two versions are not to be compared.
VERSION = 1


@dataclass(frozen=True)
class Metric:
    """A figure of every face.

    key: in files. title: for people. unit: of a value, after it was multiplied by ``scale``. digits: after the point.
    better: whether more, less, or nearer to 1 is better; or that all up to 1 is as good.
    least: a smaller difference of two models is none, however sure it is.
    of: of which faces there are values: ``src``, ``dst`` (target faces and their swaps), ``run`` (frames in a row).
    group: what it is about.
    """

    key: str
    title: str
    better: Literal["more", "less", "near 1", "at most 1"]
    of: Literal["src", "dst", "run"]
    group: Literal["reconstruction", "identity", "expression", "mask", "sharpness", "colour", "flicker"]
    least: float
    unit: str = ""
    scale: float = 1.0
    digits: int = 3

    def loss(self, value: float) -> float:
        """The value turned so that less is better."""
        if self.better == "near 1":
            return abs(value - 1)
        if self.better == "at most 1":
            return max(value - 1, 0.0)
        return -value if self.better == "more" else value

    def text(self, value: float) -> str:
        """The value for people, with its unit."""
        return f"{value * self.scale:.{self.digits}f}{self.unit}"


METRICS = (
    Metric("src_ssim", "source rebuilt: SSIM", "more", "src", "reconstruction", 0.005),
    Metric("src_psnr", "source rebuilt: PSNR", "more", "src", "reconstruction", 0.1, " dB", digits=1),
    Metric("dst_ssim", "target rebuilt: SSIM", "more", "dst", "reconstruction", 0.005),
    Metric("dst_psnr", "target rebuilt: PSNR", "more", "dst", "reconstruction", 0.1, " dB", digits=1),
    Metric("identity", "likeness to the source minus that to the target", "more", "dst", "identity", 0.01, digits=2),
    Metric("identity_src", "likeness to the source", "more", "dst", "identity", 0.01, digits=2),
    Metric("seen", "the swap is seen as a face", "more", "dst", "expression", 0.02, " %", 100, 0),
    Metric("eyes", "eyes' opening off by", "less", "dst", "expression", 0.002, " % of an eye's width", 100, 1),
    Metric("mouth", "mouth's opening off by", "less", "dst", "expression", 0.005, " % of the mouth's width", 100, 1),
    Metric("points", "features off by", "less", "dst", "expression", 0.001, " % of the face's width", 100, 1),
    Metric("pose", "head turned otherwise by", "less", "dst", "expression", 0.1, " degrees", digits=1),
    Metric("mask_iou", "agreement with the target's mask (IoU)", "more", "dst", "mask", 0.005),
    Metric("mask_area", "area against the target's mask", "near 1", "dst", "mask", 0.01, " %", 100, 0),
    Metric("sharpness", "detail against the source's", "near 1", "dst", "sharpness", 0.02, " %", 100, 0),
    Metric("edge", "colour step at the mask's edge", "less", "dst", "colour", 0.3, " Lab", digits=1),
    Metric("edge_merged", "the same after merging's colour transfer", "less", "dst", "colour", 0.3, " Lab", digits=1),
    Metric(
        "flicker",
        "change from frame to frame against the target's own",
        "at most 1",
        "run",
        "flicker",
        0.03,
        " %",
        100,
        0,
    ),
)
BY_KEY = {metric.key: metric for metric in METRICS}
