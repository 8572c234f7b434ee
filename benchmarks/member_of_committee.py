"""Write one network of a committee as weights of its own, which never saw the clusters held out from it.

python benchmarks/member_of_committee.py springs-2 0 out/springs-2-member-0.safetensors
"""

from __future__ import annotations

import sys
from pathlib import Path

from dynaprot.datasets.training_sequences import TrainingSequences, sequences_path
from dynaprot.network.weights import find_weights, load_weights, save_weights


def main(model: str, number: int, path: Path) -> None:
    """Write the weights, and beside them the sequences that this member was trained on."""
    found = find_weights(model)
    assert found is not None, f"there is no model '{model}'"
    weights = load_weights(found)
    member = weights.member(number)
    metadata = weights.metadata | {
        "name": path.stem,
        "held_out_clusters": [weights.metadata["held_out_clusters"][number]],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    save_weights(path, member.architecture, member.tensors, metadata)
    TrainingSequences.load(sequences_path(found)).of_one_member(0, number).save(sequences_path(path))
    print(path, "held out:", metadata["held_out_clusters"][0])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
