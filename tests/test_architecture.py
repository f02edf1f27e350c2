"""The house rules, read from the source: which way imports run, how long things are, what may not be written."""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.helpers import ROOT, python
from tl_core.registry import registries
from tl_core.runs.states import State
from tl_core.spec import RunSpec

LAYERS = (
    ("app", "pages", "tl_core.__main__"),
    ("tl_core.ui", "tl_core.cli", "tl_core.api", "tl_core.testing"),
    ("tl_core.report",),
    ("tl_core.ui.charts",),
    ("tl_core.studies.search",),
    ("tl_core.runner",),
    ("tl_core.studies",),
    ("tl_core.runs",),
    ("tl_core.training", "tl_core.groups"),
    ("tl_core.planning",),
    ("tl_core.checks", "tl_core.exports", "tl_core.trackers", "tl_core.recipe"),
    ("tl_core.features", "tl_core.jobs", "tl_core.strategies", "tl_core.tasks", "tl_core.ranking"),
    ("tl_core.datasets", "tl_core.backbones", "tl_core.executors", "tl_core.metrics"),
    ("tl_core.data", "tl_core.phases", "tl_core.machine", "tl_core.analysis"),
    ("tl_core.registry", "tl_core.result"),
    ("tl_core.networks", "tl_core.heads", "tl_core.system", "tl_core.spec", "tl_core.former"),
    ("tl_core.errors", "tl_core.events", "tl_core.notes", "tl_core.precision"),
    ("tl_core",),
)
"""A module imports from its own entry and from lower layers, never from a neighbour or from above. The longest name that
fits decides: an outline is a plain value, and lies lower than the networks that it describes; a search is a study that starts
runs, and lies higher than the others."""

SHOWS = ("app", "pages", "tl_core.ui")
"""What may import Streamlit, and may import neither Keras nor a backend of it."""
GRADIENTS = "tl_core.networks.gradients"
ABOUT_BACKENDS: dict[str, tuple[str, ...]] = {
    "tensorflow": (GRADIENTS, "tl_core.machine.backends", "tl_core.exports.litert_dynamic", "tl_core.exports.litert_int8"),
    "jax": (GRADIENTS,),
    "torch": (GRADIENTS, "tl_core.training.resume", "tl_core.machine.backends"),
}
"""Modules that must speak with a backend of Keras itself."""
UNPICKLERS = {"pickle", "_pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
READS_PICKLES = "tl_core.networks.torch_file"
LAST_DEFENCES = (
    *("tl_core.runs.worker", "tl_core.jobs.background", "tl_core.ui.faults", "tl_core.features.engines", "tl_core.exports"),
)
"""What a process of its own ends in, where an exception that nobody expected is told; what a page reads a dataset in, since the
address holds the dataset: every page, and every reload, would be blank; and where an engine is chosen: what that raises is other
people's and differs from network to network, and Keras computes without it; and where a model is converted: the
same."""
PAGE_LINES, MODULE_LINES, FUNCTION_LINES = 80, 250, 40
NOT_IMPORTED = {
    "tensorflow",
    "jax",
    "ruff",
    "mypy",
    "pytest-xdist",
    "pytest-timeout",
    "tensorflow-datasets",
    "importlib-resources",
    "setuptools",
    "aiohttp",
    "flask",
    "flask-cors",
    "graphene",
}
"""Requirements that no module imports by name: Keras' backends, the two that check the code, what runs tests side by side, and
what a test has where it is installed, or starts in another process, as MLflow's server is."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def source_files() -> dict[str, Path]:
    """Every module of the product by its dotted name. A page's name starts with its number and is a path."""
    files = [ROOT / "app.py", *(ROOT / "pages").rglob("*.py"), *(ROOT / "tl_core").rglob("*.py")]
    return {".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file for file in sorted(files)}


MODULES = source_files()


def python_files() -> list[Path]:
    """Everything in Python that is here, tests and benchmarks included."""
    return [*MODULES.values(), *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "benchmarks").rglob("*.py"))]


Rule = Callable[[str], None]
RULES: list[Rule] = []


def rule(check: Rule) -> Rule:
    """Make a test of a check that every module keeps to."""
    RULES.append(check)
    return check


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def nodes(module: str) -> Iterator[ast.AST]:
    """All nodes but those that only a type checker reads."""
    waiting: list[ast.AST] = [tree(module)]
    while waiting:
        node = waiting.pop()
        yield node
        for_types = isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        waiting += node.orelse if for_types else ast.iter_child_nodes(node)  # type: ignore[attr-defined]


