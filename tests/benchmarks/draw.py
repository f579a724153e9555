"""Draws the curves of a run of the benchmarks, one picture each.

usage: .venv-bench/bin/python tests/benchmarks/draw.py FOLDER        reads FOLDER/curves.json, writes FOLDER/NAME.png
"""

import json
import re
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

folder = Path(sys.argv[1])
for curve in json.loads((folder / "curves.json").read_text()):
    points, values = zip(*sorted(curve["points"]), strict=True)
    figure, axes = pyplot.subplots(figsize=(6, 4))
    axes.plot(points, values, marker="o")
    axes.set(xscale="log", ylim=(0, max(values) * 1.2), title=curve["name"], xlabel="number", ylabel=curve["unit"])
    axes.grid(visible=True, alpha=0.3)
    figure.tight_layout()
    name = re.sub(r"[^a-z0-9]+", "-", curve["name"].lower()).strip("-")
    figure.savefig(folder / f"{name}.png", dpi=120)
    pyplot.close(figure)
    print(folder / f"{name}.png")
