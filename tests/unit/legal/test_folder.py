"""The folder of legal texts, what is shipped in it, and what `coravet legal check` says of it."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path, PurePath

import pytest
from typer.testing import CliRunner

from coravet.core.legal.canonical import digest, faults
from coravet.core.legal.documents import DOCUMENTS, LOCALES
from coravet.core.legal.folder import examine
from coravet.entrypoints.cli import app
from coravet.settings import LEGAL

SHIPPED = sorted(LEGAL.glob("*/*.md"))


def _check(*arguments: str | Path) -> tuple[int, list[str], list[str]]:
    result = CliRunner().invoke(app, ["legal", "check", *map(str, arguments)])
    return result.exit_code, result.stdout.splitlines(), result.stderr.splitlines()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what is shipped, to be broken."""
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(LEGAL, tmp_path / "legal"))


def _sha256sum(path: Path) -> str:
    # The program that anybody verifies a text with, on purpose not our own code.
    return subprocess.run(["sha256sum", path], check=True, capture_output=True, text=True).stdout.split()[0]  # noqa: S603, S607 -- a fixed program on our own files


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_shipped(path: Path) -> None:
    """Each shipped text is canonical, and `sha256sum`, our hash and the command's agree on it."""
    known = _sha256sum(path)
    code, printed, problems = _check(path)

    assert faults(path.read_bytes()) == []
    assert digest(path.read_bytes()) == known
    version, locale = path.name.removesuffix(".md").rsplit(".", 1)
    assert (code, printed, problems) == (0, [f"{path.parent.name} {version} {locale} {known}"], [])


def test_shipped_whole() -> None:
    """The folder is whole: every document in both languages, each with the same headings, and marked as a draft."""
    assert {(path.parent.name, path.name) for path in SHIPPED} >= {
        (slug, f"1.0.{locale}.md") for slug in DOCUMENTS for locale in LOCALES
    }
    code, printed, problems = _check()
    assert (code, len(printed), problems) == (0, len(SHIPPED), [])
    for slug in DOCUMENTS:
        spanish, english = (
            [
                line.split(" ")[0]
                for line in (LEGAL / slug / f"1.0.{locale}.md").read_text().splitlines()
                if line[:1] == "#"
            ]
            for locale in LOCALES
        )
        assert spanish == english, slug
    for path in SHIPPED:
        third = path.read_text("utf-8").splitlines()[2]
        assert third.startswith(("> **Borrador para revisión de un abogado.**", "> **Draft for a lawyer's review.**"))


def test_git_leaves_them_alone(folder: Path) -> None:
    """Git checks a text out byte for byte, also where it is told to write CRLF."""
    shutil.copy(LEGAL.parent / ".gitattributes", folder.parent)
    (folder / "terms" / "2.0.en.md").write_bytes(b"# T\r\n")
    before = {path: path.read_bytes() for path in folder.glob("*/*.md")}
    git = ["git", "-c", "core.autocrlf=true", "-c", "user.name=Test", "-c", "user.email=test@example.org"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "Texts"]):
        subprocess.run([*git, *arguments], cwd=folder.parent, check=True)  # noqa: S603 -- fixed arguments
    shutil.rmtree(folder)
    subprocess.run([*git, "checkout", "-q", "."], cwd=folder.parent, check=True)  # noqa: S603 -- fixed arguments

    assert {path: path.read_bytes() for path in folder.glob("*/*.md")} == before


