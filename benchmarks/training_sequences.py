"""Write the sequences that weights were trained on, beside the weights, so that `evaluate` can tell what they saw.

    python benchmarks/training_sequences.py DATA weights/springs-1.safetensors

`dynaprot train` writes this file by itself; weights that were trained before it did need this script. DATA holds the
prepared folders of the configuration `default`. Of each source, all proteins count that the configuration selects and
whose cluster the header of the weights lists as trained on: also those that a random draw (``max_proteins``) left out,
which are relatives of the others. A member saw all clusters but those that the header says were held out from it.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from dynaprot.datasets.training_sequences import TrainingSequences, sequences_path
from dynaprot.network.weights import load_weights
from dynaprot.training.configuration import read_configuration
from dynaprot.training.examples import load_examples


def main() -> None:
    """Read the command line, select the proteins, write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("weights", type=Path)
    arguments = parser.parse_args()
    header = load_weights(arguments.weights).metadata
    held_out, trained = header["held_out_clusters"], set(header["trained_clusters"])
    found = [
        example
        for source in read_configuration("default").source
        for example in load_examples(replace(source, max_proteins=0), arguments.data)
        if example.cluster in trained
    ]
    missing = trained - {example.cluster for example in found}
    if missing:
        raise SystemExit(f"{arguments.data}: has no protein of the clusters {sorted(missing)}, which were trained on.")
    sequences = TrainingSequences.of(
        (example.structure, example.cluster, number)
        for example in found
        for number, clusters in enumerate(held_out)
        if example.cluster not in clusters
    )
    path = sequences_path(arguments.weights)
    sequences.save(path)
    print(f"{path}: {len(sequences.records)} chains, {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
