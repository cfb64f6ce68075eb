"""What the process holds right now: sampled from the things themselves, never counted along."""

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from voicegate.gateway import Gateway

OWN_TASKS = ("RequestHandler.", "TCPSite", "AppRunner")
"""The admin side's own tasks go by these coroutine names (aiohttp)."""


async def sample(gateway: "Gateway", admin_port: int) -> dict[str, Any]:
    """Give the `/resources` object of the contract, without the admin side's own share."""
    loop = asyncio.get_running_loop()
    sockets, files = await loop.run_in_executor(None, _count_descriptors, admin_port)
    return {
        "calls": len(gateway.calls),
        "gemini_sessions": gateway.voice.open_conversations,
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "tasks": sorted(_task_names()),
        "sockets": sockets,
        "files": files,
        "rtp_ports": {
            "lent": gateway.ports.lent,
            "resting": gateway.ports.resting(loop.time()),
        },
    }


def _task_names() -> list[str]:
    """Name every task; a library's unnamed one goes by its coroutine's name."""
    current = asyncio.current_task()
    names = []
    for task in asyncio.all_tasks():
        coroutine = getattr(task.get_coro(), "__qualname__", "unknown")
        if task is not current and not coroutine.startswith(OWN_TASKS):
            unnamed = task.get_name().startswith("Task-")
            names.append(coroutine if unnamed else task.get_name())
    return names


def _count_descriptors(admin_port: int) -> tuple[int, int]:
    """Count the process's inet sockets (without those of the admin port) and its open files."""
    process = psutil.Process()
    sockets = [one for one in process.net_connections("inet") if _port(one.laddr) != admin_port]
    return len(sockets), len(process.open_files())


def _port(address: Any) -> int | None:
    return getattr(address, "port", None)


def memory_bytes() -> int:
    """Give the resident memory of the process."""
    return int(psutil.Process().memory_info().rss)