def _edited(name: str, edit: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(edit(path.read_bytes() if path.exists() else b""))

    return change


BROKEN: dict[str, Callable[[Path], None]] = {
    "legal/terms/1.0.es-EC.md:1:32 carriage_return": _edited(
        "terms/1.0.es-EC.md", lambda data: data.replace(b"\n", b"\r\n")
    ),
    "legal/terms/1.0.es-EC.md:1:4 not_nfc": _edited(
        "terms/1.0.es-EC.md", lambda data: data.replace("é".encode(), b"e\xcc\x81", 1)
    ),
    "legal/terms/1.0.es-EC.md:1:32 trailing_space": _edited(
        "terms/1.0.es-EC.md", lambda data: data.replace(b"\n", b" \n", 1)
    ),
    "legal/privacy/1.0.en.md:1:3 invisible": _edited(
        "privacy/1.0.en.md", lambda data: data[:2] + b"\xe2\x80\x8d" + data[2:]
    ),
    "legal/privacy/1.0.en.md:1:1 byte_order_mark": _edited("privacy/1.0.en.md", lambda data: b"\xef\xbb\xbf" + data),
    "legal/terms/2.0.en.md:1:1 missing_title": _edited("terms/2.0.en.md", lambda data: b"Terms.\n"),
    "legal/unknown/1.0.en.md unknown_slug": _edited("unknown/1.0.en.md", lambda data: b"# T\n"),
    "legal/1.0.en.md unknown_slug": _edited("1.0.en.md", lambda data: b"# T\n"),
    "legal/terms/1.0.es.md file_name": _edited("terms/1.0.es.md", lambda data: b"# T\n"),
    "legal/terms/v2.en.md file_name": _edited("terms/v2.en.md", lambda data: b"# T\n"),
    "legal/terms/.1.0.en.md.swp file_name": _edited("terms/.1.0.en.md.swp", lambda data: b"# T\n"),
    "legal/terms/1.1.es-EC.md missing_locale": _edited("terms/1.1.en.md", lambda data: b"# T\n"),
    "legal/terms/1.1.en.md missing_locale": _edited("terms/1.1.es-EC.md", lambda data: b"# T\n"),
    "legal/terms/1.0.en.md missing_locale": lambda folder: (folder / "terms/1.0.en.md").unlink(),
    "legal/terms missing_document": lambda folder: shutil.rmtree(folder / "terms"),
    "legal/privacy/1.0.en.md sections_differ": _edited(
        "privacy/1.0.en.md", lambda data: data.replace(b"## 5. Recipients", b"**5. Recipients**")
    ),
}


@pytest.mark.parametrize("told", BROKEN)
def test_broken(told: str, folder: Path) -> None:
    """What breaks a file or the folder is told with its place and its code, and the command fails."""
    BROKEN[told](folder)
    code, _, problems = _check("legal")

    assert code == 1
    assert any(problem.startswith(f"{told} ") for problem in problems), problems


def test_each_problem_alone(folder: Path) -> None:
    """One broken file is one problem for each fault, and all other texts are good."""
    path = folder / "terms" / "1.0.en.md"
    path.write_bytes(path.read_bytes().replace(b"## 6. Price", b"## 6. Price ") + b"\n")
    code, printed, problems = _check("legal")

    assert (code, len(printed)) == (1, len(SHIPPED) - 1)
    assert [problem.split(" ")[1] for problem in problems] == ["trailing_space", "extra_final_newline"]


def test_parts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One file or the folder of one document can be checked alone, from wherever one stands."""
    shutil.rmtree(folder / "privacy")
    monkeypatch.chdir(folder / "terms")

    assert _check("1.0.es-EC.md")[0] == 0
    assert [line.split(" ")[:3] for line in _check(".")[1]] == [["terms", "1.0", "es-EC"], ["terms", "1.0", "en"]]
    assert _check(folder)[0] == 1
    assert _check(folder / "terms", folder / "portal-terms")[0] == 0


def test_another_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CORAVET_LEGAL names the folder where no path is given."""
    shutil.rmtree(folder / "privacy")
    monkeypatch.setenv("CORAVET_LEGAL", str(folder))

    assert _check()[0] == 1
    monkeypatch.delenv("CORAVET_LEGAL")
    assert _check()[0] == 0


def test_versions_in_order() -> None:
    """Texts are told by document, by version as a number and with the required language first."""
    text = b"# T\n"
    names = [f"/legal/terms/{version}.{locale}.md" for version in ("10.0", "2.0", "2.10", "2.9") for locale in LOCALES]
    examined = examine({PurePath(name): text for name in reversed(names)})

    assert [(each.version, each.locale) for each in examined.texts] == [
        (version, locale) for version in ("2.0", "2.9", "2.10", "10.0") for locale in LOCALES
    ]
    assert not examined.problems
