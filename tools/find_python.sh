#!/bin/sh
# Print the first Python on this machine that can run wirecat (3.11 or newer); explain when there is none.
#
#     python=$(sh tools/find_python.sh [CANDIDATE])
#
# With a CANDIDATE only that one is tried. A candidate is run before it is named: a launcher on the path may be
# the stub of a version that is not installed. Exit 1 and a message on stderr when nothing fits.

tells_version='import sys; print("%d.%d.%d" % sys.version_info[:3]); sys.exit(sys.version_info < (3, 11))'

[ -n "${1:-}" ] || set -- python3 python3.14 python3.13 python3.12 python3.11 python

too_old=''
for candidate in "$@"; do
    if version=$("$candidate" -c "$tells_version" </dev/null 2>/dev/null); then
        command -v "$candidate"
        exit 0
    fi
    [ -z "$version" ] || too_old="$too_old, $candidate is $version"
done

{
    if [ -n "$too_old" ]; then
        echo "wirecat needs Python 3.11 or newer; here ${too_old#, }."
    else
        echo "wirecat needs Python 3.11 or newer; none of these runs here: $*."
    fi
    echo "Install one from your system's packages or from python.org, or name one: make demo PYTHON=/path/to/python3.12"
} >&2
exit 1
