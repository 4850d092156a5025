"""Makes the reference values: for every topic here, a module whose `cases()` gives what the Python libraries find, a JSON
file of the same name that the tests in Rust read. Ends with 1 when a file was not what the libraries give; it is new then.

Libraries differ in the last digits from one processor to the next. Numbers within a billionth of each other are the same,
and a file that holds the same is left as it is.
"""

import importlib
import json
import math
import pathlib
import sys

import numpy

folder = pathlib.Path(__file__).parent


def plain(value):
    """The value as JSON has it: no types of numpy, twelve digits."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, numpy.ndarray)):
        return [plain(item) for item in value]
    if isinstance(value, (bool, numpy.bool_)):
        return bool(value)
    if isinstance(value, (int, numpy.integer)):
        return int(value)
    if isinstance(value, (float, numpy.floating)):
        return float(f"{value:.12g}") if math.isfinite(value) else None
    return value


def drift(old, new, path=""):
    """Where the two differ first, None if they are the same."""
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys():
        pairs = [(f"{path}/{key}", old[key], new[key]) for key in new]
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = [(f"{path}/{index}", *pair) for index, pair in enumerate(zip(old, new))]
    elif isinstance(old, (int, float)) and isinstance(new, (int, float)):
        return None if math.isclose(old, new, rel_tol=1e-9, abs_tol=1e-12) else f"{path}: {old} is now {new}"
    else:
        return None if type(old) is type(new) and old == new else f"{path or '/'}: not the same"
    return next((found for found in (drift(a, b, where) for where, a, b in pairs) if found), None)


def text(value, depth=0):
    """JSON with a line for each case, so that a difference is read and a table of numbers is not a thousand lines."""
    if depth == 2 or not isinstance(value, (dict, list)) or not value:
        return json.dumps(value)
    if isinstance(value, dict):
        items = [f"{json.dumps(key)}: {text(item, depth + 1)}" for key, item in value.items()]
        return "{\n" + ",\n".join(items) + "\n}"
    return "[\n" + ",\n".join(text(item, depth + 1) for item in value) + "\n]"


def main():
    drifted = False
    for script in sorted(folder.glob("*.py")):
        if script.name == "make.py":
            continue
        new = plain(importlib.import_module(script.stem).cases())
        target = script.with_suffix(".json")
        old = json.loads(target.read_text()) if target.exists() else None
        found = drift(old, new)
        if found is None:
            print(f"reference: {target.name} is what the libraries give")
            continue
        drifted = True
        target.write_text(text(new) + "\n")
        print(f"reference: {target.name} drifted at {found}; it is made anew: look at the difference, then commit it",
              file=sys.stderr)
    sys.exit(1 if drifted else 0)


main()
