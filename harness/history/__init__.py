"""What happened in one drill: the append-only history, and the final reads from independent witnesses."""
