"""The API of SysEvo and Dograh, as their clients know it: it renames, pages, renders and refuses."""
