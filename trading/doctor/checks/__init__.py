"""One check, one file; the table of them all is trading.doctor.registry."""
