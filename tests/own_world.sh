# shellcheck shell=sh
# What cases leave in /tmp, in /dev/shm and as System V objects is theirs beyond doubt where nobody else can put anything.
# Begins the script anew, in mount and IPC namespaces of its own, or goes on as it is where these cannot be had.
own_world() { # ARG... of the script
    [ -z "${OWN_WORLD-}" ] || return 0
    namespaces='unshare --mount --ipc' drop=
    if [ "$(id -u)" != 0 ]; then
        namespaces="$namespaces --user --map-current-user --keep-caps"
        drop='setpriv --ambient-caps=-all --inh-caps=-all'
    fi
    folders='mount -t tmpfs -o mode=1777 none /tmp && mount -t tmpfs -o mode=1777 none /dev/shm'
    # What we are made of may stand in /tmp itself, and has to be seen there still.
    # shellcheck disable=SC2154 # of the script
    case $root in
    /tmp/*)
        folders="mount -t tmpfs none /mnt && mkdir /mnt/root && mount --bind '$root' /mnt/root && $folders &&
            mkdir -p '$root' && mount --move /mnt/root '$root' && cd '$root'"
        ;;
    esac
    $namespaces sh -c "$folders" 2>/dev/null || return 0
    OWN_WORLD=1 exec $namespaces sh -c "$folders && exec $drop \"\$0\" \"\$@\"" "$0" "$@"
}

# For tests of what only the moment tells whose it is.
needs_own_world() {
    [ -n "${OWN_WORLD-}" ] || skip 'others may leave something in /tmp at the same time'
}
