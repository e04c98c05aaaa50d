"""One evaluation of somebody's code at a point of ours: forward, loss, backward, and the gradients."""

import random
import warnings
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from chainrule.diagnosis import vocabulary
from chainrule.diagnosis.binding import PENALTY, RATE, Binding, Values, bindings
from chainrule.diagnosis.homes import Home, Subject
from chainrule.diagnosis.loading import OutOfTime, sentence, time_limit
from chainrule.diagnosis.matching import matched
from chainrule.diagnosis.observation import Array, Point
from chainrule.diagnosis.parameters import Path, fetch, last_name, leaves, placed, to_code
from chainrule.diagnosis.recognition import Function, Plan
from chainrule.diagnosis.watching import Finished, Watch, as_array

TIME = 1.0  # seconds of one evaluation


@dataclass(frozen=True)
class Convention:
    """How the code wants its data.

    layout    "row" or "column"
    targets   "one-hot", "integer", "column" (one number a sample, as an axis of its own) or "flat" (K = 1)
    samples   "batch", or "one" with `vector` "(d,)", "(1, d)" or "(d, 1)"
    listed    lists of numbers, not arrays
    """

    layout: str
    targets: str
    samples: str = "batch"
    vector: str = ""
    listed: bool = False

    def data(self, X: Array) -> Any:
        if self.samples == "one":
            value = X[0] if self.vector == "(d,)" else X[0][None, :] if self.vector == "(1, d)" else X[0][:, None]
        else:
            value = X if self.layout == "row" else X.T
        return value.tolist() if self.listed else np.array(value)

    def labels(self, point: Point) -> Any:
        if self.targets == "integer":
            value: Any = point.labels[0] if self.samples == "one" else point.labels.copy()
        elif self.targets == "column":
            value = point.labels.reshape((-1, 1) if self.layout == "row" else (1, -1))
        elif self.targets == "flat":
            value = point.targets[:, 0].copy()
        else:
            return self.data(point.targets)
        return value.tolist() if self.listed else value


@dataclass
class Gradient:
    """A gradient as the code has it: its name and its value, copied, since the next pass may write into it."""

    name: str
    value: Any

    def __post_init__(self) -> None:
        self.value = as_array(self.value)


@dataclass
class Run:
    """What one evaluation gave; `failed` says by role what went wrong."""

    output: Array | None = None
    loss: float | None = None
    gradients: dict[str, Gradient] = field(default_factory=dict)
    source: str = "returned"
    failed: dict[str, str] = field(default_factory=dict)
    root: Any = None
    forward: Watch | None = None
    backward: Watch | None = None
    written: list[tuple[str, str, str, Array, Array]] = field(default_factory=list)
    again: "Run | None" = None
    single: bool = False  # whether the output is of float32
    endless: bool = False  # whether the code was still running when its time was over, or called itself without end
    loss_name: Function | None = None


@dataclass
class Trial:
    """A plan, a home and a convention together; what was found out about the calls is kept in `chosen`."""

    subject: Subject
    plan: Plan
    home: Home
    convention: Convention
    chosen: dict[str, Binding] = field(default_factory=dict)
    loss: Function | None = None
    losses_tried: bool = False
    loss_value: str = ""  # where the loss comes from when no function gives it
    gradient_source: str = ""
    penalty: bool = False

    def run(self, point: Point, *, backward: bool = True, watch: bool = False, again: bool = False) -> Run:
        """Evaluate from a fresh state. Failures of the user's code are recorded, not raised."""
        run = Run()
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                with time_limit(TIME if self.subject.limited else None):
                    evaluation = _Evaluation(self, point, run)
                    evaluation.passes(backward, watch)
                    if again and "forward" not in run.failed:
                        run.again = self._after_others(point)
            except OutOfTime:
                run.endless = True
                run.failed.setdefault(
                    "backward" if run.output is not None else "forward", "still running after a second"
                )
        return run

    def _after_others(self, point: Point) -> Run:
        """The point once more, after a pass of other samples with the weights put back: what is kept shows."""
        others = replace(point, X=0.5 * point.X[::-1] + 0.3, targets=np.roll(point.targets, 1, axis=1)[::-1])
        before = _Evaluation(self, others, Run())
        before.passes(True, False)
        run = Run()
        _Evaluation(self, point, run, before.root, before.instance).passes(True, False)
        return run


