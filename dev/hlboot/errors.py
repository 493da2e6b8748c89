# SPDX-License-Identifier: LGPL-2.1-or-later
"""hlboot's exit codes, and the exception that carries one."""

COMPLETE = 0
FAILED = 1
USAGE = 2
LAUNCH_FAILED = 3       # recovery, or an error in the LCM
TIMED_OUT = 4


class BootError(Exception):
    """Ends hlboot with `code` and one line on standard error."""

    def __init__(self, message, code=FAILED):
        super().__init__(message)
        self.code = code
