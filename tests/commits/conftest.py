# SPDX-License-Identifier: LGPL-2.1-or-later
import os


def pytest_collection_modifyitems(config, items):
    """./test's PATTERN: a part of the name."""
    pattern = os.environ.get("HL_TEST_PATTERN", "")
    config.hook.pytest_deselected(items=[item for item in items if pattern not in item.nodeid])
    items[:] = [item for item in items if pattern in item.nodeid]