def imported(module: str) -> set[str]:
    """Dotted names that `module` imports, at its top or inside a function: a module of ours where it is one."""
    found: set[str] = set()
    for node in nodes(module):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else str(node.module) for name in names}
    return found


def is_within(module: str, places: tuple[str, ...]) -> bool:
    return any(module == place or module.startswith(f"{place}.") for place in places)


def place_of(module: str) -> tuple[int, str]:
    """The layer of `module`, counted from above, and its entry there."""
    fitting = [(entry, index) for index, layer in enumerate(LAYERS) for entry in layer if is_within(module, (entry,))]
    entry, index = max(fitting, key=lambda found: len(found[0]))
    return index, entry


@rule
def imports_run_one_way(module: str) -> None:
    layer, entry = place_of(module)
    assert entry != "tl_core" or module == "tl_core", f"{module} has no place in LAYERS"
    ours = {name for name in imported(module) if name in MODULES}
    wrong = {name for name in ours if place_of(name)[0] <= layer and place_of(name)[1] != entry}
    assert not wrong


def test_imports_make_no_circle() -> None:
    graph = {module: {name for name in imported(module) if name in MODULES and name != module} for module in MODULES}
    assert len(tuple(TopologicalSorter(graph).static_order())) == len(MODULES)  # CycleError names the circle


def test_the_layers_name_what_exists() -> None:
    for entry in {entry for layer in LAYERS for entry in layer} - {"pages"}:
        assert entry in MODULES, entry


@rule
def who_imports_what(module: str) -> None:
    roots = {name.split(".")[0] for name in imported(module)}
    if is_within(module, SHOWS):
        assert not roots & {"keras", "keras_hub", *ABOUT_BACKENDS}
    else:
        assert "streamlit" not in roots
    assert not {backend for backend, modules in ABOUT_BACKENDS.items() if backend in roots and module not in modules}
    assert not roots & UNPICKLERS or module == READS_PICKLES


SERVES = """
import importlib, pkgutil, sys
import tl_core.ui
from tl_core import backbones
from tl_core.recipe import Recipe
from tl_core.cli import progress
from tl_core.planning import backbone_profile
from tl_core.registry import registries
from tl_core.runner import control, reconcile, runner
from tl_core.runs import artifacts, store
from tl_core.spec import RunSpec
for module in pkgutil.walk_packages(tl_core.ui.__path__, "tl_core.ui."):
    importlib.import_module(module.name)
Recipe.of(RunSpec()).require_runnable()
for registry in registries().values():
    for part in registry.parts().values():
        part.model_json_schema(), part.summary()
for part in backbones.backbones.parts().values():
    part.catalogue()
reconcile.reconcile(store.Store())
print(sorted({"keras", "keras_hub", "tensorflow", "torch", "jax"} & {name.split(".")[0] for name in sys.modules}))
"""


def test_trap_11_the_process_that_serves_pages_has_no_keras() -> None:
    done = python(SERVES)
    assert (done.out, done.code) == ("[]\n", 0), done.err


def length(file: Path) -> int:
    return len(file.read_text(encoding="utf-8").splitlines())


def functions(module: str) -> Iterator[Function]:
    return (node for node in ast.walk(tree(module)) if isinstance(node, Function))


@rule
def nothing_is_too_long(module: str) -> None:
    assert length(MODULES[module]) <= (PAGE_LINES if is_within(module, ("pages",)) else MODULE_LINES)
    lengths = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in functions(module)}
    assert not {name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES}


@rule
def public_names_are_typed_and_documented(module: str) -> None:
    assert ast.get_docstring(tree(module)), "the module has no docstring"
    missing = [name for name, node in public(module) if not (is_documented(node) or inherits_documentation(name))]
    assert not missing, "without a docstring"
    untyped = [name for name, node in public(module) if isinstance(node, Function) and not is_typed(node)]
    assert not untyped


def public(module: str) -> Iterator[tuple[str, ast.ClassDef | Function]]:
    """Public classes, functions and methods: (name or Class.name, node). Python's own methods say what they do."""
    for node in tree(module).body:
        if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_"):
            yield node.name, node
            if isinstance(node, ast.ClassDef):
                for below in node.body:
                    if isinstance(below, Function) and not below.name.startswith("_"):
                        yield f"{node.name}.{below.name}", below


