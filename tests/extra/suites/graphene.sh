# shellcheck shell=sh
# Meson, where most tests print TAP: Graphene.
needs meson ninja cc

fetch() { source_of graphene 1.10.8; }
build() {
    meson setup build -Dgobject_types=false -Dintrospection=disabled -Dgtk_doc=false && ninja -C build -j1
}
native() {
    meson test -C build |
        sed -nE 's/^ *[0-9]+\/[0-9]+ (.*[^ ]) +(OK|FAIL|SKIP|EXPECTEDFAIL|UNEXPECTEDPASS|TIMEOUT|ERROR) +[0-9.]+s.*$/\2\t\1/p'
}
yaml() {
    cat <<'END'
tests:
  - {name: graphene, preset: meson, run: [meson, test, -C, build], cwd: tree}
END
}
