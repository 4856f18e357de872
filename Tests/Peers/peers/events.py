"""Reading an event stream piece by piece (HTML standard, "Interpreting an event stream")."""

import codecs
from dataclasses import dataclass


@dataclass
class Event:
    """One block of an event stream, exactly what was written in it."""

    data: str | None = None
    id: str | None = None
    event: str | None = None
    retry: str | None = None
    comments: tuple = ()

    @property
    def is_comment(self):
        return (self.data, self.id, self.event, self.retry) == (None, None, None, None)

    @property
    def is_priming(self):
        return self.id is not None and self.data in (None, "")


class EventReader:
    """Takes bytes, gives the events that they complete."""

    def __init__(self):
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._text = ""
        self._lines = []

    def feed(self, data):
        self._text += self._decode(data)
        events = []
        while True:
            ends = [at for at in (self._text.find("\n"), self._text.find("\r")) if at >= 0]
            if not ends:
                return events
            end = min(ends)
            if self._text[end] == "\r" and end + 1 == len(self._text):
                return events
            skip = 2 if self._text[end : end + 2] == "\r\n" else 1
            line, self._text = self._text[:end], self._text[end + skip :]
            if line:
                self._lines.append(line)
            elif self._lines:
                events.append(self._event())

    def _event(self):
        event, data, comments = Event(), [], []
        for line in self._lines:
            name, _, value = line.partition(":")
            value = value[1:] if value.startswith(" ") else value
            if not name:
                comments.append(value)
            elif name == "data":
                data.append(value)
            elif name in ("id", "event", "retry"):
                setattr(event, name, value)
        if data:
            event.data = "\n".join(data)
        event.comments = tuple(comments)
        self._lines = []
        return event
