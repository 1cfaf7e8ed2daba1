"""Write docs/settings.md from presets and networks: ``python docs/make_settings.py``. A test keeps it up to date."""

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core.networks import archs
from core.networks.builder import Network
from core.networks.shapes import Tracer
from core.options import flag_name
from core.training.hardware.batch_size_finder import size_of
from core.training.recipe import Recipe, config_of, of_new_model
from core.training.schedule import presets
from core.training.settings import TrainerSettings

GIB, FLOAT32 = 2**30, 4  # bytes
# Results that share the memory of what they are made from.
VIEWS = {"channels", "flatten", "unflatten"}
# Measured over counted, for the model of the demo on a CPU: 13 MiB a sample where the count says 11.
BESIDE = 1.25
# What the driver, the framework and the libraries of the GPU take, in GiB.
BASE = 1.0
# How often a network runs in an iteration, in faces for each sample of both sides.
FACES = {"encoder": 2, "inter": 2, "inter_AB": 2, "inter_B": 1, "decoder": 2, "decoder_src": 1, "decoder_dst": 1}


@dataclass(frozen=True)
class Start:
    """Settings to begin with on a card of so many GB."""

    card: int
    options: dict[str, Any]

    @property
    def recipe(self) -> Recipe:
        return of_new_model(self.options, "SAEHD")


STARTS = (
    Start(6, {"resolution": 128, "archi": "liae-ud", "ae_dims": 256, "d_mask_dims": 22, "batch_size": 16}),
    Start(8, {"resolution": 192, "archi": "liae-ud", "ae_dims": 256, "d_mask_dims": 22, "batch_size": 12}),
    Start(12, {"resolution": 224, "archi": "liae-udt", "ae_dims": 512, "d_mask_dims": 32, "batch_size": 12}),
    Start(16, {"resolution": 256, "archi": "liae-udt", "ae_dims": 384, "d_mask_dims": 32, "batch_size": 16}),
    Start(24, {"resolution": 320, "archi": "liae-udt", "ae_dims": 384, "d_mask_dims": 32, "batch_size": 16}),
)

HEAD = """# Settings to begin with

Made from the code by `python docs/make_settings.py`; do not edit.

## By the memory of the card

**These rows are estimates: none of them has been tried on a card of that size.** They are places to begin, not promises. Measure with `--fit` before
you train for days: see below.
"""

MEANING = """
* *Weights and moments*: the weights, and the two numbers that the optimizer keeps for each of them. This is counted exactly from the networks; no batch
  size makes it smaller. All else comes on top.
* *A sample*: what one more sample of the batch adds, which are the results of all layers for one face of each side, which training keeps until the weights
  have moved. It is counted from the networks, times {beside:.2f} for what comes beside them. (For the model of the demo on a CPU the count is 11 MiB, and 13 were measured.)
* *In all*: weights and moments, the gradients (as large as the weights), the batch, and {base:.0f} GiB for driver and libraries.

A model with `--gan-power` or `--true-face-power` has more networks and needs more: leave room for the phases that use them, or lower `--batch-size` there.
`--precision bfloat16` (cards from 2020 on) or `float16` about halves the part that *a sample* stands for. A monitor on the card takes some of its memory, too.

## Measure

```
bash scripts/5_train.sh --fit --model trial --resolution 224 --archi liae-udt --ae-dims 512
```

prints a line for each batch size that fits: memory, milliseconds, samples a second. It needs no faces, trains nothing and writes no model. It ends where
memory ends, or where the next size would take long to measure. Ctrl-C ends it earlier: the lines that are printed stay true. On a CPU it takes minutes.

Take a batch size that leaves a tenth of the memory free. When memory ends later on, training stops with exit code 5 and names what to change.

## The presets

`bash scripts/5_train.sh --preset NAME` takes options and phases from one of these files. What you give on the command line wins over them. They are made
for cards with 12 GB or more (`draft`: 6 GB): with less, add a smaller `--batch-size` first, then a smaller `--resolution`.
[Training](training.md) explains phases, and how to write a preset of your own.
"""


def page() -> str:
    rows = [
        "| card | settings | weights and moments (lower bound) | a sample (estimated) | in all (estimated) |",
        "|---|---|---|---|---|",
        *(row(start) for start in STARTS),
    ]
    files = [section(name) for name in presets.NAMES]
    return "\n".join([HEAD, *rows, MEANING.format(beside=BESIDE, base=BASE), *files])


def row(start: Start) -> str:
    flags = " ".join(f"{flag_name(name)} {value}" for name, value in start.options.items())
    figures = estimate(start.recipe)
    cells = [f"{figures.state:.1f} GiB", f"{figures.sample * 1024:.0f} MiB", f"{figures.total:.1f} GiB"]
    return "| " + " | ".join([f"{start.card} GB", f"`{flags}`", *cells]) + " |"


def section(name: str) -> str:
    text = (presets.FOLDER / f"{name}.toml").read_text(encoding="utf-8").strip()
    return f"### {name}\n\n```toml\n{text}\n```\n"


@dataclass(frozen=True)
class Estimate:
    """Memory in GiB. state: of weights and moments, exact. sample: of one more sample of the batch."""

    state: float
    sample: float
    total: float


def estimate(recipe: Recipe) -> Estimate:
    parameters, state = size_of(recipe, TrainerSettings())
    networks = archs.networks(config_of(recipe))
    numbers = sum(FACES[name] * activations(network) for name, network in networks.items())
    sample = BESIDE * FLOAT32 * numbers / GIB
    total = state / GIB + FLOAT32 * parameters / GIB + recipe.batch_size * sample + BASE
    return Estimate(state / GIB, sample, total)


def activations(network: Network) -> int:
    """How many numbers the results of all operations have, for one face."""
    counter = Counter()
    network.build(counter, network.input_shape)  # type: ignore[arg-type]
    return counter.numbers


class Counter:
    """A builder whose values are shapes, and which adds up how many numbers they hold."""

    def __init__(self) -> None:
        self.numbers = 0
        self._tracer = Tracer()

    def __getattr__(self, name: str) -> Callable:
        operation = getattr(self._tracer, name)

        def counted(*arguments: Any, **options: Any) -> Any:
            shape = operation(*arguments, **options)
            self.numbers += 0 if name in VIEWS else math.prod(shape)
            return shape

        return counted


if __name__ == "__main__":
    (Path(__file__).parent / "settings.md").write_text(page(), encoding="utf-8")
