"""How long 2000 ellipsoids take in ChimeraX once they are predicted, beside a loop over residues.

    .venv-chimerax/bin/python -m chimerax.core --nogui --exit --script benchmarks/chimerax_ellipsoids.py

The rival makes a shape of each residue by itself with the host's own functions, as ChimeraX's `aniso` command does for
atoms, and neither predicts nor chooses colours.
Only the ratio travels to another machine. The bundle must be installed: `make test-chimerax` does.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from chimerax.atomic import Atoms
from chimerax.atomic.shapedrawing import AtomicShapeDrawing
from chimerax.core.commands import run
from chimerax.geometry.icosahedron import icosahedron_triangulation
from chimerax.surface import calculate_vertex_normals

PROTEASE = Path(sys.prefix) / "share" / "structures" / "1hpv.pdb"
COPIES = 10  # of 198 residues
CHAINS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SMOOTHING = 3


def tiled(path):
    """Write copies of the protease side by side."""
    with open(PROTEASE, encoding="utf-8") as file:
        atoms = [line for line in file if line.startswith("ATOM")]
    x = np.array([float(line[30:38]) for line in atoms])
    with open(path, "w", encoding="utf-8") as file:
        for copy in range(COPIES):
            for line, place in zip(atoms, x + copy * (np.ptp(x) - 4.0), strict=True):
                chain = CHAINS[2 * copy + "AB".index(line[21])]
                file.write(f"{line[:21]}{chain}{line[22:30]}{place:8.3f}{line[38:]}")


def shape_by_shape(calphas, covariances, radius):
    """Draw each residue as a shape of its own in the host's drawing of shapes that know their atoms."""
    sphere, triangles = icosahedron_triangulation(subdivision_levels=SMOOTHING, sphere_factor=1.0)
    shapes = []
    for atom, covariance in zip(calphas, covariances, strict=True):
        _, variances, axes = np.linalg.svd(covariance)
        if np.linalg.det(axes) < 0:
            axes = -axes
        vertices = ((sphere * radius * np.sqrt(variances)) @ axes + atom.coord).astype(np.float32)
        normals = calculate_vertex_normals(vertices, triangles)
        shapes.append((vertices, normals, triangles, atom.color, Atoms([atom]), None))
    drawing = AtomicShapeDrawing("rival")
    drawing._add_handler_if_needed = lambda: None  # it is not shown
    drawing.add_shapes(shapes)


def seconds(action, repeats=5):
    """The best of several runs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def main(session):
    with tempfile.TemporaryDirectory() as folder:
        tiled(Path(folder) / "tiled.pdb")
        (structure,) = run(session, f'open "{folder}/tiled.pdb"')
    start = time.perf_counter()
    (dynamics,) = run(session, "dynaprot predict #1")
    predicted = time.perf_counter() - start
    command = f"dynaprot ellipsoids #1 smoothing {SMOOTHING}"
    first = seconds(lambda: run(session, command, log=False), 1)
    again = seconds(lambda: run(session, command, log=False))
    from chimerax.dynaprot.dynaprot.analysis.ellipsoids import contour_radius

    calphas = structure.residues.existing_principal_atoms
    rival = seconds(lambda: shape_by_shape(calphas, dynamics.marginals, contour_radius(0.5)), 3)
    coloured = seconds(lambda: run(session, "dynaprot rmsf #1 key false", log=False))
    print(f"{len(dynamics)} residues, {structure.num_atoms} atoms, {20 * 4**SMOOTHING} triangles a residue")
    print(f"prediction                            {predicted:7.2f} s")
    print(f"dynaprot ellipsoids, first time       {first:7.2f} s")
    print(f"dynaprot ellipsoids, again            {again:7.2f} s")
    print(f"shapes, residue by residue            {rival:7.2f} s, {rival / again:.1f} times the whole command")
    print(f"dynaprot rmsf: attributes and colours {coloured:7.2f} s")


main(session)  # noqa: F821  ChimeraX gives it to a script
