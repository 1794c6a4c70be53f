# SPDX-License-Identifier: Apache-2.0
"""One implementation as compare.py sees it. Modules peer_*.py define subclasses; they import their
library only in open(), so that the parent can ask what they offer without having it."""


class Arm:
    name = ""             # "torch SDPA flash"
    package = ""          # the distribution whose version counts
    computes = ""         # accumulation, what is skipped, what a call includes

    def refuses(self, case):
        """Why this case is not for it, or None."""
        raise NotImplementedError

    def stored(self, case):
        """The dtype of keys and values."""
        return case.dtype

    def open(self, case, data):
        """Puts the data where the library wants them. Nothing of this is timed."""
        raise NotImplementedError

    def before_burst(self, calls):
        """Is told that one untimed and `calls` timed calls follow."""

    def call(self):
        raise NotImplementedError

    def before_check(self):
        """For arms whose calls change what the next one computes: computes the case itself."""

    def outputs(self):
        """Of the last call: name -> array [heads, rows, D], for reference.error."""
        raise NotImplementedError

    def close(self):
        """Lets go of the data."""
        self.__dict__.clear()


def dense_only(case):
    """For arms whose library has no backward pass."""
    return "it has no backward pass" if case.do == "bwd" else None
