"""The usual methods on the series that `kaizen-score` wrote into a folder: score.py FOLDER.

`tasks.json` lists cells: `task`, a function here; `lengths` of its series, which follow each other in `series.f64` as
little-endian doubles; `parameters`. `verdicts.json` gets, for each cell, the methods and a number of each series.
"""

import json
import math
import multiprocessing
import pathlib
import sys
import warnings

import numpy

import methods

# Series that one process judges at a time.
CHUNK = 25


def judge(work):
    """Name of the method to number of the series, for each series of the chunk."""
    task, chunk, parameters = work
    with warnings.catch_warnings():
        # The libraries warn of what short or constant series do to them; it is in their verdicts.
        warnings.simplefilter("ignore")
        return [getattr(methods, task)(series, **parameters) for series in chunk]


def chunks(tasks, values):
    """(cell, work) for every chunk of series."""
    at = 0
    for cell, task in enumerate(tasks):
        series = []
        for length in task["lengths"]:
            series.append(values[at:at + length])
            at += length
        for first in range(0, len(series), CHUNK):
            yield cell, (task["task"], series[first:first + CHUNK], task["parameters"])


def plain(number):
    number = float(number)
    return number if math.isfinite(number) else None


def main(folder):
    tasks = json.loads((folder / "tasks.json").read_text())
    cells, work = zip(*chunks(tasks, numpy.fromfile(folder / "series.f64", dtype="<f8")))
    verdicts = [{} for _ in tasks]
    with multiprocessing.Pool() as pool:
        for cell, found in zip(cells, pool.imap(judge, work)):
            for one in found:
                for method, number in one.items():
                    verdicts[cell].setdefault(method, []).append(plain(number))
    lists = [[{"method": method, "numbers": numbers} for method, numbers in cell.items()] for cell in verdicts]
    (folder / "verdicts.json").write_text(json.dumps(lists))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
