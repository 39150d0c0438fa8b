# lib.sh - what the scripts share: the project's folder, packages, building.
# Sourced by bash; sets $root (absolute).
# shellcheck shell=bash
root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)

say() { printf '==> %s\n' "$*" >&2; }
die() { printf '==> %s\n' "$*" >&2; exit 1; }

# Run as root: as it is, or through sudo, which may ask for the password as usual.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -- "$@"
    else
        return 127
    fi
}

# packages SET... - the names of the sets, each once.
packages() {
    awk -v sets=" $* " '!/^#/ && NF >= 2 && index(sets, " " $2 " ") && !seen[$1]++ { print $1 }' \
        "$root/script/packages"
}

# install_packages SET... - install what is missing, and say so; nothing missing: only a look at dpkg.
install_packages() {
    command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
        die "this needs Debian 12 (apt-get); elsewhere install what script/packages lists, then: make MODE=rel"
    local want have missing=() name log options
    mapfile -t want < <(packages "$@")
    have=" $(dpkg-query -W -f '${Package}=${db:Status-Status}\n' "${want[@]}" 2>/dev/null | tr '\n' ' ') " || :
    for name in "${want[@]}"; do
        case $have in *" $name=installed "*) ;; *) missing+=("$name") ;; esac
    done
    if [ ${#missing[@]} -eq 0 ]; then
        return 0
    fi
    [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null ||
        die "these packages are missing: ${missing[*]}. Run this as root, or install sudo."
    say "installing ${#missing[@]} Debian packages: ${missing[*]}"
    log=$(mktemp)
    options=(-q -y -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
    if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" update >"$log" 2>&1 ||
        ! as_root env DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" install \
            --no-install-recommends "${missing[@]}" >"$log" 2>&1 </dev/null; then
        tail -n 30 "$log" >&2
        rm -f "$log"
        die "apt-get failed (its last lines are above)"
    fi
    rm -f "$log"
}

# build MODE TARGET... - quiet unless something is wrong; make rebuilds only what changed.
# One at a time for each mode: two would write the same files.
build() {
    local mode=$1
    shift
    mkdir -p "$root/build"
    flock "$root/build/$mode.lock" make --no-print-directory -s -C "$root" -j"$(nproc)" MODE="$mode" "$@"
}
