"""Every sentence that a client may read is there in Spanish, says what is meant, and is still said by somebody.

Found in the source, where errors are made: see CONTRIBUTING.md for how to add one.
"""

import ast
import inspect
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Formatter
from typing import Any, get_args

import pytest

import coravet
from coravet import bootstrap
from coravet.core.kernel.errors import DomainError
from coravet.core.scheduling.model import ResourceKind, Status, WaitlistStatus
from coravet.core.tenancy.permissions import Permission
from coravet.entrypoints.http.problems import catalogue
from coravet.entrypoints.http.spanish import SENTENCES, WORDS

SOURCE = Path(coravet.__file__).parent
assert bootstrap.application  # imports every module that defines an error

PASSED_ON = {"str(error)", "error.said", "error.detail", "found.warning", "detail", "worded"}
"""Names under which a sentence that was made elsewhere is handed on; there it stands in a Sentence(…)."""

Values = frozenset[str]


def _subclasses(kind: type[DomainError]) -> Iterator[type[DomainError]]:
    for sub in kind.__subclasses__():
        yield sub
        yield from _subclasses(sub)


DETAILED = {
    kind.__name__
    for kind in (DomainError, *_subclasses(DomainError))
    if "detail" in inspect.signature(kind.__init__).parameters
}
"""Errors that are given their sentence where they are raised."""


class Told:
    """The sentences of one file, as (sentence, names of its values), and what is wrong with how they are made."""

    def __init__(self, tree: ast.Module, where: str = "source") -> None:
        self._where = where
        self._named: defaultdict[str, list[ast.expr]] = defaultdict(list)
        self.sentences: list[tuple[str, Values, str]] = []
        self.faults: list[str] = []
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self._named[node.targets[0].id].append(node.value)
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
                self._named[node.target.id].append(node.value)
        self._find(tree)

    def _find(self, tree: ast.Module) -> None:
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Name(id="Sentence")):
                    self._marked(node)
                case ast.Call(func=ast.Name(id="FieldError")):
                    self._argument(node, 2)
                case ast.Call(func=ast.Name(id=name)) if name in DETAILED:
                    self._argument(node, 0)
                case ast.ClassDef(name=name) if name in {kind.__name__ for kind in _subclasses(DomainError)}:
                    for each in ast.walk(node):
                        match each:
                            case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")))):
                                self._argument(each, 0)

    def _argument(self, call: ast.Call, position: int) -> None:
        named = [keyword.value for keyword in call.keywords if keyword.arg == "detail"]
        for argument in named or call.args[position : position + 1]:
            self._told(argument)

    def _told(self, node: ast.expr) -> None:
        match node:
            case ast.Constant(value=str(text)):
                self.sentences.append((text, frozenset(), self._at(node)))
            case ast.Call(func=ast.Name(id="Sentence")) | ast.Starred():
                pass
            case ast.IfExp(body=body, orelse=orelse):
                self._told(body)
                self._told(orelse)
            case ast.Name(id=name) if self._named[name]:
                for value in self._named[name]:
                    self._told(value)
            case _ if ast.unparse(node) not in PASSED_ON:
                self.faults.append(
                    f"{self._at(node)}: write the sentence as a text or as Sentence('… {{name}} …', name=…), "
                    f"so that it can be found: {ast.unparse(node)}"
                )

    def _marked(self, call: ast.Call) -> None:
        values = frozenset(keyword.arg or "" for keyword in call.keywords)
        match call.args:
            case [ast.Constant(value=str(pattern))]:
                self.sentences.append((pattern, values, self._at(call)))
                if values != names(pattern):
                    self.faults.append(
                        f"{self._at(call)}: the values {sorted(values)} are not those of the pattern: {pattern}"
                    )
            case _:
                self.faults.append(
                    f"{self._at(call)}: the pattern of a Sentence is written out, nothing joined or built"
                )

    def _at(self, node: ast.expr) -> str:
        return f"{self._where}:{node.lineno}"


def names(pattern: str) -> Values:
    """The names in braces."""
    return frozenset(name for _, name, _, _ in Formatter().parse(pattern) if name is not None)


@pytest.fixture(scope="module")
def told() -> list[Told]:
    """Every file of the source."""
    return [
        Told(ast.parse(path.read_text()), f"src/coravet/{path.relative_to(SOURCE)}")
        for path in sorted(SOURCE.rglob("*.py"))
        if path.name != "sentences.py"
    ]


