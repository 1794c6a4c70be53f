# SPDX-License-Identifier: Apache-2.0
"""A persistent process that runs one arm. While another arm is timed it is stopped by a signal, so
that threads which spin between calls take nothing from anybody."""
import ctypes
import os
import selectors
import signal
import subprocess
import tempfile


class Failed(Exception):
    """The arm cannot do what it was asked for; says why."""


def environment(threads, kept):
    """`kept`: where inputs and references are, see reference.py. The same for all arms. Large pages for the libraries' own allocations, as attest has them for
    its tensors; and freed memory is kept, so that no call pays for fresh pages."""
    return {**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads),
            "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1",
            "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.trim_threshold=4294967296:"
                              "glibc.malloc.mmap_threshold=4294967296",
            "THP_MEM_ALLOC_ENABLE": "1", "ATTEST_PEERS_KEPT": kept}


def _die_with_parent():
    """A stopped process would never notice that nobody asks any more."""
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    def __init__(self, command, cores, threads, priority=0, timeout_s=60, kept=""):
        self.timeout_s = timeout_s
        self.errors = tempfile.TemporaryFile()

        def place():
            _die_with_parent()
            os.sched_setaffinity(0, cores[:threads])
            if priority:
                os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=self.errors, preexec_fn=place,
                                      env=environment(threads, kept))
        self.replies = selectors.DefaultSelector()
        self.replies.register(self.child.stdout, selectors.EVENT_READ)
        self.kept = b""
        self._pause()

    def _signal(self, number):
        if self.child.poll() is None:
            self.child.send_signal(number)

    def _pause(self):
        self._signal(signal.SIGSTOP)

    def _line(self):
        while b"\n" not in self.kept:
            if not self.replies.select(self.timeout_s):
                self.end()
                raise Failed(f"no answer within {self.timeout_s:.0f} s")
            more = os.read(self.child.stdout.fileno(), 1 << 16)
            if not more:
                raise Failed("it crashed: " + self._last_words())
            self.kept += more
        line, _, self.kept = self.kept.partition(b"\n")
        return line.decode()

    def _last_words(self):
        self.child.wait()
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        return f"exit code {self.child.returncode}" + (f", {lines[-1][:200]}" if lines else "")

    def ask(self, request):
        """One request, one answer without its first word. Failed if that word is "no"."""
        self._signal(signal.SIGCONT)
        try:
            self.child.stdin.write(request.encode() + b"\n")
            self.child.stdin.flush()
            verb, _, rest = self._line().partition(" ")
        except BrokenPipeError:
            raise Failed("it crashed: " + self._last_words()) from None
        finally:
            self._pause()
        if verb == "no":
            raise Failed(rest)
        return rest

    def is_alive(self):
        return self.child.poll() is None

    def end(self):
        self._signal(signal.SIGKILL)
        self.child.wait()
        self.replies.close()
        self.errors.close()
        self.child.stdout.close()
        try:
            self.child.stdin.close()
        except BrokenPipeError:
            pass                      # a request that was never read
