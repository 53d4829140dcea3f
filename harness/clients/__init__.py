"""The only code that knows an outside API: Airflow, the gateway's control port, the notification sink, SQL."""
