#!/bin/sh
# Starts the program under test with open file modes and keeps its stderr. A file of the tree and
# not one written by the test: a script that was just written may still be open in a process that
# another test is starting, and cannot be executed then.
umask 000
exec "$PROGRAM_UNDER_TEST" "$@" 2>>"$STDERR_LOG"
