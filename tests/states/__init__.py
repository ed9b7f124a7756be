"""What a run makes of the state it is given, the same in every CRM."""
