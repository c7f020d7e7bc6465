"""A user's training script, as of TensorFlow 2; `tests/test_user_script.py`."""

import json

import numpy as np
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras.callbacks import (
    BackupAndRestore,
    Callback,
    CSVLogger,
    EarlyStopping,
    History,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TensorBoard,
    TerminateOnNaN,
)


class CountSteps(Callback):
    """Counts what it sees; a callback of the user's own."""

    def on_train_begin(self, logs=None):
        self.steps = 0

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1

    def on_train_end(self, logs=None):
        print(f"{self.steps} steps of {self.params['steps']} an epoch")


def warm_up(epoch, lr):
    return 0.005 if epoch == 0 else lr


keras.utils.set_random_seed(7)
x, y = load_digits(return_X_y=True)
x = (x / 16).astype("float32")
model = keras.Sequential(
    [
        keras.layers.Input((64,)),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])

history = model.fit(
    x[:1200],
    y[:1200],
    validation_data=(x[1200:], y[1200:]),
    batch_size=64,
    epochs=12,
    verbose=2,
    callbacks=[
        CountSteps(),
        TerminateOnNaN(),
        BackupAndRestore("backup"),
        LearningRateScheduler(warm_up, verbose=1),
        ReduceLROnPlateau(
            monitor="val_loss",
            factor=0.5,
            patience=1,
            min_delta=0.05,
            verbose=1,
        ),
        EarlyStopping(
            monitor="val_accuracy",
            patience=2,
            min_delta=0.02,
            verbose=1,
            restore_best_weights=True,
        ),
        ModelCheckpoint(
            "models/best.keras",
            monitor="val_loss",
            save_best_only=True,
            verbose=1,
        ),
        ModelCheckpoint(
            "models/{epoch:02d}-{val_loss:.2f}.weights.h5",
            save_weights_only=True,
        ),
        CSVLogger("log.csv", separator=";"),
        TensorBoard("tensorboard", histogram_freq=1),
        LambdaCallback(
            on_epoch_end=lambda epoch, logs: print("epoch", epoch, sorted(logs))
        ),
        History(),
    ],
)

print(json.dumps(history.history, default=float))
print(model.evaluate(x[1200:], y[1200:], verbose=0))
print(np.argmax(model.predict(x[:20], verbose=0), axis=1))
