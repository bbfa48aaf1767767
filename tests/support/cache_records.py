"""The files of the program's cache: reads them, makes them older, changes them."""

import hashlib
import json
import time

KINDS = ("token", "node", "instance")

SHORT_LIFE_S = 200  # of tokens that a test makes older


def of_kind(directory, *kinds):
    """The files of these kinds; none where the directory is not there yet."""
    try:
        return [path for path in directory.iterdir() if path.name.partition("-")[0] in kinds]
    except FileNotFoundError:
        return []


def rewrite(directory, change, kind="token"):
    """Changes the records of a kind, and writes them as the program would."""
    for path in of_kind(directory, kind):
        record = json.loads(path.read_text().partition("\n")[2])
        change(record)
        document = json.dumps(record) + "\n"
        path.write_text(hashlib.sha256(document.encode()).hexdigest() + "\n" + document)


def age(directory, by_s):
    """Makes the tokens older. A record cannot be older than the boot: on a machine that has just booted, this waits."""
    def change(record):
        made_at_ms = record["madeAtMs"] - by_s * 1000
        time.sleep(max(0, -made_at_ms) / 1000)
        record["madeAtMs"] = max(0, made_at_ms)

    rewrite(directory, change)


def read_whole(directory):
    """(kind, first value, second value) of every record; each must be whole."""
    found = []
    for path in of_kind(directory, *KINDS):
        try:
            digest, _, document = path.read_text().partition("\n")
        except FileNotFoundError:  # somebody has removed it
            continue
        assert hashlib.sha256(document.encode()).hexdigest() == digest, (path.name, document)
        found.append((path.name.partition("-")[0], *(json.loads(document)["values"] + ["", ""])[:2]))
    return found