def is_documented(node: ast.ClassDef | Function) -> bool:
    """Stubs of a protocol, whose body is an ellipsis, are covered by the protocol's own docstring."""
    only = node.body[0]
    is_stub = isinstance(only, ast.Expr) and isinstance(only.value, ast.Constant) and only.value.value is ...
    return bool(ast.get_docstring(node)) or is_stub


@cache
def classes() -> dict[str, ast.ClassDef]:
    return {node.name: node for module in MODULES for node in ast.walk(tree(module)) if isinstance(node, ast.ClassDef)}


def inherits_documentation(name: str) -> bool:
    """Whether a method overrides one that has a docstring, in a class above its own."""
    owner, _, method = name.partition(".")
    bases = [base.value if isinstance(base, ast.Subscript) else base for base in classes()[owner].bases]
    above = [base.id for base in bases if isinstance(base, ast.Name)] if method else []
    for base in (base for base in above if base in classes()):
        members = [node for node in classes()[base].body if isinstance(node, Function) and node.name == method]
        if any(ast.get_docstring(node) for node in members) or inherits_documentation(f"{base}.{method}"):
            return True
    return False


def is_typed(node: Function) -> bool:
    return node.returns is not None and all(parameter.annotation for parameter in parameters(node))


def parameters(node: Function) -> list[ast.arg]:
    """All but the object or the class of a method."""
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
    return [argument for argument in arguments if argument and argument.arg not in ("self", "cls")]


MOST_WITHOUT_ARGS = 4
"""Up to so many parameters may be described in sentences."""


def test_five_parameters_are_described_one_by_one() -> None:
    """In an `Args:` section, where a line may name several. Of a command, the help of its options describes them."""
    wrong = {}
    for file in [*MODULES.values(), *sorted((ROOT / "benchmarks").rglob("*.py"))]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, Function) and (text := ast.get_docstring(node)) and not is_command(node):
                section = text.partition("Args:\n")[2].partition("\n\n")[0]
                named = " ".join(re.findall(r"^    ([\w*, ]+):", section, re.MULTILINE))
                missing = {parameter.arg for parameter in parameters(node)} - set(re.findall(r"\w+", named))
                if missing and len(parameters(node)) > MOST_WITHOUT_ARGS:
                    wrong[f"{file.relative_to(ROOT)}:{node.lineno}"] = missing
    assert wrong == {}


def is_command(node: Function) -> bool:
    return any(".command(" in ast.unparse(mark) for mark in node.decorator_list)


@rule
def what_may_not_be_written(module: str) -> None:
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.ExceptHandler):
            assert node.type, f"a bare except in line {node.lineno}"
            caught = {name.id for name in ast.walk(node.type) if isinstance(name, ast.Name)}
            assert not caught & {"Exception", "BaseException"} or module in LAST_DEFENCES, f"line {node.lineno}"
        elif isinstance(node, ast.keyword):
            value = node.value.value if isinstance(node.value, ast.Constant) else None
            assert not (node.arg or "").startswith("unsafe_"), f"line {node.value.lineno}"
            assert (node.arg, value) not in {("safe_mode", False), ("allow_pickle", True)}, f"line {node.value.lineno}"
        elif isinstance(node, ast.Compare | ast.MatchValue) and module != "tl_core.runs.states":
            texts = {below.value for below in ast.walk(node) if isinstance(below, ast.Constant)}
            assert not texts & {str(state) for state in State}, f"a state by its text in line {node.lineno}"


@rule
def part_packages_show_parts_and_nothing_else(module: str) -> None:
    """What parts share stands in modules that begin with an underscore."""
    package, _, name = module.rpartition(".")
    if package in {registry.package for registry in registries().values()} and not name.startswith("_"):
        marks = [
            ast.unparse(mark) for node in tree(module).body if isinstance(node, ast.ClassDef) for mark in node.decorator_list
        ]
        assert any(mark.startswith("register(") for mark in marks), "it registers no part"


