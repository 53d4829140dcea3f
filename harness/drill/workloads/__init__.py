"""What counts as a run: a DAG run of Airflow, or what the stack's file says of a system that no Airflow runs."""
