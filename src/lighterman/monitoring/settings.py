"""Where metrics are served and logs are written."""

import msgspec


class MonitoringSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The address of /metrics and /health; port 0 takes any free one."""

    host: str = "127.0.0.1"
    port: int = 9090


class LogSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The least level that is written, and where: "stdout", "stderr" or the path of a file."""

    level: str = "info"
    output_path: str = "stdout"
    error_output_path: str = "stderr"
