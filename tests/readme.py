#!/usr/bin/env python3
"""Runs what README.md and docs/ tell people to type, as a person would.

    tests/readme.py [FILE...]        default: README.md, docs/*.md, and the names in all documents

Each document gets a home of its own and one interactive bash on a pseudo-terminal, with the built binary on
the PATH (HQ_VAULT_BIN, else the newest one in the target directory). The ```console blocks are typed from top
to bottom: a line that begins with `$ ` is a command (a code of an entry or ask in it stands for the one printed
last), `> ` continues it, the rest is what it must print. Prompts
are answered. Output is compared loosely: times, ids, tokens, pids, ports and blanks do not count, and `…`
stands for anything, alone on a line for any number of lines. A command may fail only where the document shows
an error of ours.

What steers this, in HTML comments, so that readers are not bothered:
    <!-- not run: REASON -->   the next block is skipped
    <!-- file: NAME -->        the next block is written to NAME in the home
    <!-- run: COMMAND -->      typed, must succeed, prints what it likes

Then every relative link and every test that a document names must exist. Needs Python 3.9 and nothing else.
"""

import fcntl
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PATIENCE = 90  # seconds that one command may take
PROMPT = re.compile(r"<<done (\d+)>>")
PASSPHRASE = "correct horse battery staple"
ANSWERS = [
    (re.compile(r"([Pp]assphrase for .*|The same again): $"), PASSPHRASE),
    (re.compile(r"(Value for .*|leaves it open): $"), "sk_test_not-a-key-but-as-long-as"),
    (re.compile(r"\[(y/N|Y/n)\] $"), "y"),
]
CODE = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}\b")
MASKS = [
    (CODE.pattern, "CODE"),
    (r"\bhq([vs])_[\w-]{20,}", r"hq\1_MASK"),
    (r"\b(tok|sec|ses|vlt|req|slt)_[0-9a-z]{26}\b", r"\1_MASK"),
    (r"HQVR(-[0-9A-Z]{5}){8}", "HQVR-MASK"),
    (r"\bC\{\"v\":1.*", "CHECKPOINT"),
    (r"\b[0-9a-f]{64}\b", "HEX"),
    (r"\bpid \d+", "pid N"),
    (r"localhost:\d+|port \d+", "PORT"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?|\b\d\d:\d\d:\d\d\b", "TIME"),
    (r"\b(in )?\d+ (s|min|h|d)( ago)?\b|\bnow\b|\b(\d+[dhms])+\b", "SPAN"),
    (r"\d[\d,]* (entries|records|checkpoints?|segments?)", r"N \1"),
    (r"\bline \d+|\"sequence\":\d+|between \d+ and \d+", "LINE"),
    (r"/[\w./-]*/(\.hq-vault)", r"~/\1"),
    (r"\s+", " "),
]


class Home:
    """A fresh home, a free port, and a bash in it."""

    def __init__(self, binary):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="hq-vault-readme-"))
        self.port = free_port()
        vault = self.path / ".hq-vault"
        vault.mkdir(mode=0o700)
        (vault / "config.toml").touch(mode=0o600)
        (vault / "config.toml").write_text(f"port = {self.port}\n")
        tools = self.path / ".bin"
        tools.mkdir()
        (tools / "hq-vault").symlink_to(binary)
        self.env = {
            "HOME": str(self.path),
            "PATH": f"{tools}:{os.environ.get('PATH', '/usr/bin:/bin')}",
            "TERM": "xterm",
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "NO_COLOR": "1",
            "PS1": "<<done $?>>",
            "PS2": "",
        }
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(self.path)
            os.execve("/bin/bash", ["bash", "--norc", "--noprofile", "--noediting", "-i"], self.env)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 120, 0, 0))
        mode = termios.tcgetattr(self.fd)
        mode[3] &= ~termios.ECHO
        termios.tcsetattr(self.fd, termios.TCSANOW, mode)
        self.code = None
        self.until_prompt()

    def until_prompt(self):
        """What was printed up to the next prompt, and the exit status; None where it never came."""
        text, answered, end = "", 0, time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if not select.select([self.fd], [], [], 0.2)[0]:
                continue
            try:
                text += os.read(self.fd, 65536).decode(errors="replace")
            except OSError:
                break
            if found := PROMPT.search(text):
                return text[: found.start()], int(found.group(1))
            shown = render(text[answered:])
            for question, answer in ANSWERS:
                if question.search(shown):
                    # Only a visible answer would be echoed, and our terminal echoes nothing.
                    text += "y\n" if answer == "y" else ""
                    answered = len(text)
                    os.write(self.fd, (answer + "\n").encode())
                    break
        return text, None

    def type(self, command):
        command = command.replace("cargo run --release -- ", "hq-vault ")
        command = CODE.sub(lambda found: self.code or found.group(), command)
        os.write(self.fd, (command.replace("localhost:13100", f"localhost:{self.port}") + "\n").encode())
        text, status = self.until_prompt()
        self.code = (CODE.findall(text) or [self.code])[-1]
        return render(text), status

    def write(self, name, text):
        (self.path / name).write_text(text.replace("localhost:13100", f"localhost:{self.port}"))

    def close(self):
        os.close(self.fd)
        for vault in self.path.glob("**/vault.lock"):
            where = ["--vault-dir", str(vault.parent)]
            subprocess.run(["hq-vault", *where, "serve", "--stop"], env=self.env, capture_output=True, timeout=60)
            pid = vault.read_text().strip()
            if pid.isdigit() and alive(int(pid), self.path):
                os.kill(int(pid), signal.SIGKILL)
        os.waitpid(self.pid, 0)
        shutil.rmtree(self.path, ignore_errors=True)


