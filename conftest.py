"""A run of whole folders is shared out among the processors; what somebody chose runs as one."""

import os

import pytest


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Say how many workers `-n auto` starts (it stands in pyproject.toml); 0 means none.

    Whoever names files, looks for words, reads along or calls a gateway that runs elsewhere gets
    one test after another.
    """
    option = config.option
    chose = any("::" in place or place.endswith(".py") for place in config.args)
    elsewhere = option.clock == "real" or option.gateway or option.gate
    watches = option.capture == "no" or option.collectonly
    if chose or option.keyword or option.markexpr or elsewhere or watches:
        return 0
    return os.cpu_count() or 1