@pytest.fixture(scope="module")
def said(told: list[Told]) -> dict[str, tuple[Values, str]]:
    """Every English sentence with the values that it is always given, and a place where it is said."""
    found: dict[str, tuple[Values, str]] = {}
    for pattern, values, where in (each for file in told for each in file.sentences):
        found[pattern] = (found[pattern][0] & values if pattern in found else values, where)
    for kind in _subclasses(DomainError):
        default = inspect.signature(kind.__init__).parameters.get("detail")
        if default is not None and default.default is not inspect.Parameter.empty:
            found[default.default] = (frozenset(), kind.__name__)
    for code, error in catalogue().items():
        found[error.title] = (frozenset(), f"the title of {code}")
    assert len(found) > 80
    return found


def missing(said: Mapping[str, tuple[Values, str]], spanish: Mapping[str, str]) -> list[str]:
    """What is said in English only."""
    return [
        f"{where}: add its Spanish to spanish.py: {each!r}" for each, (_, where) in said.items() if each not in spanish
    ]


def wrong(said: Mapping[str, tuple[Values, str]], spanish: Mapping[str, str]) -> list[str]:
    """Spanish that nobody says, or that names what is not given."""
    gone = [f"spanish.py: nobody says this any more: {each!r}" for each in spanish if each not in said]
    named = [
        f"spanish.py: {each!r} names {sorted(names(text) - said[each][0])}, which {said[each][1]} does not give"
        for each, text in spanish.items()
        if each in said and names(text) - said[each][0]
    ]
    return gone + named


def test_findable(told: list[Told]) -> None:
    """Sentences are written out where they are made, with the values that their patterns name."""
    faults = [fault for file in told for fault in file.faults]
    assert not faults, "\n".join(faults)


def test_every_sentence(said: dict[str, tuple[Values, str]]) -> None:
    """Each title, detail and field's sentence has its Spanish."""
    assert not missing(said, SENTENCES), "\n".join(missing(said, SENTENCES))


def test_every_translation(said: dict[str, tuple[Values, str]]) -> None:
    """Each Spanish sentence is one that is said, and names only values that are given."""
    assert not wrong(said, SENTENCES), "\n".join(wrong(said, SENTENCES))


def test_punctuation() -> None:
    """Spanish sentences end, ask and exclaim as Spanish does, and speak to nobody as `tú`."""
    for english, spanish in SENTENCES.items():
        assert (spanish[-1] in ".?!") == (english[-1] in ".?!"), spanish
        assert (spanish.count("¿"), spanish.count("¡")) == (spanish.count("?"), spanish.count("!")), spanish
        assert not {"tu", "tus", "tú", "puedes", "debes", "tienes"} & set(spanish.lower().split()), spanish


def test_words() -> None:
    """Words of ours that are filled in have their Spanish."""
    named = (Status, WaitlistStatus, ResourceKind, Permission)
    assert set().union(*map(get_args, named)) <= set(WORDS)


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("FieldError('/a', 'b', f'At most {most}.')", "write the sentence"),
        ("Duplicate('a' + name)", "write the sentence"),
        ("sentence: str = f'At most {most}.'\nraise Duplicate(sentence)", "write the sentence"),
        ("Duplicate('a' if most else f'{most}')", "write the sentence"),
        ("Sentence('At most {most}.', least=1)", "are not those of the pattern"),
        ("Sentence(pattern, least=1)", "written out"),
    ],
)
def test_the_law_sees(source: str, fault: str) -> None:
    """A sentence that could not be found, or whose values do not fit, is told."""
    assert any(fault in each for each in Told(ast.parse(source)).faults)


def test_the_law_compares() -> None:
    """Spanish that is missing, left over, or that names what is not given is told."""
    given: dict[str, Any] = {"At most {most}.": (frozenset({"most"}), "here")}
    assert missing(given, {}) == ["here: add its Spanish to spanish.py: 'At most {most}.'"]
    assert wrong(given, {"At most {most}.": "Máximo {mas}."})
    assert wrong(given, {"At least {least}.": "Mínimo {least}."})
    assert not missing(given, {"At most {most}.": "Máximo {most}."} | {})
