# Sourced by the commands beside it: makes the virtual environment in .venv, and again whenever setup.cfg changed.
# All it has to say goes to stderr.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
venv="$root/.venv"

fail() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

# What a command says is shown only if it fails.
quietly() {
    local said
    said="$("$@" 2>&1)" || { echo "$said" >&2; return 1; }
}

# An interpreter that is new enough.
find_python() {
    local candidate
    for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    fail "Python 3.11 or newer is needed; install it (on Debian: apt-get install python3 python3-venv) and try again"
}

# need PACKAGE...: Debian packages that the tests use. Installs them where that is allowed, else says what to do; tests
# of what is missing are then skipped.
need() {
    local package missing=()
    for package in "$@"; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ "${#missing[@]}" -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "$(basename "$0"): these packages are missing: ${missing[*]} (sudo apt-get install ${missing[*]})" >&2
        return 0
    fi
    echo "installing ${missing[*]} ..." >&2
    export DEBIAN_FRONTEND=noninteractive
    quietly apt-get update && quietly apt-get install --yes "${missing[@]}" ||
        fail "could not install ${missing[*]}"
}

# A working .venv that belongs to this place.
make_venv() {
    local python
    if "$venv/bin/python" -m pip --version >/dev/null 2>&1 && [ "$(cat "$venv/.place" 2>/dev/null || echo "$root")" = "$root" ]; then
        return
    fi
    python="$(find_python)"
    echo "making $venv ..." >&2
    if ! "$python" -m venv --clear "$venv" >/dev/null 2>&1; then
        need python3-venv
        quietly "$python" -m venv --clear "$venv" || fail "$python cannot make a virtual environment; see above"
    fi
}

# prepare EXTRA: the project installed with an extra ("" for none). Does nothing if that was done already.
prepare() {
    local extra="$1" stamp wanted
    stamp="$venv/.installed${extra:+-$extra}"
    wanted="$root $(cat "$root/setup.cfg" "$root/pyproject.toml" | cksum)"
    [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return
    # One at a time: the server and the tests may be started together.
    exec 9>"$root/.venv.lock"
    if command -v flock >/dev/null; then flock 9; fi
    if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
        make_venv
        echo "installing scoreboard${extra:+ with what $extra needs} into $venv ..." >&2
        quietly "$venv/bin/python" -m pip install --disable-pip-version-check --root-user-action=ignore \
            --editable "$root${extra:+[$extra]}" || fail "the installation failed; see above"
        echo "$root" >"$venv/.place"
        echo "$wanted" >"$venv/.installed"
        echo "$wanted" >"$stamp"
    fi
    exec 9>&-
}
