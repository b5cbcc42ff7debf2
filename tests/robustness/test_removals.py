"""Every place that removes, truncates, replaces or creates a file is known, with its reason."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / "src" / "stratoperf"

INSTRUCTION = (
    "these calls change files and are not in the table of tests/robustness/test_removals.py. Use "
    "atomic_file, create_temporary or Journal where you can. Otherwise make sure that the file is "
    "one that we created or that the user named, that nothing is lost when the process is killed "
    "there, and that no link is followed; then add the call with its reason"
)

CHANGES = re.compile(
    r"chmod|chown|copy2|copy_file_range|copyfile|copytree|dump|fchmod|fchown|"
    r"ftruncate|hardlink_to|lchmod|link|makedirs|memmap|mkdir|mkdtemp|mkfifo|mknod|"
    r"mkstemp|mount|move|open_memmap|posix_fallocate|pwrite|pwritev|removedirs|remove|"
    r"rename|renames|rmdir|rmtree|save|savefig|savetxt|savez|savez_compressed|sendfile|"
    r"symlink|symlink_to|tofile|touch|truncate|umount|unlink|utime|write_bytes|"
    r"write_text|FileIO|NamedTemporaryFile|SpooledTemporaryFile|TemporaryDirectory|"
    r"TemporaryFile|ZipFile"
)

ONLY_READS = re.compile(r"(os\.O_(RDONLY|PATH|DIRECTORY|CLOEXEC|NOFOLLOW|NONBLOCK|NOCTTY)( \| )?)+")

OWN_LOCK = "a file under a name of ours, of which this process holds the lock"
DEAD = "a name that ends in its own checksum, and a lock that nobody holds"
JOURNAL = "a journal that this process created or opened, and of which it holds the lock"
TAKEN = "an open file; it changes what is written to it and nothing else"
READS = "reads"

REVIEWED = {
    "running/workers/guard.py": {
        "_memory: tempfile.mkstemp()": "fails where something has the name",
        "_memory: Path(name).unlink()": "the name that mkstemp made up a line before",
    },
    "artifacts/content.py": {
        "_unnamed: tempfile.TemporaryFile()": "it has no name",
        "_write: os.pwrite(descriptor, view[done:done + _LARGEST_WRITE], begin + done)": (
            "a file without a name that `stored` made"
        ),
    },
    "cli/comparison_output.py": {
        "_write: path.open(mode, encoding='utf-8')": (
            "the user named it; it stays the same file, since it may be a device, a pipe, or the "
            "summary that GitHub Actions mounts"
        ),
    },
    "presentation/terminal/streams.py": {
        "_fill: os.open(os.devnull, os.O_WRONLY if descriptor == _STDERR else os.O_RDONLY)": (
            "a device that drops all"
        ),
    },
    "pytest_plugin.py": {
        "pytest_terminal_summary: run.save(output)": (
            "the user named it; appears whole or not at all"
        ),
    },
    "cli/import_command.py": {
        "import_files: run.save(output)": "the user named it; appears whole or not at all",
    },
    "cli/entry.py": {"_silence: os.open(os.devnull, os.O_WRONLY)": "a device that drops all"},
    "stratoswarm/consensus/batch.py": {
        "VoteBatch.save: save(user_path('path', path), self.columns())": (
            "the user named it; see trace.py"
        ),
    },
    "stratoswarm/kernel_modules/devices.py": {
        "OpenDevice.__init__: os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOCTTY)": (
            "the device of a kernel module, whose name the kernel was asked for"
        ),
    },
    "stratoswarm/consensus/trace.py": {"save: np.savez(file, **arrays)": TAKEN},
    "door.py": {
        "open_regular: os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY "
        "| links)": READS,
        "open_regular: io.FileIO(descriptor, 'rb')": READS,
    },
    "presentation/figures.py": {
        "save_history: figure.savefig(file, format=path.suffix[1:].lower())": TAKEN,
    },
    "results/archives.py": {
        "Archive.read: self._zip.open(info)": READS,
        "open_archive: zipfile.ZipFile(_Bounded(file))": READS,
    },
    "results/files.py": {
        "atomic_file: temporary.replace(path)": (
            "the caller owns the name; devices and directories are refused, links are not followed"
        ),
        "atomic_file: temporary.unlink()": OWN_LOCK,
        "write_whole: os.pwrite(descriptor, rest, offset)": TAKEN,
        "write_arrays: zipfile.ZipFile(file, 'w', zipfile.ZIP_STORED, allowZip64=True)": TAKEN,
        "write_arrays: archive.open(f'{name}.npy', 'w', force_zip64=True)": TAKEN,
        "check_directory: directory.mkdir(parents=True, exist_ok=True)": (
            "the user named it; what exists stays as it is"
        ),
        "check_directory: temporary.unlink()": OWN_LOCK,
    },
    "results/journal.py": {
        "Journal.open: os.open(lines, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)": (
            "a journal by its suffix, header and files; opening changes nothing"
        ),
        "Journal.create: (aside / HEADER).open('xb')": "new, in a temporary directory of ours",
        "Journal._cut: os.ftruncate(self._lines.descriptor(), self._outline.size)": (
            "cuts off a part of a line; of the whole ones nothing"
        ),
        "Journal.remove: aside.rename(self.path)": "brings back what came in the moment before",
        "_take_name: aside.rename(path)": "replaces at most an empty directory",
    },
    "results/leftovers.py": {
        "create_temporary_directory: path.mkdir()": "fails where something has the name",
        "remove_journal_files: (directory / name).unlink()": (
            "regular files with names of a journal's own, whose lock the caller holds"
        ),
        "remove_journal_files: directory.rmdir()": "fails where anything else is in it",
        "set_aside: directory.rename(aside)": JOURNAL,
        "_remove_dead_file: path.unlink()": DEAD,
        "_remove_dead_directory: path.rmdir()": f"{DEAD}; fails where anything is in it",
        "LockedFile._open_again: os.open(self._path, _OPEN_ONLY)": "opens without changing",
        "_locked: os.open(path, _OPEN_ONLY)": "opens without changing",
        "_age_s: new.unlink()": OWN_LOCK,
        "_create_locked: os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 438)": (
            "fails where something has the name"
        ),
    },
    "results/plans.py": {"resume_advice: Journal.open(place)": "changes nothing"},
    "results/storage.py": {
        "save_tree: path.parent.mkdir(parents=True, exist_ok=True)": (
            "the user named it; what exists stays as it is"
        ),
        "_name_as_well: arrays.hardlink_to(staging)": "fails where something has the name",
        "_name_as_well: staging.rename(arrays)": "the name was free a moment before",
    },
    "running/recorder.py": {
        "FileRecorder.finish: self._journal.remove()": JOURNAL,
        "FileRecorder.abandon: self._journal.remove()": f"{JOURNAL}; nothing was added to it",
    },
    "running/start_recording.py": {
        "start_file: journal.remove()": JOURNAL,
        "resume_file: journal.remove()": JOURNAL,
        "_resume_journal: Journal.open(place)": "changes nothing",
        "_remove_unused_arrays: arrays.unlink()": "a second name of a file in our journal",
        "_drop_needless_journals: Journal.open(place, must_lock=True)": "changes nothing",
        "_drop_needless_journals: journal.remove()": f"{JOURNAL}; nobody can need what it has",
    },
    "running/runner.py": {"_Execution._record: self._open.remove(progress)": "a list"},
    "running/standard_streams.py": {
        "_reopening.reopen: io.FileIO(number, 'w' if writes else 'r', closefd=False)": TAKEN,
    },
}

NATIVE = re.compile(
    r"\b(unlink|unlinkat|truncate|ftruncate|rename|renameat2?|mkostemp|mkstemp|fallocate"
    r"|posix_fallocate|creat|fopen|ofstream|fstream|mkdir|rmdir|remove_all|symlink|link|mount"
    r"|umount2?)\s*\(|O_CREAT|O_TRUNC|O_TMPFILE"
    r"|\b(call|noted)\(SYS_(mkdirat|mount|pivot_root|umount2)\b"
)

IN_SANDBOX = "in a mount namespace of its own, of a process that has just been made"

REVIEWED_NATIVE = {
    "cpp/stratoswarm/containers/groups.cpp": {
        "mkdir(base.path.c_str(), 0755)": "fails where something has the name",
        "mkdir(path.c_str(), 0755)": "fails where something has the name",
        "rmdir(folder.c_str())": (
            "an empty control group that this helper made, or whose name says that its helper is "
            "a process that is dead"
        ),
    },
    "cpp/stratoswarm/containers/init.cpp": {
        'call(SYS_mkdirat, AT_FDCWD, "/written", 0700)': (
            "only where the sandbox is broken, which it finds out; in the container's root"
        ),
    },
    "cpp/stratoswarm/containers/root.cpp": {
        "noted(SYS_openat, folder, name, O_CREAT | O_EXCL | O_CLOEXEC, 0666)": (
            "in a tmpfs that was made a line before"
        ),
        "noted(SYS_mkdirat, root, name, 0755)": "in a tmpfs that was made a line before",
        'noted(SYS_mount, nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr)': IN_SANDBOX,
        'noted(SYS_pivot_root, ".", ".")': IN_SANDBOX,
        'noted(SYS_umount2, ".", MNT_DETACH)': IN_SANDBOX,
    },
    "cpp/stratoswarm/memory/file_tier.cpp": {
        "open(directory.c_str(), O_TMPFILE": "it has no name",
        "mkostemp(path.data(), O_CLOEXEC)": "fails where something has the name",
        "unlink(path.c_str())": "the name that mkostemp made up a line before",
        "posix_fallocate(file_.number()": "a file of ours without a name",
        "ftruncate(file_.number()": "a file of ours without a name",
        "fallocate(file_.number(), FALLOC_FL_PUNCH_HOLE": "a file of ours without a name",
    },
}


def test_every_call_that_changes_files_was_reviewed() -> None:
    found = Counter(
        f"{path.relative_to(PYTHON)}: {call}"
        for path in sorted(PYTHON.rglob("*.py"))
        for call in changing_calls(path.read_text())
    )
    reviewed = {f"{path}: {call}" for path, calls in REVIEWED.items() for call in calls}
    assert sorted(found.keys() - reviewed) == [], INSTRUCTION
    assert sorted(reviewed - found.keys()) == [], "these are gone; drop them from the table"


def test_every_native_call_that_changes_files_was_reviewed() -> None:
    unknown = []
    for folder in ("cpp", "cuda"):
        for path in sorted((ROOT / folder).rglob("*.*")):
            if path.suffix not in {".cpp", ".hpp", ".cu", ".cuh", ".h", ".inc"}:
                continue
            name = str(path.relative_to(ROOT))
            known = REVIEWED_NATIVE.get(name, {})
            code = re.sub(r"//.*", "", path.read_text())
            unknown += [
                f"{name}: {line.strip()}"
                for line in code.splitlines()
                if NATIVE.search(line) and not any(call in line for call in known)
            ]
    assert unknown == [], INSTRUCTION


def test_the_scan_sees_what_it_is_for() -> None:
    source = """
