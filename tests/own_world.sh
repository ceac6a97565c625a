# shellcheck shell=sh
# What cases leave in /tmp, in /dev/shm and as System V objects is theirs beyond doubt where nobody else can put anything.
# Begins the script anew, in mount and IPC namespaces of its own, or goes on as it is where these cannot be had.
own_world() { # ARG... of the script
    [ -z "${OWN_WORLD-}" ] || return 0
    case $(realpath "$0") in /tmp/* | /dev/shm/*) return 0 ;; esac
    namespaces='unshare --mount --ipc' drop=
    if [ "$(id -u)" != 0 ]; then
        namespaces="$namespaces --user --map-current-user --keep-caps"
        drop='setpriv --ambient-caps=-all --inh-caps=-all'
    fi
    folders='mount -t tmpfs -o mode=1777 none /tmp && mount -t tmpfs -o mode=1777 none /dev/shm'
    $namespaces sh -c "$folders" 2>/dev/null || return 0
    OWN_WORLD=1 exec $namespaces sh -c "$folders && exec $drop \"\$0\" \"\$@\"" "$0" "$@"
}