def alive(pid, home):
    """Whether that process is the one we started: it runs from our home's link."""
    try:
        return str(home).encode() in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def render(text):
    """What a terminal shows in the end: carriage returns overwrite, erasing erases, colours are dropped."""
    lines, row, col = [[]], 0, 0
    for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|.|\n", text, re.DOTALL):
        if part == "\n":
            lines.append([])
            row, col = row + 1, 0
        elif part == "\r":
            col = 0
        elif part in ("\x1b[K", "\x1b[0K"):
            del lines[row][col:]
        elif part == "\x1b[2K":
            lines[row].clear()
        elif not part.startswith("\x1b"):
            lines[row].extend(" " * (col - len(lines[row])))
            lines[row][col : col + 1] = [part]
            col += 1
    return "\n".join("".join(line) for line in lines)


def masked(text):
    found = []
    for line in text.splitlines():
        for pattern, put in MASKS:
            line = re.sub(pattern, put, line)
        if line.strip():
            found.append(line.strip())
    return found


def alike(wanted, got):
    """Whether the lines fit, `…` being anything."""
    if not wanted:
        return not got
    if wanted[0] == "…":
        return any(alike(wanted[1:], got[n:]) for n in range(len(got) + 1))
    line = ".*".join(re.escape(piece) for piece in wanted[0].split("…"))
    return bool(got) and bool(re.fullmatch(line, got[0])) and alike(wanted[1:], got[1:])


def steps(text):
    """The document as steps: (kind, line number, argument, body)."""
    note, lines = None, text.splitlines()
    n = 0
    while n < len(lines):
        line = lines[n].strip()
        if found := re.fullmatch(r"<!-- (not run|file|run): (.+) -->", line):
            note = found.groups()
            if note[0] == "run":
                yield "run", n + 1, note[1], ""
                note = None
        elif line.startswith("```"):
            start, kind = n, line[3:]
            n += 1
            while n < len(lines) and lines[n].strip() != "```":
                n += 1
            body = "\n".join(lines[start + 1 : n])
            if note and note[0] == "file":
                yield "file", start + 1, note[1], body + "\n"
            elif kind == "console":
                yield ("skip" if note else "console"), start + 1, note and note[1], body
            note = None
        elif line:
            note = None
        n += 1


