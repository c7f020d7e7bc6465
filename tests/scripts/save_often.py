"""Trains until it is killed, and saves every other batch.

`save_often.py FOLDER NAME BACKGROUND`: the name says the format; it may have
placeholders. A line on stdout says that the first save is done.
"""

import importlib
import sys
import warnings

import numpy as np

import kerascb
from kerascb import runtime

WIDTH = 200


def build():
    """A model of about 1 MB with its optimizer, compiled."""
    keras = importlib.import_module(runtime.in_force().package)
    model = keras.Sequential(
        [
            keras.layers.Input((WIDTH,)),
            keras.layers.Dense(WIDTH),
            keras.layers.Dense(WIDTH),
            keras.layers.Dense(1),
        ]
    )
    model.compile("adam", "mse")
    return model


def main():
    """Trains for ever."""
    warnings.simplefilter("ignore")
    folder, name, background = sys.argv[1:]
    x = np.ones((64, WIDTH), "float32")
    kinds = {
        "save_weights_only": name.endswith(".weights.h5") or "ckpt" in name,
        "background": background == "background",
    }
    if "{" in name:
        kinds["max_to_keep"] = 2
    else:
        kinds["verify"] = True
    checkpoint = kerascb.ModelCheckpoint(
        f"{folder}/{name}", save_freq=2, **kinds
    )
    said = kerascb.LambdaCallback(
        on_epoch_end=lambda epoch, logs: epoch or print("saving", flush=True)
    )
    build().fit(
        x, x[:, :1], batch_size=8, epochs=10**6, verbose=0,
        callbacks=[checkpoint, said],
    )  # fmt: skip


if __name__ == "__main__":
    main()
