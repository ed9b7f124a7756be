"""What a run says of itself when the CRM contradicts itself, in the same words for every CRM."""
