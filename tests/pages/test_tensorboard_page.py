"""What a person sees who opens TensorBoard on our files.

A real fit, a real TensorBoard, a real Chromium. Whoever changes what is
written should look at the pictures too: `--screenshots DIR` keeps them.
"""

from __future__ import annotations

import re

import numpy as np
import pytest

from kerascb import TensorBoard
from kerascb.testing import drive
from tests.pages.board import Board, serving

pytest.importorskip("tensorboard")
pytestmark = [pytest.mark.page, pytest.mark.fit]

WORDS = [f"word{number}" for number in range(20)]
DIMENSIONS, EPOCHS, STEPS = 4, 2, 4
CURVES = [
    "batch_accuracy",
    "batch_loss",
    "batch_steps_per_second",
    "epoch_accuracy",
    "epoch_loss",
    "epoch_steps_per_second",
    "evaluation_accuracy_vs_iterations",
    "evaluation_loss_vs_iterations",
]
NOTES = "# First run\n\nTrained on **noise**."


def write_words(log_dir):
    """Makes the file with a line for each row of the embedding."""
    log_dir.mkdir(parents=True)
    text = "".join(f"{word}\n" for word in WORDS)
    (log_dir / "words.tsv").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def model(keras):
    """An embedding and a convolution, joined."""
    keras.utils.set_random_seed(1)
    layers = keras.layers
    tokens = keras.Input((6,), name="tokens")
    picture = keras.Input((8, 8, 1), name="picture")
    words = layers.Embedding(len(WORDS), DIMENSIONS, name="words")(tokens)
    shapes = layers.Conv2D(3, 3, name="conv")(picture)
    flat = [layers.Flatten()(words), layers.Flatten()(shapes)]
    joined = layers.Concatenate(name="joined")(flat)
    classes = layers.Dense(2, activation="softmax", name="classes")(joined)
    model = keras.Model([tokens, picture], classes)
    model.compile(
        "adam", "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


@pytest.fixture(scope="module")
def fit(model, tmp_path_factory):
    """Two epochs with everything written; the log directory and History."""
    log_dir = tmp_path_factory.mktemp("fit") / "logs"
    write_words(log_dir)
    generator = np.random.default_rng(0)
    x = [
        generator.integers(0, len(WORDS), (32, 6)),
        generator.normal(size=(32, 8, 8, 1)).astype("float32"),
    ]
    y = generator.integers(0, 2, 32)
    history = model.fit(
        x,
        y,
        validation_data=(x, y),
        epochs=EPOCHS,
        batch_size=len(y) // STEPS,
        verbose=0,
        callbacks=[
            TensorBoard(
                log_dir,
                histogram_freq=1,
                write_images=True,
                write_steps_per_second=True,
                update_freq="batch",
                embeddings_freq=1,
                embeddings_metadata="words.tsv",
                notes=NOTES,
            )
        ],
    )
    return log_dir, history.history


@pytest.fixture(scope="module")
def server(fit, browser):
    """TensorBoard over what the fit wrote."""
    log_dir, _ = fit
    with serving(log_dir) as address:
        yield address


@pytest.fixture
def open_board(browser, screenshots, runtime):
    """Opens the page of a server; nothing on it may have failed at the end."""
    pictures = screenshots / f"{runtime.name}-{runtime.backend}"
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    boards = []

    def open_page(address):
        boards.append(Board(page, address, pictures))
        return boards[-1]

    yield open_page
    page.close()
    assert [fault for board in boards for fault in board.faults] == []


@pytest.fixture
def board(server, open_board):
    """The page, once the server has read both runs to their ends."""
    board = open_board(server)
    for run in ("train", "validation"):
        board.wait_for(
            f"plugin/scalars/scalars?tag=epoch_loss&run={run}",
            f"answer.length === {EPOCHS}",
        )
    return board


@pytest.fixture
def expect(browser):
    """Waits until something is so on the page."""
    from playwright import sync_api

    return sync_api.expect


def test_scalars_are_curves_of_both_runs(board, expect):
    """Every tag has its card; training and validation are in one chart."""
    page = board.open("scalars")
    page.locator("tf-tag-filterer input").fill("_")
    cards = page.locator("tf-scalar-card")
    for tag in CURVES:  # one page load for all
        expect(cards.get_by_text(tag, exact=True).first).to_be_visible()
    page.get_by_text("Ignore outliers in chart scaling").click()
    page.locator("tf-tag-filterer input").fill("epoch_loss")
    lines = cards.first.locator(".line-plot:not(.ghost) path.line")

    expect(lines).to_have_count(2)
    expect(lines.first).to_have_attribute("d", re.compile(r"^M.*L"))
    expect(lines.last).to_have_attribute("d", re.compile(r"^M.*L"))
    board.picture("scalars")


def test_time_series_tell_the_last_batch(board, fit, expect):
    """The page one lands on shows the value that History has, at its step."""
    _, history = fit
    page = board.open("timeseries")
    card = page.locator("scalar-card", has_text="batch_loss")
    card.scroll_into_view_if_needed()
    row = card.locator("tb-data-table-content-row")
    expect(row).to_contain_text("train")
    board.picture("timeseries")

    cells = row.inner_text().split()
    assert str(EPOCHS * STEPS) in cells
    assert f"{history['loss'][-1]:.4g}" in cells


def test_histograms_are_drawn_for_every_epoch(board, model, expect):
    """Each weight has its card, with a shape an epoch."""
    page = board.open("histograms")
    page.locator("tf-tag-filterer input").fill(".")
    results = page.locator("tf-category-paginated-view").first
    cards = results.locator("tf-histogram-loader")

    expect(cards).to_have_count(len(model.weights))
    shapes = cards.locator("g.histogram path")
    expect(shapes.first).to_have_attribute("d", re.compile(r"^M.*L"))
    expect(cards.locator("g.histogram")).to_have_count(
        len(model.weights) * EPOCHS
    )
    board.picture("histograms")


def test_images_are_decoded(board, model, expect):
    """Each weight is a picture; a kernel of the convolution is three."""
    page = board.open("images")
    page.locator("tf-tag-filterer input").fill(".")
    results = page.locator("tf-category-paginated-view").first
    pictures = results.locator("img")
    expect(pictures).to_have_count(len(model.weights) + 2)
    page.wait_for_function(
        "pictures => pictures.every(one => one.complete)",
        arg=pictures.element_handles(),
    )
    board.picture("images")

    sizes = pictures.evaluate_all(
        "all => all.map(one => [one.naturalWidth, one.naturalHeight])"
    )
    assert [0, 0] not in sizes
    assert sizes.count([3, 3]) == 3
    assert [len(WORDS), DIMENSIONS] in sizes


def test_graph_shows_the_layers(board, model, is_keras3, expect):
    """The conceptual graph has a node for each, by its name."""
    page = board.open("graphs")
    nodes = page.locator("tf-graph-scene g.node")
    node_of_operations = nodes.first.element_handle()
    page.locator("tf-graph-controls paper-dropdown-menu").last.click()
    page.locator("tf-graph-controls paper-item", has_text="keras").click()
    node_of_operations.wait_for_element_state("hidden")
    expect(nodes).to_have_count(1)
    nodes.locator("rect").first.dblclick()
    expect(nodes).to_have_count(1 + len(model.layers))
    if is_keras3:  # TensorBoard has forgotten how Keras 2 connects layers
        edges = page.locator("tf-graph-scene g.edge")
        expect(edges).to_have_count(len(model.layers) - 1)
    board.picture("graph-of-layers")

    shown = nodes.evaluate_all("all => all.map(one => one.dataset.name)")
    layers = {f"{model.name}/{layer.name}" for layer in model.layers}
    assert set(shown) == {model.name, *layers}


def test_graph_opens_on_the_step_that_was_trained(
    board, model, runtime, expect
):
    """Or, where there is no graph of operations, on what stands for it."""
    is_tensorflow = runtime.backend == "tensorflow"
    page = board.open("graphs")
    nodes = page.locator("tf-graph-scene g.node")

    shown = "iterator" if is_tensorflow else model.name
    expect(nodes.filter(has_text=shown).first).to_be_visible()
    board.picture("graph-of-operations")


def test_notes_are_text(board, expect):
    """Markdown is rendered."""
    page = board.open("text")

    expect(page.locator("h1", has_text="First run")).to_be_visible()
    expect(page.locator("strong", has_text="noise")).to_be_visible()
    board.picture("text")


def projector_of(page):
    """The projector, which is a page in a frame of a frame."""
    return page.frame_locator("iframe").frame_locator("iframe")


def expect_words_in(projector, expect):
    """Searches for a word among those of the points."""
    points = projector.locator("span.numDataPoints")
    expect(points).to_have_text(str(len(WORDS)))
    projector.locator("vz-projector-inspector-panel input").first.fill("word1")
    found = [word for word in WORDS if "word1" in word]
    matches = projector.locator("vz-projector-inspector-panel a.label")
    expect(matches).to_have_text(found)


def test_projector_opens_the_embedding_with_its_words(board, expect):
    """tf#34739: it opened nothing, or numbers without their words."""
    projector = projector_of(board.open("projector"))

    expect_words_in(projector, expect)
    board.picture("projector")


def test_projector_opens_tables_without_tensorflow(
    model, tmp_path, runtime, monkeypatch, tensorflow, open_board, expect
):
    """Text instead of a checkpoint, and TensorBoard begun a folder higher.

    Where there is no TensorFlow, every test of the projector is about text.
    """
    log_dir = tmp_path / "runs" / "first"
    write_words(log_dir)
    inspection = type(runtime.inspection)
    monkeypatch.setattr(
        inspection, "save_embeddings", lambda self, path, tables: False
    )
    writer = TensorBoard(
        log_dir, embeddings_freq=1, embeddings_metadata="words.tsv"
    )
    drive([writer], epochs=[{"loss": 0.5}], model=model)
    with serving(tmp_path / "runs") as address:
        board = open_board(address)
        board.wait_for("runs", 'answer.includes("first/train")')
        projector = projector_of(board.open("projector"))

        expect_words_in(projector, expect)
        board.picture("projector-of-text")
