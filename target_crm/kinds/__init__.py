"""What values are: how a record and a CRM write them, when two are the same, and what is sent."""
