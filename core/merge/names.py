"""The names of modes, masks and colors: ours, DeepFaceLab's and faceswap's, and DeepFaceLab's numbers."""

from core.errors import UsageError, did_you_mean

MODES = ("overlay", "hist-match", "seamless", "seamless-hist-match", "multiband", "original", "raw-rgb", "raw-predict")
COLORS = ("none", "rct", "lct", "mkl", "idt", "sot", "mix", "avg-color", "match-hist", "manual-balance")

# Each table: accepted name -> ours. A name of ours is always accepted.
MODE_NAMES = {name: name for name in MODES} | {
    "0": "original",
    "1": "overlay",
    "2": "hist-match",
    "3": "seamless",
    "4": "seamless-hist-match",
    "5": "raw-rgb",
    "6": "raw-predict",
    # faceswap's, where it is a color adjustment
    "seamless-clone": "seamless",
}
# Ours always measure colors under the mask, so that names with and without -m mean the same.
COLOR_NAMES = {name: name for name in COLORS} | {
    "0": "none",
    "1": "rct",
    "2": "lct",
    "3": "mkl",
    "4": "mkl",
    "5": "idt",
    "6": "idt",
    "7": "sot",
    "8": "mix",
    "mkl-m": "mkl",
    "idt-m": "idt",
    "sot-m": "sot",
    "mix-m": "mix",
    "color-transfer": "rct",
}
# To expressions of core.merge.expressions.
MASK_NAMES = {
    "0": "full",
    "1": "hull",
    "2": "learned_prd",
    "3": "learned_dst",
    "4": "learned_prd * learned_dst",
    "5": "learned_prd + learned_dst",
    "6": "xseg_prd",
    "7": "xseg_dst",
    "8": "xseg_prd * xseg_dst",
    "9": "learned_prd * learned_dst * xseg_prd * xseg_dst",
    "full": "full",
    "dst": "hull",
    "learned-prd": "learned_prd",
    "learned-dst": "learned_dst",
    "learned-prd*learned-dst": "learned_prd * learned_dst",
    "learned-prd+learned-dst": "learned_prd + learned_dst",
    "XSeg-prd": "xseg_prd",
    "XSeg-dst": "xseg_dst",
    "XSeg-prd*XSeg-dst": "xseg_prd * xseg_dst",
    "learned-prd*learned-dst*XSeg-prd*XSeg-dst": "learned_prd * learned_dst * xseg_prd * xseg_dst",
    # faceswap's
    "none": "full",
    "predicted": "learned_prd",
    "components": "components",
    "extended": "extended",
    "bisenet-fp_face": "bisenet_fp_face",
    "bisenet-fp_head": "bisenet_fp_head",
    "custom_face": "custom_face",
    "custom_head": "custom_head",
    "unet-dfl": "unet_dfl",
    "vgg-clear": "vgg_clear",
    "vgg-obstructed": "vgg_obstructed",
}


def mode_name(name: str) -> str:
    """Our name of a mode.

    Raises:
        UsageError: there is no such mode.
    """
    return _known("mode", name, MODE_NAMES)


def color_name(name: str) -> str:
    """Our name of a color transfer.

    Raises:
        UsageError: there is none such, or it is a mode here.
    """
    if name == "seamless-clone":
        raise UsageError("seamless-clone is a mode here", where=name, hint="choose the mode seamless, and any color")
    return _known("color transfer", name, COLOR_NAMES)


def mask_expression(name: str) -> str:
    """The expression of a mask's name; what is no name in the table is an expression already."""
    return MASK_NAMES.get(name.strip(), name)


def _known(what: str, name: str, table: dict[str, str]) -> str:
    found = table.get(name.strip())
    if found is None:
        hint = did_you_mean(name, table) or f"one of {', '.join(sorted(set(table.values())))}"
        raise UsageError(f"unknown {what}", where=name[:60], hint=hint)
    return found
