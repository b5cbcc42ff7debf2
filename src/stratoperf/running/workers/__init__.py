"""Fresh processes that measure: start, messages, time limits and end."""
