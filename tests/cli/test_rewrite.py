"""`kerascb swap` on the text of one module."""

import textwrap

import pytest

pytest.importorskip("libcst", reason="kerascb[swap] is not installed")

from kerascb._names import CALLBACKS, EXPERIMENTAL
from kerascb.cli._draft import SourceError
from kerascb.cli._rewrite import rewrite


def _text(block):
    return textwrap.dedent(block).lstrip("\n")


IMPORTS = {
    "a class": (
        "from tensorflow.keras.callbacks import EarlyStopping\n",
        "from kerascb import EarlyStopping\n",
    ),
    "a class under another name": (
        "from tensorflow.keras.callbacks import EarlyStopping as ES\n",
        "from kerascb import EarlyStopping as ES\n",
    ),
    "several classes": (
        "from keras.callbacks import CSVLogger,  History as H\n",
        "from kerascb import CSVLogger,  History as H\n",
    ),
    "classes in brackets, with comments": (
        """
        from keras.callbacks import (  # all of them
            CSVLogger,   # to a file
            History as H,
        )  # done
        """,
        """
        from kerascb import (  # all of them
            CSVLogger,   # to a file
            History as H,
        )  # done
        """,
    ),
    "a continued line": (
        "from keras.callbacks import CSVLogger,\\\n    History\n",
        "from kerascb import CSVLogger,\\\n    History\n",
    ),
    "everything": (
        "from keras.callbacks import *\n",
        "from kerascb import *\n",
    ),
    "the module": (
        "from tensorflow.keras import callbacks\nx = callbacks.History()\n",
        "import kerascb as callbacks\nx = callbacks.History()\n",
    ),
    "the module under another name": (
        "from keras import callbacks as C\nx = C.History()\n",
        "import kerascb as C\nx = C.History()\n",
    ),
    "the module under our name": (
        "from keras import callbacks as kerascb\n",
        "import kerascb\n",
    ),
    "the module among others": (
        "from tensorflow.keras import callbacks, layers\n",
        "from tensorflow.keras import layers\nimport kerascb as callbacks\n",
    ),
    "the module among others, a line each": (
        """
        from keras import (  # models
            callbacks,  # ours
            layers,
        )
        """,
        """
        from keras import (  # models
            layers,
        )
        import kerascb as callbacks  # ours
        """,
    ),
    "the module by its path": (
        "import keras.callbacks as kc\nx = kc.History()\n",
        "import kerascb as kc\nx = kc.History()\n",
    ),
    "the module by its path, and others": (
        "import os, keras.callbacks as kc\n",
        "import os, kerascb as kc\n",
    ),
    "the experimental module": (
        "from tensorflow.keras.callbacks import experimental as e\n",
        "from kerascb import experimental as e\n",
    ),
    "out of the experimental module": (
        "from keras.callbacks.experimental import BackupAndRestore\n",
        "from kerascb.experimental import BackupAndRestore\n",
    ),
    "under an if, with tabs": (
        "if True:\n\tfrom keras import callbacks, layers\n",
        "if True:\n\tfrom keras import layers\n\timport kerascb as callbacks\n",
    ),
    "two statements a line": (
        "from keras import callbacks, layers; x = callbacks.History\n",
        "from keras import layers; import kerascb as callbacks;"
        " x = callbacks.History\n",
    ),
    "alternatives": (
        """
        try:
            from keras.callbacks import History
        except ImportError:
            from tensorflow.keras.callbacks import History
        """,
        """
        try:
            from kerascb import History
        except ImportError:
            from kerascb import History
        """,
    ),
    "without a last line end": (
        "from keras import callbacks, layers",
        "from keras import layers\nimport kerascb as callbacks",
    ),
}
USES = {
    "tf.keras": (
        """
        import tensorflow as tf
        x = [tf.keras.callbacks.History(), tf.zeros(3)]
        """,
        """
        import tensorflow as tf
        import kerascb
        x = [kerascb.History(), tf.zeros(3)]
        """,
    ),
    "keras": (
        """
        import keras
        class Mine(keras.callbacks.Callback):
            model: keras.Model
        """,
        """
        import keras
        import kerascb
        class Mine(kerascb.Callback):
            model: keras.Model
        """,
    ),
    "keras of tensorflow": (
        "from tensorflow import keras as K\nK.callbacks.History\nK.Model\n",
        "from tensorflow import keras as K\nimport kerascb\n"
        "kerascb.History\nK.Model\n",
    ),
    "experimental": (
        "import keras\nkeras.callbacks.experimental.BackupAndRestore(keras)\n",
        "import keras\nimport kerascb\n"
        "kerascb.experimental.BackupAndRestore(keras)\n",
    ),
    "what a class has": (
        "import keras\nkeras.callbacks.History.on_epoch_end(keras)\n",
        "import keras\nimport kerascb\nkerascb.History.on_epoch_end(keras)\n",
    ),
    "an import that serves nothing else": (
        "import keras.callbacks\nx = keras.callbacks.History()\n",
        "import kerascb\nx = kerascb.History()\n",
    ),
    "an import that another one relieves": (
        "import keras\nimport keras.callbacks\n"
        "keras.callbacks.History(keras)\n",
        "import keras\nimport kerascb\nkerascb.History(keras)\n",
    ),
    "kerascb is imported already": (
        "import kerascb\nimport keras\nkeras.callbacks.History(keras)\n",
        "import kerascb\nimport keras\nkerascb.History(keras)\n",
    ),
    "kerascb has another name already": (
        "import kerascb as kc\nimport keras\nkeras.callbacks.History(keras)\n",
        "import kerascb as kc\nimport keras\nkc.History(keras)\n",
    ),
    "our name means something else": (
        "import keras\nkerascb = keras.callbacks.History(keras)\n",
        "import keras\nimport kerascb as _kerascb\n"
        "kerascb = _kerascb.History(keras)\n",
    ),
    "an alias of the module": (
        "import keras\ncb = keras.callbacks\ncb.History(keras)\n",
        "import keras\nimport kerascb\ncb = kerascb\ncb.History(keras)\n",
    ),
    "an alias of a package above": (
        "import tensorflow as tf\nkeras = tf.keras\nkeras.callbacks.History\n",
        "import tensorflow as tf\nimport kerascb\n"
        "keras = tf.keras\nkerascb.History\n",
    ),
    "in a function": (
        """
        def stop():
            import tensorflow as tf
            return tf.keras.callbacks.EarlyStopping(tf.x)
        """,
        """
        def stop():
            import tensorflow as tf
            import kerascb
            return kerascb.EarlyStopping(tf.x)
        """,
    ),
    "one of two imports": (
        """
        '''What it does.'''
        from __future__ import annotations
        try:
            import keras
        except ImportError:
            from tensorflow import keras
        keras.callbacks.History(keras)
        """,
        """
        '''What it does.'''
        from __future__ import annotations
        import kerascb
        try:
            import keras
        except ImportError:
            from tensorflow import keras
        kerascb.History(keras)
        """,
    ),
    "an import that may fail": (
        """
        try:
            import keras
        except ImportError:
            keras = None
        x = keras and keras.callbacks.History()
        """,
        """
        try:
            import keras
            import kerascb
        except ImportError:
            keras = None
        x = keras and kerascb.History()
        """,
    ),
    "an import inside a function that binds outside of it": (
        """
        @cached
        def load():
            global keras
            import keras
        def history():
            return keras.callbacks.History(keras)
        """,
        """
        import kerascb
        @cached
        def load():
            global keras
            import keras
        def history():
            return kerascb.History(keras)
        """,
    ),
    "spread over lines": (
        "import keras\nx = (keras\n     .callbacks\n     .History(keras))\n",
        "import keras\nimport kerascb\nx = (kerascb\n     .History(keras))\n",
    ),
    "behind letters of many bytes": (
        "import keras\nx = '😀é', keras.callbacks.History, keras\n",
        "import keras\nimport kerascb\nx = '😀é', kerascb.History, keras\n",
    ),
    "in a formatted string": (
        "import keras\nx = f'{keras.callbacks.History} {keras}'\n",
        "import keras\nimport kerascb\nx = f'{kerascb.History} {keras}'\n",
    ),
    "the name is used for a list as well": (
        "from keras import callbacks\n"
        "callbacks = [callbacks.History()]\ncallbacks.append(1)\n",
        "import kerascb as callbacks\n"
        "callbacks = [callbacks.History()]\ncallbacks.append(1)\n",
    ),
    "an argument has the name of the module": (
        "from keras import callbacks\n"
        "def fit(callbacks=(callbacks.History(),)):\n    return callbacks\n",
        "import kerascb as callbacks\n"
        "def fit(callbacks=(callbacks.History(),)):\n    return callbacks\n",
    ),
    "one line": (
        "if True: import keras; x = keras.callbacks.History, keras\n",
        "if True: import keras; import kerascb; x = kerascb.History, keras\n",
    ),
    "windows line ends": (
        "import keras\r\nkeras.callbacks.History(keras)\r\n",
        "import keras\r\nimport kerascb\r\nkerascb.History(keras)\r\n",
    ),
}
SWAPPED = {**IMPORTS, **USES}


