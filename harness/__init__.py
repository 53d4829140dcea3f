"""Failure drills for Airflow trading workflows on Interactive Brokers."""
