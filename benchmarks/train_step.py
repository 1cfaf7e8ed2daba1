"""How long a training step takes, and what the main thread does for it beside the networks.

usage: python benchmarks/train_step.py [--against FOLDER] [--pairs 3]

96 px, 128/32/32/16, batch 4, float32, and the optimizer's update alone; and at 224 px, batch 12, what it takes to hand
a batch over. ``--against`` is another checkout, measured in turn. CPU time, so that other work on the machine counts
little. Prints JSON and keeps it in benchmarks/results/train_step.json. ``--precisions`` measures the step alone in
float32 and bfloat16, with its seconds on the clock, too, and adds it to the file.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SIZES = {
    "resolution": 96,
    "ae_dims": 128,
    "e_dims": 32,
    "d_dims": 32,
    "d_mask_dims": 16,
    "batch_size": 4,
    "lr_dropout": "y",  # the default has changed
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--against", type=Path)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--precisions", action="store_true")
    given = parser.parse_args()
    part = "precisions" if given.precisions else "all"
    checkouts = {"after": ROOT} | ({"before": given.against} if given.against else {})
    found: dict[str, list[dict]] = {name: [] for name in checkouts}
    for _ in range(given.pairs):
        for name, checkout in checkouts.items():
            found[name].append(child(checkout, part))
            print(name, json.dumps(found[name][-1]), flush=True)
    result: dict = {"cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}
    for name, many in found.items():
        result[name] = {kind: round(statistics.median(one[kind] for one in many), 1) for kind in many[0]}
    path = ROOT / "benchmarks/results/train_step.json"
    if given.precisions:
        result = json.loads(path.read_text()) | {"precisions": result | {"pairs": found}}
    text = json.dumps(result, indent=1)
    path.write_text(text + "\n")
    print(text)


def child(checkout: Path, part: str) -> dict:
    environment = {**os.environ, "PYTHONPATH": str(checkout.resolve()), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, __file__, "--child", part]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, cwd=checkout)
    return json.loads(done.stdout.strip().splitlines()[-1])


def measured() -> dict:
    from core.training.hardware.measure import noise
    from core.training.recipe import Recipe
    from core.training.trainer import Trainer, TrainerSettings

    trainer, batch = Trainer(Recipe(**SIZES), TrainerSettings()), noise(4, 96)
    step = cpu_ms(lambda: trainer.step(batch), 5)
    return {"step_cpu_ms": step, "update_cpu_ms": cpu_ms(update(trainer), 5)} | handing_over()


def precisions() -> dict:
    """CPU and wall-clock milliseconds of a step in both, medians of 7."""
    from core.training.hardware.measure import noise
    from core.training.recipe import Recipe
    from core.training.trainer import Trainer, TrainerSettings

    found = {}
    for precision in ("float32", "bfloat16"):
        trainer, batch = Trainer(Recipe(**SIZES), TrainerSettings(precision=precision)), noise(4, 96)
        cpu, wall = both_ms(lambda trainer=trainer, batch=batch: trainer.step(batch), 7)
        found |= {f"{precision}_cpu_ms": round(cpu, 1), f"{precision}_wall_ms": round(wall, 1)}
    return found


def update(trainer):
    """The optimizer alone, as a graph."""
    import numpy as np
    import tensorflow as tf

    variables = trainer.model.trainable_variables
    draw = np.random.default_rng(0).standard_normal
    gradients = [tf.constant(1e-3 * draw(v.shape, np.float32)) for v in variables]
    step = tf.function(lambda *grads: trainer.optimizer.apply(list(grads), variables))
    return lambda: step(*gradients)


def handing_over() -> dict:
    """A step of a model that does nothing, on a batch of 224 px and 12 samples: the work beside the networks."""
    import inspect

    import keras
    import numpy as np
    from keras import ops

    from core.data.batches import TrainingBatch
    from core.training.hardware.measure import noise
    from core.training.inputs import training_inputs
    from core.training.recipe import Recipe

    class Nothing(keras.Model):
        def __init__(self):
            super().__init__()
            self.weight = self.add_weight(shape=())

        def call(self, x):
            return self.weight * ops.cast(ops.sum(x["warped"][0, 0]), "float32")

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return y_pred

    quick = "exact" in inspect.signature(noise).parameters
    batch = noise(12, 224, exact=False) if quick else noise(12, 224)
    recipe = Recipe(batch_size=12)
    arrays = training_inputs(batch, recipe, 0)
    ahead = "inputs" in TrainingBatch.__dataclass_fields__
    tensors = {name: ops.convert_to_tensor(np.array(array)) for name, array in arrays.items()} if ahead else arrays
    model = Nothing()
    model.compile(optimizer="sgd")
    found = {"main_thread_ms_a_step": cpu_ms(lambda: model.train_on_batch(tensors), 20)}
    found["other_thread_ms_a_step"] = 0.0
    if ahead:
        found["other_thread_ms_a_step"] = cpu_ms(
            lambda: {name: ops.convert_to_tensor(array.copy()) for name, array in arrays.items()}, 20
        )
    return found


def cpu_ms(work, rounds: int) -> float:
    return both_ms(work, rounds)[0]


def both_ms(work, rounds: int) -> tuple[float, float]:
    """(CPU time, wall-clock time) of ``work``, medians."""
    for _ in range(2):
        work()
    cpu, wall = [], []
    for _ in range(rounds):
        start = time.process_time(), time.perf_counter()
        work()
        cpu.append(1000 * (time.process_time() - start[0]))
        wall.append(1000 * (time.perf_counter() - start[1]))
    return statistics.median(cpu), statistics.median(wall)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        print(json.dumps({"all": measured, "precisions": precisions}[sys.argv[2]]()))
    else:
        main()