@pytest.mark.parametrize(
    ("before", "after"), SWAPPED.values(), ids=list(SWAPPED)
)
def test_swaps_and_has_nothing_to_say(before, after):
    """What is understood is swapped, and nothing else is touched."""
    rewritten = rewrite(_text(before))

    assert rewritten.source == _text(after)
    assert rewritten.notes == ()


@pytest.mark.parametrize(
    ("before", "after"), SWAPPED.values(), ids=list(SWAPPED)
)
def test_swapping_again_changes_nothing(before, after):
    """A file that was swapped is left as it is, without a word."""
    del before

    rewritten = rewrite(_text(after))

    assert rewritten.source == _text(after)
    assert rewritten.notes == ()


@pytest.mark.parametrize("name", CALLBACKS)
def test_swaps_every_class(name):
    """There is no class of ours that the swap does not know."""
    rewritten = rewrite(f"from keras.callbacks import {name}\n")

    assert rewritten.source == f"from kerascb import {name}\n"


@pytest.mark.parametrize("name", EXPERIMENTAL)
def test_swaps_every_experimental_class(name):
    """Nor one in `experimental`."""
    before = f"import keras\nkeras.callbacks.experimental.{name}(keras)\n"

    rewritten = rewrite(before)

    assert f"\nkerascb.experimental.{name}(keras)\n" in rewritten.source


