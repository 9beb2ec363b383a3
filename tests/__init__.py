"""What must stay true. Folders mirror the rooms; `house/` checks the house itself."""
