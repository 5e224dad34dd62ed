"""A team's campaigns: taking over what another campaign of the same contest holds, and backups."""
