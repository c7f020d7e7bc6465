"""A walk through a model that gives every variable a name of its own."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Protocol

from kerascb.runtime._learning_rate import nested_optimizers
from kerascb.runtime.runs.naming import Names, renamed, without_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_METRICS = "metrics/"


class Parts(Protocol):
    """What the models of one Keras are made of.

    Attributes:
        ignored: Attributes of a model that are no part of a run.
    """

    ignored: frozenset[str]

    def is_layer(self, item: Any) -> bool:
        """Whether something is a layer, or a model, and no metric."""

    def is_metric(self, item: Any) -> bool:
        """Whether something is a metric."""

    def is_optimizer(self, item: Any) -> bool:
        """Whether something is an optimizer."""

    def variable_in(self, item: Any) -> Any:
        """A variable itself, or that of a random generator; else `None`."""

    def own_variables(self, layer: Any) -> Iterable[Any]:
        """Variables that a layer knows of, without those of its layers."""

    def layers_in(self, layer: Any) -> Iterable[Any]:
        """The layers directly within a layer, in order."""

    def variables_of(self, model: Any) -> Iterable[Any]:
        """What Keras itself counts among a model's variables."""

    def metrics_of(self, model: Any) -> Iterable[Any]:
        """The single metrics that `fit` resets, in order."""

    def hidden_in(self, item: Any) -> Mapping[str, Any]:
        """What belongs to an object beside its attributes, by name."""

    def kind(self, item: Any) -> str:
        """What Keras calls the first object of a class."""

    def variable_name(self, variable: Any) -> str:
        """The last part of a variable's name, without Keras's numbers."""

    def slot_names(
        self, variables: Iterable[Any], known: Mapping[str, Any]
    ) -> Iterable[str]:
        """Names of what an optimizer keeps.

        Args:
            variables: Variables of an optimizer.
            known: The variables found so far, by our names.
        """


class Walk:
    """Finds the variables of a model.

    Args:
        model: The model.
        parts: What models of its Keras are made of.

    Attributes:
        variables: Our name → variable, in the order of the model.
        reset_names: Names of those that belong to metrics that `fit` resets.
    """

    def __init__(self, model: Any, parts: Parts) -> None:
        self.variables: dict[str, Any] = {}
        self.reset_names: set[str] = set()
        self._parts = parts
        self._names, self._places = Names(), Names()
        self._seen: set[int] = set()
        self._optimizers: list[tuple[str, Any]] = []
        self._metrics: list[Any] = []
        self._outputs: dict[str, str] = {}
        self._walk(model)

    def _walk(self, model: Any) -> None:
        optimizer = getattr(model, "optimizer", None)
        if optimizer is not None:
            self._optimizers.append(("optimizer/", optimizer))
        self._visit(model, "", {})
        for name in getattr(model, "output_names", None) or ():
            self._outputs.setdefault(name, name)
        resets = list(self._parts.metrics_of(model))
        before = len(self.variables)
        for metric in resets:
            self._note_metric(metric)
        self.reset_names = set(list(self.variables)[before:])
        for metric in self._metrics:
            self._note_metric(metric)
        for variable in self._parts.variables_of(model):
            self._note(variable, self._parts.variable_name(variable))
        for place, item in self._optimizers:
            self._note_optimizer(item, place)

    def _note(self, item: Any, name: str) -> None:
        variable = self._parts.variable_in(item)
        if variable is not None and id(variable) not in self._seen:
            self._seen.add(id(variable))
            self.variables[self._names.unique(name)] = variable

    def _visit(self, layer: Any, place: str, above: Mapping[str, str]) -> None:
        """A layer: what it has itself, then its layers, then the rest."""
        self._seen.add(id(layer))
        for variable in self._parts.own_variables(layer):
            name = renamed(self._parts.variable_name(variable), above)
            self._note(variable, place + name)
        for part in self._parts.layers_in(layer):
            self._visit_part(part, place, above)
        self._look_around(layer, place, above)

    def _look_around(
        self, item: Any, place: str, above: Mapping[str, str]
    ) -> None:
        """What an object has that Keras itself does not know of."""
        attributes = getattr(item, "__dict__", {})
        ignored = self._parts.ignored
        for name, value in {
            **self._parts.hidden_in(item),
            **attributes,
        }.items():
            # TensorFlow keeps what it tracks under the former.
            if not name.startswith("_self_") and name not in ignored:
                self._look_into(value, place, name.lstrip("_"), above)

    def _visit_part(
        self, layer: Any, place: str, above: Mapping[str, str]
    ) -> None:
        if id(layer) in self._seen:
            return
        theirs = getattr(layer, "name", None) or self._parts.kind(layer)
        ours = without_number(theirs, self._parts.kind(layer))
        if ours == theirs:
            ours = renamed(theirs, above)
        else:
            self._outputs.setdefault(theirs, ours)
        inner = self._places.unique(f"{place}{ours}")
        self._visit(layer, f"{inner}/", {theirs: ours, **above})

    def _look_into(
        self, value: Any, place: str, name: str, above: Mapping[str, str]
    ) -> None:
        if id(value) in self._seen:
            return
        if isinstance(value, (list, tuple, dict)):
            self._seen.add(id(value))
            keys: Iterable[Any] = itertools.repeat(name)
            items: Iterable[Any] = value
            if isinstance(value, dict):
                keys, items = list(value), list(value.values())
            for key, item in zip(keys, items, strict=False):
                inner = key.lstrip("_") if isinstance(key, str) else name
                self._look_into(item, place, inner, above)
        elif self._parts.is_layer(value):
            self._visit_part(value, place, above)
        elif self._parts.is_metric(value):
            self._metrics.append(value)
        elif self._parts.is_optimizer(value):
            self._optimizers.append((f"{place}{name}/", value))
        else:
            self._note(value, place + name)

    def _note_metric(self, metric: Any) -> None:
        kind = self._parts.kind(metric)
        name = without_number(getattr(metric, "name", None) or kind, kind)
        name = self._places.unique(_METRICS + renamed(name, self._outputs))
        for variable in metric.variables:
            self._note(
                variable, f"{name}/{self._parts.variable_name(variable)}"
            )

    def _note_optimizer(self, optimizer: Any, place: str) -> None:
        if id(optimizer) in self._seen:
            return
        self._seen.add(id(optimizer))
        place = f"{place}{self._parts.kind(optimizer)}/"
        for inner in nested_optimizers(optimizer):
            self._note_optimizer(inner, place)
        held = getattr(optimizer, "variables", ())
        # Keras 2's older optimizers have a method there.
        variables = list(held() if callable(held) else held)
        names = self._parts.slot_names(variables, self.variables)
        for variable, name in zip(variables, names, strict=True):
            self._note(variable, place + name)
        self._look_around(optimizer, place, {})