@pytest.mark.parametrize(
    "module",
    [
        "keras",
        "keras._tf_keras.keras",
        "keras.api._v2.keras",
        "keras.src",
        "tensorflow.compat.v2.keras",
        "tensorflow.keras",
        "tensorflow.python.keras",
        "tf_keras",
        "tf_keras.src",
    ],
)
def test_knows_every_address_of_the_module(module):
    """Keras has been imported from many places over the years."""
    rewritten = rewrite(f"from {module}.callbacks import History\n")

    assert rewritten.source == "from kerascb import History\n"


PARTLY = {
    "a class that kerascb has not": (
        "from keras.callbacks import History, MyLogger\n",
        "from kerascb import History\nfrom keras.callbacks import MyLogger\n",
        [(1, "`MyLogger` still comes from keras.callbacks")],
    ),
    "such classes, with comments": (
        """
        from keras.callbacks import (
            History,
            MyLogger,  # mine
            YourLogger,
        )
        """,
        """
        from kerascb import (
            History,
        )
        from keras.callbacks import MyLogger  # mine
        from keras.callbacks import YourLogger
        """,
        [(3, "`MyLogger` still comes"), (4, "`YourLogger` still comes")],
    ),
    "a class taken from the module that kerascb has not": (
        "from keras import callbacks\ncallbacks.History\ncallbacks.My\n",
        "from keras import callbacks\nimport kerascb\n"
        "kerascb.History\ncallbacks.My\n",
        [
            (1, "`callbacks` stays the stock module, for `callbacks.My`"),
            (3, "`callbacks.My` left: kerascb has no `My`"),
        ],
    ),
    "an import with no use any more": (
        "import tensorflow as tf\ntf.keras.callbacks.History()\n",
        "import tensorflow as tf\nimport kerascb\nkerascb.History()\n",
        [(1, "`tf` has no use here any more")],
    ),
    "a plain import with another use": (
        "import keras.callbacks\nkeras.callbacks.History()\nkeras.Model()\n",
        "import keras.callbacks\nimport kerascb\n"
        "kerascb.History()\nkeras.Model()\n",
        [(1, "left: it also serves `keras.Model`")],
    ),
    "a name in a string": (
        "import keras\nx: 'keras.callbacks.Callback'\n"
        "y: keras.callbacks.Callback\n",
        "import keras\nimport kerascb\nx: 'keras.callbacks.Callback'\n"
        "y: kerascb.Callback\n",
        [(2, "a string names `keras.callbacks.Callback`; left")],
    ),
}


