"""How long is long: what the rules about a connection's life allow for, in seconds and in numbers.

What is measured beside the connection, such as by a proxy, is late by the time that octets are on
their way and in buffers. So each of them is generous where a finding would hurt.
"""

T_CLOSE = 5.0
"""Until a connection that was announced as ending has to be closed."""

T_FAST = 1.0
"""After a response, within which a close belongs to that response and is no idle timeout."""

T_RACE = 1.0
"""From a request to the end of its connection, if the two crossed on the wire."""

T_PIPELINED = 0.05
"""After a response: what comes sooner may have been on the wire before the response was."""

T_RETRY = 1.0
"""From a lost request to its twin, if no person has decided to repeat it."""

T_PIPELINE_RETRY = 5.0
"""From a failed pipeline to the connection on which its requests are sent again."""

KEEP_ALIVE_TOLERANCE = 1.0
"""By which a promise in Keep-Alive may be missed: it counts whole seconds."""

N = 3
"""Equal observations that make a habit."""

SAME_IDLE = 0.5
"""By which idle times may differ that come from one setting ..."""

SAME_IDLE_SHARE = 0.1
"""... or this part of them, where that is more."""

T_TOGETHER = 1.0
"""Idle connections that a server closes within this time count as one: it may be a restart."""

DRAINING = 5
"""Connections in use that a server ends ..."""

T_DRAINING = 10.0
"""... within this time, when it is being stopped."""
