"""What `mitmproxy -s` loads. The addon itself is the package beside this file."""

import sys

# mitmproxy loads this file again whenever it changes, and knows nothing of the package.
for _module in [_name for _name in sys.modules if _name.partition(".")[0] == "hopguard"]:
    del sys.modules[_module]

from hopguard.mitm.addon import Hopguard  # noqa: E402

# This module is the addon, rather than to hold one: mitmproxy asks every addon at every event.
globals().update(Hopguard().hooks())