PART_NAMES = {name: part.__module__ for registry in registries().values() for name, part in registry.parts().items()}
"""The name of every part, and its module."""
SAME_WORD = {
    ("tl_core.training.resume", "numpy"),
    ("tl_core.training.resume", "keras"),
    ("tl_core.networks.identity", "keras"),
    ("tl_core.tasks.classification", "accuracy"),
    ("tl_core.ui.charts.comparing", "accuracy"),
    ("tl_core.ui.charts.curves", "accuracy"),
    ("tl_core.report.figures", "accuracy"),
}
"""Where the name of a part is something else: the library of that name, whose random numbers or classes they are; the word in
Keras' logs; the column of a table."""
FOREIGN_SENTENCES = {"tl_core.spec", "tl_core.networks.onnx_graph"}
"""Modules that read what another library says in words: pydantic's complaint about a setting becomes ours, and so does what
OpenVINO cannot compute."""
SENTENCE = re.compile(r"\w\W* \W*\w")
TEXT_METHODS = {"startswith", "endswith", "removeprefix", "removesuffix", "find", "index", "count", "partition", "rpartition"}
KIND_FIELDS = {
    name
    for registry in registries().values()
    for name in set.intersection(*(set(part.model_fields) for part in registry.parts().values()))
}
KIND_FIELDS |= set(RunSpec.model_fields)
"""Settings that every part of a kind, or every run, has."""


@cache
def text_constants(module: str) -> dict[str, str]:
    """The texts that `module` gives a name at its top, in a tuple or alone."""
    found: dict[str, str] = {}
    for node in tree(module).body:
        if isinstance(node, ast.Assign):
            sides = (each.elts if isinstance(each, ast.Tuple) else [each] for each in (node.targets[0], node.value))
            for name, value in zip(*sides, strict=False):
                if isinstance(name, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, str):
                    found[name.id] = value.value
    return found


@cache
def named_texts(module: str) -> dict[str, str]:
    """The same, with those that it imports from other modules of ours."""
    imports = [node for node in ast.walk(tree(module)) if isinstance(node, ast.ImportFrom) and node.module in MODULES]
    theirs = [(each, text_constants(str(node.module))) for node in imports for each in node.names]
    return text_constants(module) | {each.asname or each.name: known[each.name] for each, known in theirs if each.name in known}


def texts(node: ast.AST, module: str) -> set[str]:
    """The texts that `node` is, or is a collection of: written there, or by their names."""
    if isinstance(node, ast.Set | ast.Tuple | ast.List):
        return {text for each in node.elts for text in texts(each, module)}
    if isinstance(node, ast.Dict):
        return {text for each in node.keys if each for text in texts(each, module)}
    if isinstance(node, ast.Name):
        return {text for name, text in named_texts(module).items() if name == node.id}
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()


def recognised(module: str) -> Iterator[tuple[int, str]]:
    """The texts that something is compared with, matched with, or looked up by, and the line of each."""
    for node in ast.walk(tree(module)):
        where = list[ast.AST]()
        if isinstance(node, ast.Compare):
            where = [node.left, *node.comparators]
        elif isinstance(node, ast.MatchValue):
            where = [node.value]
        elif isinstance(node, ast.Subscript):
            where = [node.slice, node.value]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            where += node.args[:1] if node.func.attr in TEXT_METHODS | {"get"} else []
            where += [node.func.value] if node.func.attr == "get" else []
        yield from ((node.lineno, text) for each in where for text in texts(each, module))  # type: ignore[attr-defined]


@rule
def no_part_is_recognised_by_its_name(module: str) -> None:
    """What one asks of a part is a fact of its class: `Strategy.pretrained`, `Executor.shares_store`."""
    named = {(line, text) for line, text in recognised(module) if PART_NAMES.get(text, module) != module}
    assert not {(line, text) for line, text in named if (module, text) not in SAME_WORD}


@rule
def nothing_is_recognised_by_its_wording(module: str) -> None:
    """What is told in a sentence is told as a fact, too, which can be asked for; sentences change."""
    sentences = {(line, text) for line, text in recognised(module) if SENTENCE.search(text)}
    assert module in FOREIGN_SENTENCES or not sentences


@rule
def no_setting_of_a_part_is_looked_for_by_its_spelling(module: str) -> None:
    """One that some parts of a kind have and others do not: that is a fact of the class. Parts know their own."""
    if is_within(module, tuple(registry.package for registry in registries().values())):
        return
    for node in ast.walk(tree(module)):
        of, name = None, None
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
            of, name = node.comparators[0], node.left
        elif isinstance(node, ast.Subscript):
            of, name = node.value, node.slice
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get" and node.args:
            of, name = node.func.value, node.args[0]
        of = of.func if isinstance(of, ast.Call) else of
        if isinstance(of, ast.Attribute) and of.attr in {"settings", "model_fields", "model_dump"} and name:
            assert not texts(name, module) - KIND_FIELDS, f"line {node.lineno}"  # type: ignore[attr-defined]


