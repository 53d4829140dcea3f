"""The schema of the database `ibkr_trading`, one file a step."""
