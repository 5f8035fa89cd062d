#!/usr/bin/env bash
# As the official image does: started as root, it owns the data and goes on as `mongodb`.
set -euo pipefail
if [ "$(id -u)" = 0 ]; then
    chown -R mongodb:mongodb /data/db /data/configdb
    exec setpriv --reuid=999 --regid=999 --clear-groups "$0" "$@"
fi
exec "$@"