def broken(check: Rule) -> dict[str, str]:
    """The modules that do not keep to it, each with what is wrong."""
    found = {}
    for module in MODULES:
        try:
            check(module)
        except AssertionError as error:
            found[module] = str(error)
    return found


@pytest.mark.parametrize("check", RULES, ids=lambda check: check.__name__)
def test_every_module_keeps_to(check: Rule) -> None:
    assert broken(check) == {}


COMPILES_OTHERWISE = r"re|((self|run)\.)?preparer|sa\..*"
"""What has a `compile` that is not Keras': Python's patterns, our own `PhasePreparer`, and SQLAlchemy."""


def test_trap_10_what_is_compiled_is_passed_by_name() -> None:
    """The third argument of Keras' `compile` is `loss_weights`, where one would expect the metrics."""
    calls = [
        (str(file.relative_to(ROOT)), node.lineno, ast.unparse(node.func.value))
        for file in python_files()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "compile" and node.args
    ]
    assert not [call for call in calls if not re.fullmatch(COMPILES_OTHERWISE, call[-1])]


TRAPS = range(1, 13)
"""The numbers of Keras' traps; the tests say what each of them is."""


def test_every_trap_has_a_test() -> None:
    texts = [file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("*.py")]
    assert {int(number) for text in texts for number in re.findall(r"^def test_trap_(\d+)_", text, re.MULTILINE)} == set(TRAPS)


def test_every_trap_is_run_on_the_other_backends() -> None:
    """By its number, in whatever file: a list of files that somebody keeps has left one out before."""
    on_backend = (ROOT / ".ci" / "prepare").read_text(encoding="utf-8").partition("on_backend() {")[2].partition("\n}")[0]
    assert '    pytest -k test_trap -m "" $(grep -rlE "^def test_trap_[0-9]" tests)' in on_backend.splitlines()
    scripts = {script: (ROOT / ".ci" / script).read_text(encoding="utf-8") for script in ("run", "full")}
    loop = scripts["full"].partition("for backend in jax torch; do\n")[2].partition("\ndone")[0]
    assert '    on_backend "$backend" ' in loop
    assert 'others=(jax torch)\nbackends\non_backend "${others[$(git rev-list --count HEAD || echo 0) % 2]}"' in scripts["run"]


def requirements() -> dict[str, str]:
    """Of the product, of its tests, of its optional sources of data and networks, and of its tests on Keras' other backends."""
    names = ("", "-tests", "-sources", "-texts", "-kerashub", "-networks", "-exports", "-tracking", "-backends")
    texts = [(ROOT / f"requirements{name}.txt").read_text(encoding="utf-8") for name in names]
    lines = [line for line in "\n".join(texts).splitlines() if line and not line.startswith(("#", "-"))]
    return {line.partition("==")[0]: line.partition("==")[2] for line in lines}


@cache
def all_imports() -> set[str]:
    """Top-level names of other people's packages that anything in the repository imports, tests included."""
    found = {name.split(".")[0] for module in MODULES for name in imported(module)}
    for file in [*(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(str(node.module).split(".")[0])
    ours = {path.stem for path in ROOT.iterdir()}
    return found - ours - set(sys.stdlib_module_names)


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_requirement_is_pinned() -> None:
    assert requirements()
    for name, version in requirements().items():
        assert re.fullmatch(r"[a-z0-9-]+", name), name
        assert re.fullmatch(r"\d+(\.\d+)+", version), name


def distributions() -> dict[str, list[str]]:
    """What other people's modules come with; of one that is not installed here, that name is not known of itself."""
    return {"mlflow": ["mlflow-skinny"]} | dict(packages_distributions())


def test_every_import_is_required() -> None:
    made_by = distributions()
    required = set(requirements())
    missing = {name for name in all_imports() if not {normal(dist) for dist in made_by.get(name, [name])} & required}
    assert not missing


def test_every_requirement_is_used() -> None:
    """It is imported, or its files are: then its name stands in the code as a text."""
    texts = {node.value for module in MODULES for node in ast.walk(tree(module)) if isinstance(node, ast.Constant)}
    used = NOT_IMPORTED | {
        normal(dist) for name, dists in distributions().items() for dist in dists if name in all_imports() or name in texts
    }
    used |= {normal(text) for text in texts if isinstance(text, str)}  # of packages that are not installed here
    assert not set(requirements()) - used - all_imports()  # those of the other backends may not be installed here
