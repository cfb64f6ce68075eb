"""What users run: the acceptance list of a voice gateway, as stories."""
