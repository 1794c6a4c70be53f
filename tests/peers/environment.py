# SPDX-License-Identifier: Apache-2.0
"""The virtual environment that the other implementations live in, outside of the repository."""
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
# Groups that stand or fall together; a group that cannot be installed is left out.
GROUPS = (("numpy", "ml_dtypes"), ("onnx", "onnxruntime"), ("openvino",), ("ggml-python",), ("torch",))


def default_path():
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return pathlib.Path(cache) / "attest-peers"


def pins():
    """Distribution -> "distribution==version"."""
    text = (HERE / "requirements.txt").read_text()
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    return {line.partition("==")[0]: line for line in lines if line}


def python(path):
    return path / "bin" / "python"


def installed(path):
    """Distribution -> version, of those that are pinned."""
    if not python(path).exists():
        return {}
    code = ("import importlib.metadata as m, sys\n"
            "for n in sys.argv[1:]:\n"
            "    try: print(n, m.version(n))\n"
            "    except m.PackageNotFoundError: pass\n")
    run = subprocess.run([python(path), "-c", code, *pins()], capture_output=True, text=True, check=True)
    return dict(line.split() for line in run.stdout.splitlines())


def set_up(path, without, pip_arguments):
    """Makes the environment and installs what is missing. Returns group -> what pip said last, for
    those that failed."""
    if not python(path).exists():
        subprocess.run([sys.executable, "-m", "venv", path], check=True)
    wanted, failed = pins(), {}
    for group in GROUPS:
        have = installed(path)
        missing = [wanted[n] for n in group if n not in without and wanted[n] != f"{n}=={have.get(n)}"]
        if not missing:
            continue
        print(f"installing {' '.join(missing)} into {path}", file=sys.stderr)
        # Compiling (ggml) on all cores of a small machine is slow, but it is done once.
        run = subprocess.run([python(path), "-m", "pip", "install", "--quiet",
                              "--disable-pip-version-check", *pip_arguments, *missing],
                             capture_output=True, text=True)
        if run.returncode:
            failed[" ".join(missing)] = (run.stderr.strip().splitlines() or ["no reason given"])[-1]
    return failed
