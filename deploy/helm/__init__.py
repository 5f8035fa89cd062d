"""The Helm chart (`dialstream/`) and what checks it: helm itself, schemas, and the settings that exist."""
