"""What the figures say, in sentences, and what might be done next. Nothing here decides anything."""

from collections.abc import Mapping, Sequence

from core.quality.figures import Change, Figure

# What is taken for good: shares of what the faces themselves do, and steps that an eye hardly sees.
_FOLLOWS, _LIKE, _SHARP, _STEP, _AREA = 0.35, 0.6, 0.75, 6.0, 0.9


def sentences(found: Mapping[str, Figure], beside: Mapping[str, float]) -> list[str]:
    """One for each thing that was measured."""
    made = [
        _identity(found, beside),
        _follows(found, beside, "eyes", "eyes follow", "target_eyes_move"),
        _follows(found, beside, "mouth", "the mouth follows", "target_mouth_moves"),
        _pose(found),
        _sharpness(found),
        _mask(found),
        _color(found),
        _flicker(found),
        _rebuilt(found),
    ]
    return [text for text in made if text]


def way_to_source(found: Mapping[str, Figure], beside: Mapping[str, float]) -> float | None:
    """How far the swaps are from the target's person (0) to the source's own (1); None where that cannot be said."""
    here, whole = beside.get("target_identity"), beside.get("source_identity")
    if "identity" not in found or here is None or whole is None or whole - here < 0.1:
        return None
    return (found["identity"].mean - here) / (whole - here)


def _identity(found: Mapping[str, Figure], beside: Mapping[str, float]) -> str:
    way = way_to_source(found, beside)
    if "identity" not in found:
        return ""
    if way is None:
        return "likeness: both sides look like one person to the network, which cannot tell the swap from them"
    nearer = "nearer to the source" if found["identity"].mean > 0 else "nearer to the target still"
    own = beside.get("source_likeness", 1.0)
    return (
        f"likeness: {_percent(way)} of the way from the target to the source, {nearer} "
        f"({found['identity_src'].mean:.2f} like the source, whose own pictures are {own:.2f} alike)"
    )


def _follows(found: Mapping[str, Figure], beside: Mapping[str, float], key: str, what: str, movement: str) -> str:
    if key not in found:
        return ""
    figure = found[key]
    text = f"{what} within {figure.metric.text(figure.mean)}"
    moves = beside.get(movement)
    return text if moves is None else f"{text} (the target's move by {figure.metric.text(moves)})"


def _pose(found: Mapping[str, Figure]) -> str:
    if "seen" in found and "points" not in found:
        return "expression: too few swaps are seen as faces to measure it; train on"
    if "points" not in found:
        return ""
    points, pose = found["points"], found["pose"]
    return f"features sit within {points.metric.text(points.mean)}, the head within {pose.metric.text(pose.mean)}"


def _sharpness(found: Mapping[str, Figure]) -> str:
    if "sharpness" not in found:
        return ""
    share = found["sharpness"].mean
    word = "softer" if share < 1 else "harsher"
    return f"skin is {_percent(abs(1 - share))} {word} than the source, at the model's resolution"


def _mask(found: Mapping[str, Figure]) -> str:
    if "mask_area" not in found:
        return ""
    area = found["mask_area"].mean
    size = (
        "as large as"
        if abs(area - 1) < 0.03
        else f"{_percent(abs(1 - area))} {'smaller' if area < 1 else 'larger'} than"
    )
    return f"what is pasted is {size} the target's mask (IoU {found['mask_iou'].mean:.2f})"


def _color(found: Mapping[str, Figure]) -> str:
    if "edge" not in found:
        return ""
    after = f", {found['edge_merged'].mean:.1f} after merging's colour transfer" if "edge_merged" in found else ""
    return f"colours step by {found['edge'].mean:.1f} Lab at the mask's edge{after} (2 is hardly seen)"


def _flicker(found: Mapping[str, Figure]) -> str:
    if "flicker" not in found:
        return ""
    share = found["flicker"].mean
    return f"from frame to frame the swap changes {_percent(share)} as much as the target"


def _rebuilt(found: Mapping[str, Figure]) -> str:
    sides = [
        f"{side} SSIM {found[f'{key}_ssim'].mean:.2f}"
        for key, side in (("src", "source"), ("dst", "target"))
        if f"{key}_ssim" in found
    ]
    return f"rebuilt faces: {', '.join(sides)} (1 is perfect)" if sides else ""


def advice(found: Mapping[str, Figure], beside: Mapping[str, float], options: Mapping[str, object]) -> list[str]:
    """What might be worth a try next. options: of the model, as far as they are known."""
    way = way_to_source(found, beside)
    said = []
    follows = [
        found[key].mean < _FOLLOWS * beside[moves]
        for key, moves in (("eyes", "target_eyes_move"), ("mouth", "target_mouth_moves"))
        if key in found and beside.get(moves, 0) > 0.01
    ]
    if "points" not in found or (way is not None and way < _LIKE) or not all(follows):
        said.append("likeness and expression still grow: go on with the present phase, and compare again")
    elif found["sharpness"].mean < _SHARP and options.get("random_warp"):
        said.append("likeness and expression are there, skin is soft: a phase with --no-random-warp may be next")
    elif found["sharpness"].mean < _SHARP and options.get("lr_dropout") == "n":
        said.append("skin is soft without warp: --lr-dropout y, or a lower --learning-rate, may be next")
    elif found["sharpness"].mean < _SHARP:
        said.append("skin is soft: a short last phase with --gan-power 0.1 after a backup, or a higher resolution")
    if "mask_area" in found and found["mask_area"].mean < _AREA:
        said.append("the pasted area is small: look at the masks of both sides (bash scripts/5.x_mask_report_dst.sh)")
    if "edge_merged" in found and found["edge_merged"].mean > _STEP:
        said.append("colours step even after the transfer: --ct-mode rct in training brings the sides together")
    return said


def compared(found: Sequence[Change]) -> list[str]:
    """What two models differ by beyond chance, the better ones first; and what is the same."""
    lines = []
    for verdict in ("better", "worse"):
        for change in found:
            if change.verdict == verdict:
                lines.append(f"{verdict}: {change_text(change)}")
    same = [change.metric.title for change in found if change.verdict == "the same"]
    if same:
        lines.append(f"no difference beyond chance: {', '.join(same)}")
    return lines


def change_text(change: Change) -> str:
    metric = change.metric
    return (
        f"{metric.title} {metric.text(change.before)} -> {metric.text(change.after)} "
        f"({change.better} faces better, {change.worse} worse)"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