class _Evaluation:
    """The steps of one run."""

    def __init__(self, trial: Trial, point: Point, run: Run, root: Any = None, instance: Any = None) -> None:
        self.trial, self.point, self.run = trial, point, run
        self.plan, self.home, self.subject = trial.plan, trial.home, trial.subject
        self.namespace = self.subject.namespace
        np.random.seed(0)  # noqa: NPY002  of the user's own dropout and the like
        random.seed(0)
        if root is None:
            self.subject.restore()
        self.root = self._furnished(self.home.fresh() if root is None else root)
        self.instance = instance if instance is not None else self._instance()
        self.values = self._values()
        self.result: Any = None  # of forward
        self.returned: Any = None  # of backward
        run.root = self.root

    def _furnished(self, root: Any) -> Any:
        """`root` with our parameters in it; whatever else it keeps stays."""
        for slot in self.home.slots:
            root = placed(root, slot.path, to_code(slot, self.point.parameters))
        if self.home.kind == "globals":
            self.namespace.update(root)
            return self.namespace
        return root

    def _instance(self) -> Any:
        if self.home.kind == "self":
            instance = self.root
            for name, value in list(vars(instance).items()):
                if vocabulary.RATE.match(vocabulary.plain(name)) and isinstance(value, int | float):
                    setattr(instance, name, RATE)
                elif vocabulary.BATCH_SIZE.match(vocabulary.plain(name)) and isinstance(value, int):
                    setattr(instance, name, len(self.point.X))
            for name in self.home.data:
                convention = self.trial.convention
                data = convention.data(self.point.X) if self.home.data[name] == "X" else convention.labels(self.point)
                setattr(instance, name, data)
            return instance
        return self.home.construct() if self.plan.owner and self.home.construct else None

    def _values(self) -> Values:
        convention = self.trial.convention
        X, Y = convention.data(self.point.X), convention.labels(self.point)
        roles: dict[str, Any] = {"X": X, "Y": Y, "rate": RATE, "m": len(self.point.X), "keep": 1.0, "drop": 0.0}
        roles |= {"training": True, "quiet": False, "batch_size": len(self.point.X), "epochs": 1, "seed": 0}
        if self.trial.penalty:
            roles["l2"] = PENALTY
        own: dict[str, Any] = {}
        if self.home.kind == "params":
            roles["params"] = self.root
            if isinstance(self.root, dict):
                own = {
                    key: value
                    for key, value in self.root.items()
                    if isinstance(key, str) and _parameter(key, self.home)
                }
        elif self.home.kind == "arguments":
            own = self.root
        elif self.home.kind == "self":
            roles["params"] = getattr(self.root, "params", getattr(self.root, "parameters", None))
        return Values(roles, own)

    def call(self, function: Function, binding: Binding) -> Any:
        arguments = self.values.arguments(binding)
        return self.target(function)(**arguments)

    def target(self, function: Function) -> Any:
        if function.owner and self.instance is not None and function.owner == self.plan.owner:
            return getattr(self.instance, function.name)
        if function.owner and function.owner in vars_of_types(self.instance, self.subject.own):
            return getattr(vars_of_types(self.instance, self.subject.own)[function.owner], function.name)
        if function.owner:
            return getattr(self.subject.namespace[function.owner], function.name)
        return self.namespace[function.name]

    def bound(self, function: Function, role: str, key: str = "") -> list[Binding]:
        key = key or f"{role}:{function.qualified}"
        if key in self.trial.chosen:
            return [self.trial.chosen[key]]
        return bindings(self.subject.found, function, role, self.values)

    def keep(self, function: Function, role: str, binding: Binding) -> None:
        self.trial.chosen.setdefault(f"{role}:{function.qualified}", binding)

    def passes(self, backward: bool, watch: bool) -> None:
        handed = self._handed() if watch else {}
        files = self.subject.files
        if self.plan.forward is not None:
            main = self.plan.forward.qualified
            spy = Watch(files if watch else {self.subject.filename: {}}, main)
            if not self._forward(spy if watch or self._needs_locals() else None):
                self.run.forward = spy if watch else None
                return
            self.run.forward = spy if watch else None
        if watch:
            self._compare(handed, "forward")
        if self.plan.forward is not None:
            self._loss()
        cached = self._cached() if watch else {}
        if backward or self.plan.forward is None:
            before = {slot.name: as_array(fetch(self.root, slot.path)) for slot in self.home.slots}
            spy = Watch(files if watch or self.plan.forward is None else {}, self.plan.backward.qualified)
            self._backward(spy if watch or self.plan.forward is None else None, before)
            self.run.backward = spy
            if watch:
                self._compare(handed, "backward")
                self._compare(cached, "backward")

    def _needs_locals(self) -> bool:
        """Whether backward or the loss may ask for what forward had in its local variables."""
        key = f"backward:{self.plan.backward.qualified}"
        if key not in self.trial.chosen:
            return True
        used = [self.trial.chosen[key], *(each for name, each in self.trial.chosen.items() if name.startswith("loss"))]
        return any(token[0] == "named" for each in used for token in each.values())

    # The forward pass

    def _forward(self, spy: Watch | None) -> bool:
        function = self.plan.forward
        assert function is not None
        failures = "forward: no way to call it was found"
        for binding in self.bound(function, "forward"):
            try:
                if spy is not None:
                    spy.__init__(spy.files, spy.main)  # type: ignore[misc]  # a failed attempt leaves nothing behind
                    with spy:
                        self.result = self.call(function, binding)
                else:
                    self.result = self.call(function, binding)
            except self.subject.urgent:
                raise
            except BaseException as error:
                failures = sentence(error, self.subject.filename)
                self.run.endless |= isinstance(error, RecursionError)
                continue
            locals_ = _locals(spy, function)
            self._learn_names(function, locals_)
            output = self._output(function, locals_)
            if output is None:
                failures = "forward gives no array with one row or column a sample"
                continue
            self.keep(function, "forward", binding)
            self.run.output = as_array(output)
            self.run.single = isinstance(output, np.ndarray) and output.dtype == np.float32
            self.values.roles["output"] = output
            self.values.roles["cache"] = self._cache(output)
            return True
        self.run.failed["forward"] = failures
        return False

    def _learn_names(self, function: Function, locals_: dict[str, Any]) -> None:
        named = self.values.named
        if self.instance is not None:
            named.update({name: value for name, value in vars(self.instance).items() if name not in named})
        named.update({name: value for name, value in locals_.items() if name != "self"})
        if isinstance(self.result, tuple | list):
            for names in [*self.subject.found.targets.get(function.name, []), function.returned]:
                if len(names) == len(self.result):
                    named.update(
                        {name: value for name, value in zip(names, self.result, strict=True) if name and name != "_"}
                    )
        for each in (self.result, *(self.result if isinstance(self.result, tuple) else ())):
            if isinstance(each, dict):
                for key, value in each.items():
                    if isinstance(key, str):
                        named.setdefault(key, value)

    def _output(self, function: Function, locals_: dict[str, Any]) -> Any:
        """Of what forward gave, the array of the outputs' shape; of several, the one named like an output."""
        candidates = [(path, value) for path, value in leaves(self.result) if self._like_output(value)]
        names = function.returned
        if candidates:
            return max(candidates, key=lambda each: self._output_rank(each[0], names))[1]
        for source in (
            vars(self.instance) if self.instance is not None and self.result is None else {},
            locals_ if self.result is None else {},
        ):
            found = [((("key", name),), value) for name, value in source.items() if self._like_output(value)]
            if found:
                return max(found, key=lambda each: self._output_rank(each[0], ()))[1]
        return None

    def _output_rank(self, path: Path, names: tuple[str, ...]) -> tuple[bool, bool, bool, tuple[int, ...]]:
        name = last_name(path)
        if not name and path and path[0][0] == "index" and path[0][1] < len(names):
            name = names[path[0][1]]
        word = vocabulary.plain(name)
        whole = len(path) == 1 and path[0] == ("index", 0) and not word.startswith("z")
        order = tuple(key if isinstance(key, int) else 0 for _, key in path)
        top = len(path) <= 1
        return (
            bool(vocabulary.OUTPUT.match(word)) and word not in ("logits", "scores"),
            word.startswith(("a", "y", "o", "p")) or not word,
            whole and top,
            order,
        )

    def _like_output(self, value: Any) -> bool:
        array = as_array(value)
        if array is None:
            return False
        m, K = len(self.point.X), self.point.targets.shape[1]
        if self.trial.convention.samples == "one":
            return array.size == K and array.shape in ((K,), (1, K), (K, 1), ())
        return array.shape in ((m, K), (K, m)) or (K == 1 and array.shape == (m,))

    def _cache(self, output: Any) -> Any:
        result = self.result
        if isinstance(result, tuple) and any(each is output for each in result):
            rest = [each for each in result if each is not output]
            return rest[0] if len(rest) == 1 else tuple(rest)
        return result

    # The loss

    def _loss(self) -> None:
        trial = self.trial
        if trial.losses_tried:
            if trial.loss is not None:
                self._loss_by(trial.loss)
            elif trial.loss_value:
                self.run.loss = _scalar(self.values.named.get(trial.loss_value))
            return
        for function in (*self.plan.losses, *self._loss_objects()):
            if function is not self.plan.backward and self._loss_by(function):
                trial.loss, trial.losses_tried = function, True
                return
        for name, value in self.values.named.items():
            if vocabulary.role_of_function(name, "loss") and _scalar(value) is not None:
                trial.loss_value, trial.losses_tried, self.run.loss = name, True, _scalar(value)
                return
        trial.losses_tried = True

    def _loss_by(self, function: Function) -> bool:
        for binding in self.bound(function, "loss"):
            try:
                value = self.call(function, binding)
            except self.subject.urgent:
                raise
            except BaseException as error:
                self.run.failed["loss"] = sentence(error, self.subject.filename)
                continue
            number = _scalar(value if not isinstance(value, tuple) else next(iter(value), None))
            if number is None and self.trial.convention.samples == "one":
                number = _scalar(value)
            if number is None:
                self.run.failed["loss"] = f"{function.qualified} gives no single number"
                continue
            self.keep(function, "loss", binding)
            self.run.failed.pop("loss", None)
            self.run.loss, self.run.loss_name = number, function
            self.values.named.setdefault("loss", value)
            return True
        return False

    def _loss_objects(self) -> list[Function]:
        """`self.loss.forward(output, y)`: the loss as an object of the network."""
        found = []
        for owner in vars_of_types(self.instance, self.subject.own):
            if vocabulary.role_of_function(owner, "loss") or "entropy" in owner.lower() or "mse" in owner.lower():
                methods = self.subject.found.classes.get(owner, {})
                named = [
                    methods[each]
                    for each in ("forward", "loss", "calculate", "__call__", "compute", "value")
                    if each in methods
                ]
                found += [each for each in named if len(each.arguments) >= 2][:1]
        return found

    # The backward pass

    def _backward(self, spy: Watch | None, before: dict[str, Array | None]) -> None:
        function = self.plan.backward
        role = "train" if self.plan.style in ("training function", "script") else "backward"
        choices = self.bound(function, role)
        if not choices:
            self.run.failed["backward"] = f"no way to call {function.qualified} was found"
        best: tuple[int, Run, Binding] | None = None
        for binding in choices:
            if best is not None:  # the attempt before may have changed everything
                self._restart()
            attempt = replace(self.run, failed=dict(self.run.failed), gradients={})
            if self._backward_by(function, binding, spy, before, attempt):
                self.keep(function, role, binding)
                _take(self.run, attempt)
                return
            if best is None or len(attempt.gradients) > best[0]:
                best = (len(attempt.gradients), attempt, binding)
        if best is not None:
            _take(self.run, best[1])

    def _restart(self) -> None:
        fresh = _Evaluation(self.trial, self.point, self.run)
        self.root, self.instance, self.values = fresh.root, fresh.instance, fresh.values
        if self.plan.forward is not None:
            spy = Watch({self.subject.filename: {}}, self.plan.forward.qualified)
            self._forward(spy)
            self._loss()

    def _backward_by(
        self, function: Function, binding: Binding, spy: Watch | None, before: dict[str, Array | None], run: Run
    ) -> bool:
        try:
            if spy is not None:
                spy.__init__(spy.files, spy.main)  # type: ignore[misc]
                with spy:
                    result = self.call(function, binding)
            else:
                result = self.call(function, binding)
        except self.subject.urgent:
            raise
        except BaseException as error:
            run.failed["backward"] = sentence(error, self.subject.filename)
            result = None
        else:
            run.failed.pop("backward", None)
        self.returned = result
        self._gradients(function, result, binding, spy, before, run)
        if self.plan.forward is None:
            self._combined(function, result, spy, run)
        return "backward" not in run.failed and len(run.gradients) == len(self.home.slots)

    def _gradients(
        self,
        function: Function,
        result: Any,
        binding: Binding,
        spy: Watch | None,
        before: dict[str, Array | None],
        run: Run,
    ) -> None:
        """Returned, stored, or recovered from the change of the weights; then what the file's update does with them."""
        slots = self.home.slots
        has_rate = ("role", "rate") in binding.values()
        if not self._returns_parameters(function, result, has_rate):
            names = self._names_of(function, result)
            run.gradients = {key: Gradient(*value) for key, value in matched(slots, result, names).items()}
            run.source = "returned"
            if len(run.gradients) == len(slots):
                return
        changed = self._changed(result, before, has_rate)
        if changed and len(changed) >= len(run.gradients):
            run.gradients, run.source = changed, "in place"
            return
        if run.gradients and len(run.gradients) * 2 > len(slots):
            return
        owners = self.root if self.home.kind in ("self", "params") else None
        stored = {
            key: Gradient(*value)
            for key, value in matched(slots, owners, (), self.subject.own, attributes=True).items()
        }
        if len(stored) > len(run.gradients):
            run.gradients, run.source = stored, "stored"
            return
        if spy is not None and "backward" in run.failed:
            local = {
                k: v for each in spy.finished if each.function == function.qualified for k, v in each.locals.items()
            }
            partial = matched(slots, {k: v for k, v in local.items() if vocabulary.gradient_of(k)}, ())
            run.gradients = {key: Gradient(name, value) for key, (name, value) in partial.items()}
            return
        if self.plan.update is not None and "backward" not in run.failed:
            self._update(result, before, run)

    def _names_of(self, function: Function, result: Any) -> tuple[str, ...]:
        if isinstance(result, tuple | list):
            returned = function.returned
            if len(returned) == len(result) and any(returned):
                return returned
            for targets in self.subject.found.targets.get(function.name, []):
                if len(targets) == len(result):
                    return targets
        return function.returned if isinstance(result, tuple | list) and len(function.returned) == len(result) else ()

    def _returns_parameters(self, function: Function, result: Any, has_rate: bool) -> bool:
        """Whether changed weights are returned and not gradients: their names, from a function with a rate."""
        if result is None or not (has_rate or self.plan.style in ("training function", "script")):
            return False
        names = self._names_of(function, result)
        keys = [*names, *(map(str, result) if isinstance(result, dict) else ())]
        return not any(vocabulary.gradient_of(each) for each in keys)

    def _changed(self, result: Any, before: dict[str, Array | None], has_rate: bool) -> dict[str, Gradient]:
        """(before − after) / rate of the weights in place, or of the weights that were returned."""
        rate = RATE if has_rate or self._has_rate() else 1.0
        recovered: dict[str, Gradient] = {}
        for root in (self.root, *self._returned_roots(result)):
            for slot in self.home.slots:
                was = before[slot.name]
                try:
                    now = as_array(fetch(root, slot.path))
                except (KeyError, IndexError, AttributeError, TypeError):
                    continue
                if was is None or now is None or slot.name in recovered:
                    continue
                if now.shape != was.shape:
                    try:
                        np.broadcast_shapes(now.shape, was.shape)
                    except ValueError:
                        continue
                if not np.array_equal(now, was):
                    recovered[slot.name] = Gradient(slot.words, (was - now) / rate)
            if recovered:
                for slot in self.home.slots:
                    was = before[slot.name]
                    if slot.name not in recovered and was is not None:
                        recovered[slot.name] = Gradient(slot.words, np.zeros_like(was))
                return recovered
        return recovered

    def _returned_roots(self, result: Any) -> list[Any]:
        if result is None:
            return []
        roots = [result, *(result if isinstance(result, tuple) else ())]
        if isinstance(result, tuple):
            names = self._names_of(self.plan.backward, result)
            if len(names) == len(result):
                roots.append(dict(zip(names, result, strict=True)))
        return [each for each in roots if isinstance(each, dict | tuple | list)]

    def _has_rate(self) -> bool:
        """Whether the learning rate is an attribute, which was set to ours."""
        return self.instance is not None and any(
            vocabulary.RATE.match(vocabulary.plain(name)) and isinstance(value, int | float)
            for name, value in vars(self.instance).items()
        )

    def _update(self, result: Any, before: dict[str, Array | None], run: Run) -> None:
        function = self.plan.update
        assert function is not None
        self.values.roles["grads"] = result
        for name, value in zip(
            self._names_of(self.plan.backward, result), result if isinstance(result, tuple) else (), strict=False
        ):
            self.values.named[name] = value
        for binding in self.bound(function, "update")[:3]:
            try:
                updated = self.call(function, binding)
            except self.subject.urgent:
                raise
            except BaseException:
                continue
            changed = self._changed(updated, before, ("role", "rate") in binding.values())
            if changed:
                run.gradients, run.source = changed, "in place"
                self.keep(function, "update", binding)
                return

    def _combined(self, function: Function, result: Any, spy: Watch | None, run: Run) -> None:
        """Of a function that does forward and backward in one: its output and its loss."""
        local = _locals(spy, function)
        found = [
            ((("key", name),), value)
            for name, value in local.items()
            if self._like_output(value) and not _difference(name)
        ]
        if found:
            run.output = as_array(max(found, key=lambda each: self._output_rank(each[0], ()))[1])
        for value in result if isinstance(result, tuple) else (result,):
            number = _scalar(value)
            if number is not None:
                run.loss = number
                return
        for name, value in local.items():
            if vocabulary.role_of_function(name, "loss") and _scalar(value) is not None:
                run.loss = _scalar(value)
                return
        if run.output is not None and not self.trial.losses_tried:
            self.values.roles["output"] = _raw(local, run.output)
            self.values.named.update(local)

    # What was written into

    def _handed(self) -> dict[str, tuple[str, Any, Array]]:
        handed: dict[str, tuple[str, Any, Array]] = {}
        for slot in self.home.slots:
            value = fetch(self.root, slot.path)
            array = as_array(value)
            if array is not None:
                handed[slot.name] = ("parameter", value, array)
        for name, what in (("X", "input"), ("Y", "targets")):
            array = as_array(self.values.roles[name])
            if array is not None:
                handed[name] = (what, self.values.roles[name], array)
        return handed

    def _cached(self) -> dict[str, tuple[str, Any, Array]]:
        """What forward left, as it is before backward."""
        cached: dict[str, tuple[str, Any, Array]] = {}
        sources: list[tuple[str, Any]] = [
            ("output", self.values.roles.get("output")),
            ("cache", self.values.roles.get("cache")),
        ]
        if self.instance is not None:
            sources.append(("self", self.instance))
        taken = {id(fetch(self.root, slot.path)) for slot in self.home.slots}
        taken |= {id(self.values.roles["X"]), id(self.values.roles["Y"])}
        for name, source in sources:
            for path, value in leaves(source, self.subject.own):
                array = as_array(value)
                if array is not None and id(value) not in taken:
                    taken.add(id(value))
                    cached[_joined(name, path)] = ("cache", value, array)
        return cached

    def _compare(self, handed: dict[str, tuple[str, Any, Array]], role: str) -> None:
        done = {(each[1], each[2]) for each in self.run.written}
        for name, (what, value, before) in handed.items():
            after = as_array(value)
            if after is None or (name, "forward") in done:
                continue
            if after.shape != before.shape or not np.array_equal(after, before, equal_nan=True):
                self.run.written.append((what, name, role, before, after))


