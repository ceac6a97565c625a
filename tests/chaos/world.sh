# shellcheck shell=sh
# A case that leaves everything one can leave, and how to count what is there afterwards. For the scripts beside this one
# to source. Set are $kid, $token (a word that nobody else on this machine has) and $world, a folder of ours.
# shellcheck disable=SC2154

world_new() {
    mkdir -p "$world/tmp" "$world/up"
    : >"$world/ports"
    cat >"$world/culprit" <<END
#!/bin/sh
# Under names of its own, wherever it runs.
exec 2>>"$world/log"
name=\$(mktemp -u XXXXXXXX)
key=\$(printf %s "\$name" | cksum | awk -v first=$(world_key) '{ print first \$1 % 100000 }')
"$kid" daemon $token >/dev/null
"$kid" double-fork $token >/dev/null
"$kid" listener $token >>"$world/ports"
"$kid" socket "/tmp/$token.\$name" $token >/dev/null
"$kid" socket-left "/tmp/$token.\$name.left"
"$kid" shm /$token.\$name $token >/dev/null
"$kid" shm-left /$token.\$name.left
"$kid" sysv \$key $token >/dev/null
echo x >"\${TMPDIR:-/tmp}/$token.\$name"
: >"$world/up/\$name"
exec "$kid" sleep "\${CULPRIT_MS:-0}" $token
END
    chmod +x "$world/culprit"
}

world_key() { printf '%s' "$token" | cksum | awk '{ print $1 % 10000 + 10000 }'; }

# How many culprits have left all that they leave.
world_up() { find "$world/up" -type f | wc -l; }

# A listening port is in state 0A, in hexadecimal.
world_ports() {
    awk '{ print $2 }' "$world/ports" | while read -r port; do
        awk -v port="$(printf ':%04X' "$port")" 'index($2, port) == 9 && $4 == "0A"' /proc/net/tcp
    done | wc -l
}

world_segments() {
    echo $(($(find /dev/shm -name "$token*" | wc -l) + \
        $(awk -v key="$(world_key)" 'index($1, key) == 1 && length($1) > 5' /proc/sysvipc/shm | wc -l)))
}

world_sockets() { find /tmp -maxdepth 1 -type s -name "$token*" 2>/dev/null | wc -l; }

# Folders that begin as ours do, and what the culprits put into them or beside them.
world_temps() { find "$world/tmp" -mindepth 1 \( -name 'rm-*' -o -name "$token*" \) | wc -l; }

world_groups() { # STORE
    for run in "$1"/runs/*; do
        [ -d "$run" ] || continue
        find /sys/fs/cgroup -type d -name "run-matrix-${run##*/}*" 2>/dev/null
    done | wc -l
}

# "processes ports sockets segments temps groups"
world_left() { # STORE
    echo "$(pgrep -c -f -- "$token" || :)" "$(world_ports)" "$(world_sockets)" "$(world_segments)" \
        "$(world_temps)" "$(world_groups "$1")" | xargs
}

# By name, for whoever has to find out why.
world_names() {
    pgrep -af -- "$token" || :
    find /tmp /dev/shm -maxdepth 1 -name "$token*"
    find "$world/tmp" -mindepth 1
}

world_end() {
    "$kid" end "$token"
    rm -rf "$world" "/dev/shm/$token"* "/tmp/$token"*
    awk -v key="$(world_key)" 'index($1, key) == 1 && length($1) > 5 { print $2 }' /proc/sysvipc/shm |
        while read -r id; do ipcrm -m "$id"; done
    return 0
}