def commands(body):
    """Pairs of a command and the lines it must print."""
    found = []
    for line in body.splitlines():
        if line.startswith("$ "):
            found.append([line[2:], []])
        elif line.startswith("> ") and found and not found[-1][1]:
            found[-1][0] += "\n" + line[2:]
        elif found:
            found[-1][1].append(line)
    return found


class Score:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def note(self, good, what, why=""):
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED {what}\n{why}".rstrip())


def run_document(path, binary, score):
    home = Home(binary)
    try:
        for kind, line, argument, body in steps(path.read_text()):
            place = f"{path.relative_to(ROOT)}:{line}"
            if kind == "skip":
                score.skipped += 1
            elif kind == "file":
                home.write(argument, body)
            elif kind == "run":
                text, status = home.type(argument)
                score.note(status == 0, f"{place}: {argument}", text)
            else:
                run_block(home, place, body, score)
    finally:
        home.close()


def run_block(home, place, body, score):
    for command, wanted in commands(body):
        text, status = home.type(command)
        may_fail = any(line.startswith("hq-vault: ") for line in wanted) or "(exit" in "".join(wanted)
        want, got = masked("\n".join(wanted)), masked(text)
        good = status is not None and (status == 0 or may_fail) and alike(want, got)
        why = f"  exit {status}\n  wanted:\n    " + "\n    ".join(want) + "\n  got:\n    " + "\n    ".join(got)
        score.note(good, f"{place}: {command.splitlines()[0]}", why)
        if status is None:
            raise SystemExit(f"{place}: no answer within {PATIENCE} s")


def check_names(score):
    """Links to files that are there, tests that exist."""
    documents = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("spec/*.md")])
    code = "\n".join(f.read_text() for f in ROOT.glob("crates/**/*.rs"))
    tests = set(re.findall(r"\bfn (\w+)\s*\(", code))
    doctor = "\n".join(f.read_text() for f in ROOT.glob("crates/hq-vault/src/cli/run/doctor/*.rs"))
    findings = set(re.findall(r"Finding::(?:new|note)\(\s*\"([a-z-]+)\"|\"((?:dir|file)-[a-z]+)\"", doctor))
    findings = {one or other for one, other in findings}
    for document in documents:
        text = document.read_text()
        where = document.relative_to(ROOT)
        for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text):
            score.note((document.parent / link).exists(), f"{where}: link to {link}")
        if document.name == "SECURITY.md":
            for test in re.findall(r"`([a-z]\w*_\w*_\w+)`", text):
                score.note(test in tests, f"{where}: there is no test {test}")
        if document.name == "ARCHITECTURE.md":
            manifest = (ROOT / "Cargo.toml").read_text().split("[workspace.dependencies]")[1].split("\n[")[0]
            for crate in re.findall(r"(?m)^(?!hqv-)([\w-]+) = ", manifest):
                score.note(f"`{crate}`" in text, f"{where}: the dependency {crate} has no reason")
        if document.name == "troubleshooting.md":
            told = set(re.findall(r"`([a-z-]+)`", "".join(re.findall(r"(?m)^\| (`[^|]+) \|", text))))
            score.note(told == findings, f"{where}: not the findings of doctor", f"  {sorted(told ^ findings)}")


def find_binary():
    if given := os.environ.get("HQ_VAULT_BIN"):
        return pathlib.Path(given).resolve(strict=True)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    built = [p for p in (target / "release" / "hq-vault", target / "debug" / "hq-vault") if p.exists()]
    if not built:
        sys.exit("no hq-vault was built: cargo build -p hq-vault, or set HQ_VAULT_BIN")
    return max(built, key=lambda p: p.stat().st_mtime).resolve()


def main():
    binary = find_binary()
    given = [pathlib.Path(name).resolve() for name in sys.argv[1:]]
    score = Score()
    for document in given or [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]:
        run_document(document, binary, score)
    if not given:
        check_names(score)
    print(f"{score.passed} passed, {score.failed} failed, {score.skipped} skipped")
    sys.exit(1 if score.failed else 0)


if __name__ == "__main__":
    main()
