"""The sub-commands ``subscribe``, ``status``, ``repair`` and ``unsubscribe``: what tells a CRM where to send events."""
