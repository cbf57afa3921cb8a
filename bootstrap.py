"""Sets up splitbrain in .venv beside this file, then runs a command in it: ``python3 bootstrap.py splitbrain --help``.

Needs Python 3.11 or newer and a package index that pip can reach; nothing else. A second call finds the environment and is quick.
Standard library only, and simple enough that an older Python 3 gets a sentence instead of a syntax error.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
BIN = HERE / ".venv" / "bin"
STAMP = HERE / ".venv" / "splitbrain-installed"
OLDEST = (3, 11)


def main(argv):
    """Set up if need be, then become the command ``argv``."""
    if sys.version_info < OLDEST:
        found = ".".join(str(part) for part in sys.version_info[:3])
        return complain(f"Python {found} is too old: splitbrain needs 3.11 or newer (try python3.12 bootstrap.py ...)")
    if not argv:
        return complain("name a command: python3 bootstrap.py splitbrain --help, or python3 bootstrap.py pytest")
    if not STAMP.exists() or STAMP.read_text() != fingerprint():
        if not (set_up_venv() and install()):
            return 255
        STAMP.write_text(fingerprint())
    command = BIN / argv[0]
    if not command.exists():
        return complain(f"{argv[0]} is not installed in {BIN.parent}")
    os.environ["PATH"] = str(BIN) + os.pathsep + os.environ.get("PATH", "")
    return os.execv(command, [str(command), *argv[1:]])


def set_up_venv():
    """A virtual environment with pip. Debian and Ubuntu keep what that needs in a package of its own."""
    if usable() or make_venv():
        return True
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if shutil.which("apt-get") and (not root or shutil.which("sudo")):
        say(f"installing {package} with apt-get")
        apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
        succeeds(*apt, "update")
        for name in (package, "python3-venv"):
            if succeeds(*apt, "install", "-y", "--no-install-recommends", name):
                break
        if make_venv():
            return True
    complain(f"{sys.executable} cannot make virtual environments: sudo apt-get install {package}, then try again")
    return False


def make_venv():
    shutil.rmtree(BIN.parent, ignore_errors=True)
    return succeeds(sys.executable, "-m", "venv", str(BIN.parent)) and usable()


def usable():
    return succeeds(str(BIN / "python"), "-m", "pip", "--version")


def install():
    say(f"installing splitbrain into {BIN.parent} (once)")
    pip = [str(BIN / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*pip, "--editable", f"{HERE}[test]"], stdout=sys.stderr, check=False)
    if done.returncode:
        complain("pip could not install splitbrain: see its lines above")
    return done.returncode == 0


def succeeds(*argv):
    """Whether the command ended well; what it prints is dropped."""
    try:
        done = subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    except OSError:
        return False
    return done.returncode == 0


def fingerprint():
    """Changes when the dependencies, the interpreter or the place may have changed."""
    return hashlib.sha256((HERE / "pyproject.toml").read_bytes() + f"{sys.version}{HERE}".encode()).hexdigest()


def say(sentence):
    sys.stderr.write(f"bootstrap: {sentence}\n")


def complain(sentence):
    say(sentence)
    return 254


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