def _take(run: Run, attempt: Run) -> None:
    run.gradients, run.source, run.failed = attempt.gradients, attempt.source, attempt.failed
    run.output = attempt.output if attempt.output is not None else run.output
    run.loss = attempt.loss if attempt.loss is not None else run.loss


def _joined(name: str, path: Path) -> str:
    from chainrule.diagnosis.parameters import words

    text = words(path)
    return name + (text if text.startswith("[") else f".{text}" if text else "")


def _locals(spy: Watch | None, function: Function) -> dict[str, Any]:
    finished: list[Finished] = (
        [] if spy is None else [each for each in spy.finished if each.function == function.qualified]
    )
    if not finished and spy is not None:
        finished = [each for each in spy.finished if each.function.rsplit(".", 1)[-1] == function.name]
    return dict(finished[-1].locals) if finished else {}


def _difference(name: str) -> bool:
    word = vocabulary.plain(name)
    return (
        bool(vocabulary.gradient_of(name))
        or "delta" in word
        or "error" in word
        or (word.startswith(("d", "y", "t")) and word not in ("yhat", "ypred"))
    )


def _raw(local: dict[str, Any], output: Array) -> Any:
    for value in local.values():
        array = as_array(value)
        if array is not None and array.shape == output.shape and np.array_equal(array, output):
            return value
    return output


def _parameter(key: str, home: Home) -> bool:
    return any(slot.path and slot.path[0] == ("key", key) for slot in home.slots)


def vars_of_types(instance: Any, own: tuple[type, ...]) -> dict[str, Any]:
    """The objects of the file's own classes among an object's attributes, by class."""
    if instance is None:
        return {}
    return {type(value).__name__: value for value in vars(instance).values() if own and isinstance(value, own)}


def _scalar(value: Any) -> float | None:
    if isinstance(value, bool | str) or value is None:
        return None
    array = as_array(value)
    if array is None or array.size != 1:
        return None
    return float(array.reshape(-1)[0])
