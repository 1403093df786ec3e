#!/usr/bin/env python3
"""Refrain, Keras and PyTorch train the same networks on one machine, in turn.

    REFRAIN_MNIST_DIR=... python3 trainer/benches/peers.py

MNIST read row by row, one recurrent layer of 64 units, batch normalisation of its last state, ten logits; batches of 64,
plain SGD, two threads; whole epochs with all that a framework does to its data, and no validation. Each runs in a process
of its own, in rounds, so that what else the machine does falls on all of them alike; printed are the best epoch of each
and the ratios.

Each peer trains twice. First as its guides do it: Keras by `fit` on arrays, PyTorch in a plain loop. Then tuned, in the
fastest of several ways (see `KERAS` and `TORCH`), found in a round of its own. Both are given images that are floats
already, and no metrics. Refrain begins each epoch from bytes, and counts accuracies.

The first run makes a virtual environment below `target/` and installs the pinned packages there. Needs Python 3.10 or
later with `venv`, some gigabytes of disk, a C++ compiler for `torch.compile`, and MNIST's two training files in the folder
named by REFRAIN_MNIST_DIR.
"""

import argparse
import gzip
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
PACKAGES = ["tensorflow-cpu==2.21.0", "numpy==2.4.6"]
TORCH_VERSION = "2.15.0"

CELLS = ["simple-rnn", "lstm", "gru"]
ROWS, INPUTS, UNITS, CLASSES, BATCH, LEARNING_RATE = 28, 28, 64, 10, 64, 0.01

# Ways to train, by name. The first is the guides'; the fastest is found by trying.
KERAS = {
    "fit on arrays": {},
    "tf.data": {"pipeline": True},
    "tf.data, unrolled": {"pipeline": True, "unroll": True},
    "tf.data, XLA": {"pipeline": True, "jit": True},
}
TORCH = {
    "eager": {},
    "eager, time first": {"time_first": True},
    "torch.compile": {"compiled": True},
}
# Least ratios of samples a second that the project asks of itself, beside what users of a peer do by default.
BARS = {
    ("simple-rnn", "PyTorch"): 2.0,
    ("lstm", "PyTorch"): 1.5,
    ("lstm", "Keras"): 5.0,
    ("gru", "PyTorch"): 4.0,
}


def main():
    options = arguments()
    if options.child:
        print(json.dumps(CHILDREN[options.child](options)))
        return
    training_files()
    python = environment()
    refrain = build()
    machine(options)
    rates = rounds(options, python, refrain)
    table(options, rates)
    memory(options, refrain)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often each framework has its turn")
    parser.add_argument("--epochs", type=int, default=2, help="epochs in a turn, after one to warm up")
    parser.add_argument("--samples", type=int, default=60_000, help="training images of an epoch")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=CELLS)
    for hidden in ["--child", "--cell", "--way"]:
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    return parser.parse_args()


# The data


def training_files():
    """The paths of MNIST's training images and labels."""
    folder = os.environ.get("REFRAIN_MNIST_DIR")
    if not folder:
        sys.exit("REFRAIN_MNIST_DIR is not set; it must name the folder with MNIST's train-images-idx3-ubyte and "
                 "train-labels-idx1-ubyte, plain or .gz")
    paths = []
    for name in ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"]:
        found = [path for path in [Path(folder, name), Path(folder, name + ".gz")] if path.exists()]
        if not found:
            sys.exit(f"{folder}: neither {name} nor {name}.gz is there; REFRAIN_MNIST_DIR must name a folder with MNIST")
        paths.append(found[0])
    return paths


def mnist(samples):
    """Images as floats `[samples, 28, 28]` from 0 to 1, and labels `[samples]`."""
    import numpy

    def read(path, header):
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            return numpy.frombuffer(file.read(), numpy.uint8, offset=header)

    images, labels = training_files()
    images = read(images, 16).reshape(-1, ROWS, INPUTS)[:samples]
    return images.astype(numpy.float32) / 255, read(labels, 8)[:samples].astype(numpy.int64)


# The peers, each in a process of its own