@pytest.mark.parametrize(
    ("before", "after", "notes"), PARTLY.values(), ids=list(PARTLY)
)
def test_swaps_a_part_and_says_what_it_left(before, after, notes):
    """What stays is named, with the line it is on."""
    rewritten = rewrite(_text(before))

    assert rewritten.source == _text(after)
    assert [note.line for note in rewritten.notes] == [
        line for line, _ in notes
    ]
    assert all(
        part in note.reason
        for note, (_, part) in zip(rewritten.notes, notes, strict=True)
    )


LEFT = {
    "the module's insides": (
        "from keras.src.callbacks.early_stopping import EarlyStopping\n",
        "kerascb has no module `early_stopping`",
    ),
    "TensorFlow 1": (
        "from tensorflow.compat.v1.keras.callbacks import History\n",
        "kerascb does not stand in for it",
    ),
    "everything, where a name of ours would be in the way": (
        "from keras.callbacks import *\nfrom keras.models import load_model\n",
        "kerascb's would also bring `load_model`",
    ),
    "everything out of an internal module": (
        "from tensorflow.python.keras.callbacks import *\n",
        "that module brings more than callbacks",
    ),
    "a star that may bring the module": (
        "from tensorflow.keras import *\ncallbacks.History()\n",
        "it may come from `from tensorflow.keras import *`",
    ),
    "a name that nothing binds": (
        "keras.callbacks.History()\n",
        "nothing here says what `keras` is",
    ),
    "a parameter": (
        "import keras\ndef f(keras): return keras.callbacks.History()\n",
        "`keras` may be something else here",
    ),
    "a loop's variable": (
        "import keras\nfor keras in x: keras.callbacks.History()\n",
        "`keras` may be something else here",
    ),
    "a name that a class body binds again": (
        "import keras\nclass A:\n"
        "    x = keras.callbacks.History\n    import keras\n",
        "`keras` may be something else here",
    ),
    "another package's keras": (
        "from wandb.integration import keras\nkeras.callbacks.History()\n",
        "`keras` comes from `wandb.integration.keras`",
    ),
    "a relative import": (
        "from . import keras\nkeras.callbacks.History()\n",
        "`keras` comes from `.keras`",
    ),
    "a class assigned to": (
        "import keras\nkeras.callbacks.History = Mine\n",
        "it is assigned to",
    ),
    "a class deleted": (
        "import keras\ndel keras.callbacks.History\n",
        "it is assigned to",
    ),
    "the module by a string": (
        "import keras\ngetattr(keras, 'callbacks').History\n",
        "the module by a string",
    ),
    "an import by a string": (
        "import importlib\nimportlib.import_module('keras.callbacks')\n",
        "a string names `keras.callbacks`",
    ),
    "something computed": (
        "import x\nx.get().keras.callbacks.History()\n",
        "what it is taken from is computed",
    ),
    "a type comment": (
        "import keras\nx = []  # type: list[keras.callbacks.Callback]\n",
        "a type comment names",
    ),
    "a comment inside": (
        "import keras\nx = (keras  # 3\n    .callbacks.History)\n",
        "there is a comment inside",
    ),
}


@pytest.mark.parametrize(("source", "reason"), LEFT.values(), ids=list(LEFT))
def test_leaves_what_it_does_not_understand(source, reason):
    """Nothing is guessed; the reason says what stood in the way."""
    rewritten = rewrite(source)

    assert rewritten.source == source
    assert any(reason in note.reason for note in rewritten.notes)


@pytest.mark.parametrize(
    "source",
    [
        "",
        "x = 1\n",
        "import keras\nkeras.Model()\n",
        "# from keras.callbacks import History\n",
        "from mypackage.callbacks import History  # not keras'\n",
        "from keras.callbacks_extra import History\n",
        "from .keras.callbacks import History\n",
        "model.fit(x, callbacks=[keras_history])\n",
    ],
)
def test_has_nothing_to_do_with_other_code(source):
    """Code without stock's callbacks is left without a word."""
    rewritten = rewrite(source)

    assert (rewritten.source, rewritten.notes) == (source, ())


@pytest.mark.parametrize(
    "source",
    [
        "print 'keras.callbacks'\n",
        "from keras.callbacks import (\n",
        "import keras.callbacks\nx = " + "(" * 5000 + ")" * 5000 + "\n",
    ],
    ids=["python 2", "incomplete", "too deep"],
)
def test_refuses_what_is_not_python(source):
    """A text that cannot be read is an error, never half a rewriting."""
    with pytest.raises(SourceError):
        rewrite(source)
