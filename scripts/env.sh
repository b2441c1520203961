# shellcheck shell=bash
# Sourced by the scripts beside it. Gives them $root, $venv and $python, and set_up.

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd -P)
venv=$root/.venv
python=$venv/bin/python

say() { printf 'hopguard: %s\n' "$*" >&2; }

# set_up runtime|dev: make $venv ready. A second run finds its stamp, installs nothing, needs no network.
set_up() {
    if is_ready "$1"; then return; fi
    (
        if command -v flock >/dev/null && ! flock -n 9; then
            say "waiting for another script that is setting up .venv"
            flock 9
        fi
        is_ready "$1" || install "$1"
    ) 9>"$root/.venv.lock"
}

# A stamp is all that the set-up depends on, as text. The path is part of it: a venv cannot be moved.
stamp() {
    printf '%s\n' "$root" "$("$python" --version)"
    cat "$root/pyproject.toml" "$root/scripts/constraints.txt"
}

is_ready() {
    is_ours && [[ -f $venv/ready-$1 && "$(<"$venv/ready-$1")" == "$(stamp)" ]]
}

# Made completely, here, by the interpreter that is asked for, if one is.
is_ours() {
    local made_at made_by
    [[ -x $python && -f $venv/made ]] || return
    { IFS= read -r made_at && IFS= read -r made_by; } <"$venv/made" || return
    [[ $made_at == "$root" && ${HOPGUARD_PYTHON:-$made_by} == "$made_by" ]] || return
    "$python" -c '' 2>/dev/null
}

install() {
    local uv='' extras='' kind
    if uv --version >/dev/null 2>&1; then uv=uv; fi
    if [[ $1 == dev ]]; then extras='[dev]'; fi

    # A venv that uv made has no pip.
    if ! is_ours || { [[ -z $uv ]] && ! "$python" -m pip --version >/dev/null 2>&1; }; then
        make_venv "$uv"
    fi
    is_ready runtime || rm -f "$venv"/ready-*
    say "installing what '$1' needs into .venv with ${uv:-pip}; this takes a minute, once"

    # Relative paths, because pip splits these variables at spaces. They pin the build backend too:
    # the first does so in an older pip, the second in a newer one.
    (
        cd "$root" || exit
        if [[ -n $uv ]]; then
            uv pip install --quiet --python .venv/bin/python --compile-bytecode \
                --constraints scripts/constraints.txt --build-constraints scripts/constraints.txt \
                --editable ".$extras"
        else
            PIP_CONSTRAINT=scripts/constraints.txt PIP_BUILD_CONSTRAINT=scripts/constraints.txt \
                "$python" -m pip install --quiet --no-input --disable-pip-version-check \
                --editable ".$extras"
        fi
    ) || { say "the installation failed: see above. The first set-up needs the network."; exit 1; }

    # Last, so that an interrupted set-up is done again.
    for kind in runtime "$1"; do stamp >"$venv/ready-$kind"; done
}

make_venv() {
    local uv=$1 interpreter
    if interpreter=$(find_python "$uv"); then
        :
    elif [[ -n $uv && -z ${HOPGUARD_PYTHON:-} ]]; then
        interpreter=$(<"$root/.python-version") # uv finds or downloads it
    else
        explain_no_python
        exit 1
    fi
    say "making .venv with $interpreter"
    rm -rf "$venv"
    if [[ -n $uv ]]; then
        uv venv --quiet --no-project --python "$interpreter" "$venv"
    else
        "$interpreter" -m venv "$venv"
    fi
    printf '%s\n' "$root" "${HOPGUARD_PYTHON:-}" >"$venv/made"
}

candidates() {
    if [[ -n ${HOPGUARD_PYTHON:-} ]]; then
        printf '%s\n' "$HOPGUARD_PYTHON"
        return
    fi
    local pyenv=${PYENV_ROOT:-${HOME:-}/.pyenv}/versions
    printf '%s\n' python3.13 python3.12 python3.14 python3 python \
        "$pyenv"/3.13*/bin/python "$pyenv"/3.12*/bin/python "$pyenv"/3.*/bin/python
}

# Each is run, because pyenv's shims are on the PATH for versions that they then refuse to start.
# _base_executable: an active venv, perhaps the one to be replaced, stands in for what it was made with.
find_python() {
    local uv=$1 candidate modules='sys, ensurepip, venv'
    if [[ -n $uv ]]; then modules=sys; fi
    while IFS= read -r candidate; do
        "$candidate" -I -c "import $modules; sys.version_info >= (3, 12) or sys.exit(1)
print(getattr(sys, '_base_executable', sys.executable))" </dev/null 2>/dev/null && return
    done < <(candidates)
    return 1
}

explain_no_python() {
    local candidate version tried=''
    if [[ -n ${HOPGUARD_PYTHON:-} ]]; then
        say "HOPGUARD_PYTHON=$HOPGUARD_PYTHON is no Python 3.12 or later (with venv and ensurepip)."
        return
    fi
    while IFS= read -r candidate; do
        command -v "$candidate" >/dev/null || continue
        version=$("$candidate" --version </dev/null 2>&1 | head -n 1) || version="does not start"
        tried+="${tried:+, }$candidate ($version)"
    done < <(candidates)
    say "no Python 3.12 or later with the modules venv and ensurepip was found, and no uv." \
        "Tried python3.13, python3.12, python3.14, python3, python and pyenv's versions;" \
        "there is: ${tried:-none of them}. Install uv, or Python 3.13 (on Debian with python3-venv)," \
        "or name an interpreter in HOPGUARD_PYTHON."
}
