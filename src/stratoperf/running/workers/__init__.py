"""Fresh processes that measure: how they are started, talked to, limited in time and ended."""