import os, shutil
class C:
    def f(self, path):
        shutil.rmtree(path)
        path.open("w")
        open(path, mode="a")
        open(path)
        path.open("rb")
        path.replace(other)
        "text".replace("a", "b")
        structs.replace(one, name=1)
"""
    assert list(changing_calls(source)) == [
        "C.f: shutil.rmtree(path)",
        "C.f: path.open('w')",
        "C.f: open(path, mode='a')",
        "C.f: path.replace(other)",
    ]


def changing_calls(source: str) -> Iterator[str]:
    """Yield each call that may change files, with the function that it stands in."""

    def visit(node: ast.AST, inside: str) -> Iterator[str]:
        for child in ast.iter_child_nodes(node):
            place = inside
            if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
                place = f"{inside}.{child.name}".lstrip(".")
            if isinstance(child, ast.Call) and changes_files(child):
                yield f"{place}: {ast.unparse(child)}"
            yield from visit(child, place)

    yield from visit(ast.parse(source), "")


def changes_files(call: ast.Call) -> bool:
    function = ast.unparse(call.func)
    name = function.rpartition(".")[2]
    if name == "replace":
        # Strings take two arguments, structs and dates keywords.
        return function == "os.replace" or (len(call.args) == 1 and not call.keywords)
    if name != "open":
        return CHANGES.fullmatch(name) is not None
    if function == "os.open":
        return len(call.args) < 2 or ONLY_READS.fullmatch(ast.unparse(call.args[1])) is None
    # A path takes the mode first, the built-in function second.
    position = 1 if function in {"open", "io.open"} else 0
    modes = [
        *call.args[position : position + 1],
        *(keyword.value for keyword in call.keywords if keyword.arg == "mode"),
    ]
    return not all(isinstance(mode, ast.Constant) and mode.value in {"r", "rb"} for mode in modes)


def test_one_place_in_native_code_ends_processes() -> None:
    # A failed call leaves -1 for a process, and that is all processes to kill().
    calls = {
        f"{path.relative_to(ROOT)}: {call}"
        for path in sorted((ROOT / "cpp").rglob("*.[ch]pp"))
        for call in re.findall(r"\b(?:kill|killpg|tgkill|pidfd_send_signal)\(.*", path.read_text())
        # Asks only whether it is there.
        if ", 0)" not in call
    }
    assert calls == {
        "cpp/stratoswarm/ending.hpp: kill(pid, SIGKILL) == 0; }",
    }
