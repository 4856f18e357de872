"""What the gateway's log says about reading its configuration again."""

import asyncio
import time

ASKED = b"asked by SIGHUP"
READ, USED, REFUSED = b"reading the configuration again", b"the configuration is used", b"nothing has changed"


class Reading:
    """The outcomes of SIGHUP from now on. It must be closed."""

    def __init__(self, log_file):
        self._log = open(log_file, "rb")
        self._log.seek(0, 2)
        self._rest, self._is_asked = b"", False
        self.used, self.refused = 0, 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._log.close()

    def look(self):
        """Takes in what has been written. A change of the file, which is noticed without a signal, is not counted."""
        *lines, self._rest = (self._rest + self._log.read()).split(b"\n")
        for line in lines:
            if READ in line:
                self._is_asked = ASKED in line
            elif USED in line:
                self.used += self._is_asked
                self._is_asked = False
            elif REFUSED in line and ASKED in line:
                self.refused += 1

    async def outcome(self, patience):
        """Waits for one: "used" or "refused"; None if there is none in so many seconds."""
        end = time.monotonic() + patience
        while True:
            used, refused = self.used, self.refused
            self.look()
            if self.used > used:
                return "used"
            if self.refused > refused:
                return "refused"
            if time.monotonic() > end:
                return None
            await asyncio.sleep(0.005)
