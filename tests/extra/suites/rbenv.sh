# shellcheck shell=sh
# Files for bats: those of rbenv.
needs bats

fetch() { source_of rbenv 1.1.2; }

# A line of its pretty report is written over until the test has ended: what stands last in it counts.
native() {
    bats --formatter pretty test 2>&1 | sed -E 's/\x1b\[[0-9;]*[A-Za-z]/\r/g; s/\r+$//; s/.*\r//' | awk -v OFS='\t' '
        /\.bats$/ { file = $0 }
        sub(/^ ✓ /, "") { print "passed", file "::" $0 }
        sub(/^ ✗ /, "") { print "failed", file "::" $0 }
        sub(/^ - /, "") && sub(/ \(skipped(: .*)?\)$/, "") { print "skipped", file "::" $0 }'
}

yaml() {
    cat <<'END'
tests:
  - {name: rbenv, preset: bats, run: [bats, test], cwd: tree}
END
}
