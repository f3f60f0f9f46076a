"""What a value has been lately: the slack an observer deserves who sees it late."""

from collections import deque


class Window:
    """The values of the last `span_ns`, the one that already stood at its beginning included."""

    def __init__(self, span_ns: int) -> None:
        self._span_ns = span_ns
        self._steps: deque[tuple[int, int]] = deque()

    def add(self, value: int, now_ns: int) -> None:
        """The value is another from now on."""
        steps = self._steps
        if steps and steps[-1][1] == value:
            return
        steps.append((now_ns, value))
        self._forget(now_ns)

    @property
    def last(self) -> int:
        """Return the value as it is; 0 when none was ever told."""
        return self._steps[-1][1] if self._steps else 0

    def values(self, now_ns: int) -> list[int]:
        """Return every value that stood at some moment of the window."""
        self._forget(now_ns)
        return [value for _, value in self._steps]

    def _forget(self, now_ns: int) -> None:
        steps = self._steps
        while len(steps) > 1 and steps[1][0] <= now_ns - self._span_ns:
            steps.popleft()


class Budget:
    """How many things happened in the last `span_ns`."""

    def __init__(self, span_ns: int) -> None:
        self._span_ns = span_ns
        self._times: deque[int] = deque()

    def count(self, now_ns: int) -> int:
        """Take note of one, and return how many there are."""
        times = self._times
        times.append(now_ns)
        while times[0] <= now_ns - self._span_ns:
            times.popleft()
        return len(times)

    def clear(self) -> None:
        """Begin anew."""
        self._times.clear()