def keras_child(options):
    import keras
    import tensorflow

    tensorflow.config.threading.set_intra_op_parallelism_threads(options.threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(options.threads)
    way = KERAS[options.way]
    layer = {"simple-rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[options.cell]
    model = keras.Sequential([
        keras.Input((ROWS, INPUTS)),
        layer(UNITS, unroll=way.get("unroll", False)),
        keras.layers.BatchNormalization(),
        keras.layers.Dense(CLASSES),
    ])
    model.compile(
        keras.optimizers.SGD(LEARNING_RATE),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=way.get("jit", False),
        steps_per_execution=32 if way.get("pipeline") else 1,
    )
    images, labels = mnist(options.samples)
    if way.get("pipeline"):
        data = tensorflow.data.Dataset.from_tensor_slices((images, labels))
        data = data.shuffle(len(images)).batch(BATCH, drop_remainder=True).prefetch(tensorflow.data.AUTOTUNE)
        epoch = lambda: model.fit(data, verbose=0)
    else:
        epoch = lambda: model.fit(images, labels, batch_size=BATCH, verbose=0)
    return timed(options, epoch)


def torch_child(options):
    import torch

    torch.set_num_threads(options.threads)
    way = TORCH[options.way]
    batch_first = not way.get("time_first", False)
    layer = {"simple-rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[options.cell]

    class Reader(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = layer(INPUTS, UNITS, batch_first=batch_first)
            self.norm = torch.nn.BatchNorm1d(UNITS, eps=1e-3, momentum=0.01)
            self.dense = torch.nn.Linear(UNITS, CLASSES)

        def forward(self, x):
            states, _ = self.cell(x)
            return self.dense(self.norm(states[:, -1] if batch_first else states[-1]))

    model = Reader()
    optimizer = torch.optim.SGD(model.parameters(), LEARNING_RATE)
    loss_of = torch.nn.CrossEntropyLoss()
    images, labels = map(torch.from_numpy, mnist(options.samples))
    if not batch_first:
        images = images.transpose(0, 1).contiguous()

    def step(x, y):
        loss = loss_of(model(x), y)
        loss.backward()
        return loss

    if way.get("compiled"):
        step = torch.compile(step)

    def epoch():
        order = torch.randperm(len(labels))
        for start in range(0, len(labels) - BATCH + 1, BATCH):
            indices = order[start:start + BATCH]
            optimizer.zero_grad(set_to_none=True)
            step(images.index_select(0 if batch_first else 1, indices), labels[indices])
            optimizer.step()

    return timed(options, epoch)


def timed(options, epoch):
    """Samples a second of each epoch but the first, which traces, compiles and fills caches."""
    epoch()
    rates = []
    for _ in range(options.epochs):
        start = time.perf_counter()
        epoch()
        rates.append(options.samples // BATCH * BATCH / (time.perf_counter() - start))
    return {"rates": rates, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


CHILDREN = {"Keras": keras_child, "PyTorch": torch_child}


def run_peer(options, python, peer, cell, way, **changed):
    """What a peer's process prints, or `None` where this way does not work here."""
    values = {"rounds": 1, "epochs": options.epochs, "samples": options.samples, "threads": options.threads} | changed
    command = [python, __file__, "--child", peer, "--cell", cell, "--way", way]
    for name, value in values.items():
        command += [f"--{name}", str(value)]
    threads = str(options.threads)
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "KERAS_BACKEND": "tensorflow"}
    limits = {name: threads for name in ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS",
                                         "TF_NUM_INTEROP_THREADS"]}
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **quiet, **limits})
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        note(f"{peer}, {cell}, {way}: does not run here ({reason[:160]})")
        return None
    return json.loads(done.stdout.strip().splitlines()[-1])


# Refrain


def build():
    """The program that trains as `refrain train` does and tells how long each epoch took."""
    command = ["cargo", "build", "--release", "--quiet", "-p", "refrain-trainer", "--example", "epochs"]
    subprocess.run(command, cwd=ROOT, check=True)
    return TARGET / "release" / "examples" / "epochs"


def run_refrain(options, refrain, cell, *more):
    command = [refrain, cell, "--epochs", options.epochs + 1, "--threads", options.threads, "--samples",
               options.samples, *more]
    done = subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


# The comparison


def rounds(options, python, refrain):
    """`{(cell, name): [turns]}`, the peers by the first of their ways and by the fastest."""
    ways = {}
    for cell in options.cells:
        for peer, known in [("Keras", KERAS), ("PyTorch", TORCH)]:
            tried = {}
            for way in known:
                found = run_peer(options, python, peer, cell, way, samples=min(options.samples, 200 * BATCH), epochs=2)
                if found:
                    tried[way] = max(found["rates"])
                    note(f"{peer}, {cell}, {way}: {tried[way]:,.0f} samples/s")
            first = next(iter(known))
            if first not in tried:
                sys.exit(f"{peer} trains no {cell} here; see the messages above")
            ways[cell, peer] = first
            ways[cell, tuned(peer)] = max(tried, key=tried.get)
    turns = {}
    for number in range(1, options.rounds + 1):
        for cell in options.cells:
            results = {"Refrain": run_refrain(options, refrain, cell)}
            results["Refrain"]["rates"] = results["Refrain"]["rates"][1:]
            for peer in CHILDREN:
                results[peer] = run_peer(options, python, peer, cell, ways[cell, peer])
                same = ways[cell, tuned(peer)] == ways[cell, peer]
                results[tuned(peer)] = results[peer] if same else run_peer(options, python, peer, cell,
                                                                           ways[cell, tuned(peer)])
            for name, result in results.items():
                if result:
                    way = {"way": ways[cell, name]} if (cell, name) in ways else {}
                    turns.setdefault((cell, name), []).append(result | way)
            told = ", ".join(f"{name} {max(result['rates']):,.0f}" for name, result in results.items() if result)
            note(f"round {number}, {cell}: {told} samples/s")
    return turns


def tuned(peer):
    return f"{peer}, tuned"


PEERS = [name for peer in CHILDREN for name in [peer, tuned(peer)]]


def table(options, turns):
    gemm = max(turn["gemm_gflops"] for cell in options.cells for turn in turns[cell, "Refrain"])
    print(f"\nBest epoch of {options.rounds} rounds of {options.epochs}, samples a second; the median in brackets\n")
    print("| | " + " | ".join(options.cells) + " |\n|" + " --- |" * (len(options.cells) + 1))
    best = {}
    for name in ["Refrain", *PEERS]:
        cells = []
        for cell in options.cells:
            rates = [rate for turn in turns[cell, name] for rate in turn["rates"]]
            best[cell, name] = max(rates)
            cells.append(f"{max(rates):,.0f} ({statistics.median(rates):,.0f})")
        print(f"| {name} | " + " | ".join(cells) + " |")
    for peer in PEERS:
        ratios = []
        for cell in options.cells:
            ratio, bar = best[cell, "Refrain"] / best[cell, peer], BARS.get((cell, peer))
            told = f", at least {bar:g} asked: {'yes' if ratio >= bar else 'NO'}" if bar else ""
            ratios.append(f"{ratio:.2f}{told}")
        print(f"| Refrain / {peer} | " + " | ".join(ratios) + " |")
    for peer in PEERS:
        print(f"| {peer}: by | " + " | ".join(turns[cell, peer][0]["way"] for cell in options.cells) + " |")
    shares = []
    for cell in options.cells:
        flop = turns[cell, "Refrain"][0]["flop_per_sample"]
        rate = best[cell, "Refrain"] * flop * 1e-9
        shares.append(f"{rate:.0f} GFLOP/s, {rate / gemm:.0%} ({flop / 1e6:.2f} MFLOP a sample)")
    print("| Refrain's arithmetic | " + " | ".join(shares) + " |")
    print(f"\nThe machine's rate of large products, the same back end and threads: {gemm:.0f} GFLOP/s.")
    print("FLOP a sample: gates·units·(6·(timesteps - 1)·units + 4·timesteps·inputs) + 6·units·classes, which is the "
          "products alone: forward, by the states and by the weights.")
    for name in ["Refrain", *PEERS]:
        peaks = [turn["peak_mib"] for cell in options.cells for turn in turns[cell, name]]
        print(f"Peak memory of {name}: {max(peaks):,.0f} MiB.")


def memory(options, refrain):
    print("\nRefrain's resident memory after each epoch, MiB:")
    for repeat in [1, 10]:
        found = run_refrain(options, refrain, options.cells[0], "--repeat", repeat)
        told = " ".join(f"{resident:.0f}" for resident in found["resident_mib"])
        print(f"  {found['samples']:,} images, {found['data_mib']:.0f} MiB of them: {told} (peak {found['peak_mib']:.0f})")


# The machine


def environment():
    """The Python of a virtual environment with the peers, made where there is none."""
    folder = TARGET / "peers"
    python = folder / "bin" / "python"
    ready = folder / "ready"
    wanted = " ".join([*PACKAGES, f"torch=={TORCH_VERSION}"])
    if not (ready.exists() and ready.read_text() == wanted):
        note(f"installing {wanted} into {folder}")
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        install = [python, "-m", "pip", "install", "--quiet"]
        subprocess.run([*install, *PACKAGES], check=True)
        # the build without GPU code, where pip's index has it
        small = subprocess.run([*install, f"torch=={TORCH_VERSION}+cpu"], capture_output=True)
        if small.returncode != 0:
            subprocess.run([*install, f"torch=={TORCH_VERSION}"], check=True)
        ready.write_text(wanted)
    return python


def machine(options):
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{model}, {os.cpu_count()} processors, {platform.system()} {platform.release()}, load {load}")
    print(f"{options.threads} threads, batches of {BATCH}, {UNITS} units, {options.samples:,} images an epoch, SGD")
    print(f"{', '.join(PACKAGES)}, torch=={TORCH_VERSION}", flush=True)


def note(message):
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
