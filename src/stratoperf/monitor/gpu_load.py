"""The utilization of GPUs over some time, as the driver reports it."""

from __future__ import annotations

import threading
import time
from types import TracebackType

from stratoperf.errors import PrerequisiteMissing
from stratoperf.monitor.files import SystemFiles
from stratoperf.monitor.gpu import utilization

PERIOD_S = 0.2
"""Between two questions. The driver answers for a window of its own, 1/6 s to 1 s long, so that
answers overlap; statistics of them take the correlation into account."""


class GpuLoad:
    """Context manager that asks the driver (NVML) for the utilization every 0.2 s.

    Utilization is the percentage of time in which any kernel was running: it shows that the device
    had work, not that it worked well. With several GPUs it is that of the busiest one.

    Raises
    ------
    PrerequisiteMissing
        At the beginning of the block, when the driver does not report the utilization.

    Examples
    --------
    >>> with GpuLoad() as load:  # doctest: +SKIP
    ...     work()
    ...     percents = load.since(30)
    """

    def __init__(self) -> None:
        self._files = SystemFiles()
        self._seen: list[tuple[float, float]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="gpu-load", daemon=True)

    def __enter__(self) -> GpuLoad:
        if self._ask() is None:
            raise PrerequisiteMissing(
                "GPU utilization is not available: NVML does not report it here; see the "
                "GPUs that `stratoperf doctor` lists, and nvidia-smi"
            )
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def since(self, seconds: float) -> list[float]:
        """Return the readings of the utilization of the last seconds, in percent.

        Raises
        ------
        PrerequisiteMissing
            When the driver did not answer in this time.
        """
        begin = time.monotonic() - seconds
        percents = [percent for at, percent in list(self._seen) if at >= begin]
        if not percents:
            raise PrerequisiteMissing(
                f"GPU utilization is unknown: NVML did not answer within {seconds:.3g} s"
            )
        return percents

    def _ask(self) -> float | None:
        answers = utilization(self._files)
        return None if answers is None else max(answers)

    def _watch(self) -> None:
        while not self._stop.wait(PERIOD_S):
            percent = self._ask()
            if percent is not None:
                self._seen.append((time.monotonic(), percent))
