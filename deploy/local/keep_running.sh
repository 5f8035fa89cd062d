#!/bin/sh
# Runs a service and starts it again when somebody has killed it (kill -9, or the kernel for want of memory).
# A service that ends by itself, or that is told to end (SIGTERM), is not started again.
#   keep_running.sh LOG-FILE COMMAND...
log=$1
shift
stopping=
trap 'stopping=yes' TERM INT

for _ in 1 2 3 4 5 6 7 8 9 10; do
    "$@" >>"$log" 2>&1 &
    child=$!
    wait "$child"
    code=$?
    if [ -n "$stopping" ]; then
        # The signal went to the whole group, and broke off the first wait; the service is on its way out.
        wait "$child"
        exit $?
    fi
    [ "$code" -lt 128 ] && exit "$code"
    echo "killed by signal $((code - 128)); starting it again" >>"$log"
done
echo "killed ten times; giving up" >>"$log"
exit "$code"
