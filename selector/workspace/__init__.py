"""An opened campaign: its resources, its plug-ins with their settings, and its accounts at services."""
