# shellcheck shell=sh
# Shell scripts that print TAP: those of pass. Some fail where tree(1) is not installed, and gpg leaves an agent behind.
needs gpg git
perl -MTAP::Parser -e 1 2>/dev/null || no 'no TAP::Parser'

fetch() { source_of password-store 1.7.4; }
native() {
    (cd tests && for script in t0*.sh; do
        perl -MTAP::Parser -e '
            my $parser = TAP::Parser->new({exec => ["./$ARGV[0]"], merge => 0});
            while (my $line = $parser->next) {
                next unless $line->is_test;
                my $word = $line->has_skip ? "SKIP" : $line->has_todo ? ($line->is_actual_ok ? "XPASS" : "XFAIL")
                    : $line->is_actual_ok ? "PASS" : "FAIL";
                print "$word\t", $line->description =~ s/^- //r, "\@script=$ARGV[0]\n";
            }' "$script"
    done)
}
tidy() { gpgconf --homedir "$PWD/tree/tests/gnupg" --kill all; }
yaml() {
    cat <<END
strategy: {matrix: {script: [$(cd tree/tests && echo t0*.sh | tr ' ' ,)]}}
tests:
  - {name: pass, run: ['./\${{ matrix.script }}'], results: {tap: stdout}, cwd: tree/tests, serial: true}
END
}
