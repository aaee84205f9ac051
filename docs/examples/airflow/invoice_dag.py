"""A daily Airflow DAG of the steps beside it. Needs Apache Airflow 3, which is not among the libraries of our tests."""

from datetime import datetime

from airflow.sdk import dag, task
from invoice_steps import archive_inbox, export_tables, extract_invoices

INBOX, ARCHIVE, OUT, TABLES = "/data/inbox", "/data/archive", "/data/out", "/data/tables"


@dag(schedule="@daily", start_date=datetime(2026, 1, 1), catchup=False, max_active_runs=1)
def invoices():
    extracted = task(extract_invoices, retries=2)(INBOX, OUT)
    exported = task(export_tables)(extracted, TABLES)
    exported >> task(archive_inbox)(INBOX, ARCHIVE)


invoices()
