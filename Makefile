# run-matrix
#
#   make              build/run-matrix
#   make check        all tests, the checks on the code and a short fuzz, with every compiler and sanitizer
#   make check-extra  comparison with other people's implementations, and with the runners of other people's suites
#   make soak-self    fuzzing for a long time; goes on where it was interrupted
#   make bench        measures, and writes docs/performance.md and docs/comparison.md
#   make demo         builds, and runs a matrix with a bit of everything
#   make install      PREFIX=/usr/local, DESTDIR; make uninstall
#   make packages     what is missing on a Debian or Ubuntu machine; the other targets do so by themselves
#
# V=1 shows the commands. CC, CFLAGS, LDFLAGS and LTO= are honoured, and WERROR= for a compiler that warns of more than
# ours do; CLANG is the compiler of the fuzz targets.

MAKEFLAGS += --no-builtin-rules
ifeq (,$(filter -j% --jobserver%,$(MAKEFLAGS)))
MAKEFLAGS += -j$(shell nproc)
endif
.DELETE_ON_ERROR:
.SECONDARY:
export LC_ALL = C

ifeq ($(origin CC),default)
CC = gcc
endif
CLANG ?= clang
PREFIX ?= /usr/local

.PHONY: all demo debug check check-extra soak-self bench install uninstall packages clean FORCE
all: build/run-matrix build/run-matrix-host build/run-matrix-stacks build/librunmatrix.a

# ---- what is built of what ----

ROOMS = runner/base matrix/values matrix/yaml matrix/expr matrix/cells matrix/schema matrix/select matrix/suite \
	matrix/plan backends backends/links runner/harness runner/journal runner/report runner/history runner/stacks runner/inside runner/diagnose runner/store \
	runner/leaks runner/said runner/remains runner/presets runner/recipe runner/results runner/sources runner/changes runner/queue runner/screen runner/stats runner/soak ci runner
# A program of its own: what it reads, and what it reads it with, is nothing for the runner.
STACKS_OWN := $(wildcard runner/stacks/unwind_*.c)
SOURCES := $(filter-out $(STACKS_OWN),$(wildcard $(ROOMS:%=%/*.c)))
STACKS := $(STACKS_OWN) runner/stacks/copied.c $(addsuffix .c,$(addprefix runner/base/,arena buf io mem str clock))
# What C tests are linked with; `main` stands by itself, for programs that have none.
HOST_OWN := $(wildcard fixtures/host*.c)
LIBRARY_OWN := $(filter-out fixtures/main.c $(HOST_OWN),$(wildcard fixtures/*.c fixtures/*/*.c))
# What is compared and printed, without what ends a test: for unit tests.
CHECKS := $(addprefix fixtures/checks/,text.c side.c compare.c differ.c bytes.c match.c)
TOOLS := $(wildcard fixtures/tools/*.c) $(addprefix fixtures/actors/,adopt.c streams.c drainer.c drained.c)
# Of actors, what needs none.
TALKING := $(addprefix fixtures/actors/,names.c peer.c dial.c owner.c registrar.c ask.c)
# What serves, in programs of people as in ours.
SERVING := $(addsuffix .c,$(addprefix backends/,serve fork title exec board wire request room child usher inside clone) \
	$(addprefix runner/base/,buf clock io mem str))
# What the library needs besides.
LIBRARY_BASE := $(addsuffix .c,$(addprefix runner/base/,address arena dir id proc proc_id sig utf8) \
	$(addprefix backends/,become own program server table words)) $(wildcard backends/links/*.c)
UNIT := $(patsubst %.c,%,$(wildcard tests/unit/test_*.c))
STACKS_UNIT := $(filter tests/unit/test_stacks% %/test_dump_take,$(UNIT))
TOOLS_UNIT := $(filter tests/unit/test_tools%,$(UNIT))
NAIVE := $(patsubst tests/scenarios/naive/%.c,build/tests/scenarios/%,$(wildcard tests/scenarios/naive/*.c))
KIDS := build/tests/kids/kid build/tests/kids/tiny build/tests/hangs/hang $(NAIVE)
FUZZ := $(patsubst %.c,%,$(wildcard tests/fuzz/fuzz_*.c))

LIBRARIES = yaml-0.1 libpcre2-8 expat sqlite3
# Asked once, and only when something is compiled: before that pkg-config may not be there.
once = $(eval $(1) := $(2))$(value $(1))
LIBRARY_CFLAGS = $(call once,LIBRARY_CFLAGS,$(shell pkg-config --cflags $(LIBRARIES)))
LIBRARY_LIBS = $(call once,LIBRARY_LIBS,$(shell pkg-config --libs $(LIBRARIES)) -lm)
DWARF_LIBS = $(call once,DWARF_LIBS,$(shell pkg-config --libs libdw libelf) -ldl)
CMOCKA_LIBS = $(call once,CMOCKA_LIBS,$(shell pkg-config --libs cmocka))

# ---- flags ----

BASE_CFLAGS = -std=gnu17 -D_GNU_SOURCE -I. -g -Wall -Wextra $(WERROR) -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wwrite-strings -Wcast-qual -Wundef -Wformat=2 \
	-fPIE -fstack-protector-strong -fno-omit-frame-pointer -pthread
BASE_LDFLAGS = -pthread -pie -Wl,-z,relro,-z,now

WERROR = -Werror

is_clang = $(findstring clang,$(CC))
# Fat objects, so that the unit tests link without waiting for the optimizer. clang needs a plugin for it that few have.
LTO = $(if $(is_clang),,-flto=auto -ffat-lto-objects)
# What the sanitizers add makes gcc see null pointers where there are none; the others do the warning.
SANITIZE = -O1 -U_FORTIFY_SOURCE -fno-sanitize-recover=all -fsanitize=address,undefined

# A variant is a compiler and its flags; its objects are in build/<variant>.
release_flags = $(CC) -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 $(LTO)
debug_flags = $(CC) -O0 -g3
asan_flags = $(CC) $(SANITIZE)
tsan_flags = $(CC) -O1 -fsanitize=thread
clang_flags = $(CLANG) -O1
fuzz_flags = $(CLANG) $(SANITIZE) -fsanitize=fuzzer-no-link
VARIANTS = release debug asan tsan clang fuzz

# Flags of single files: <path without .c>_cflags.
#
# The child's side of a spawn runs in our memory on a stack of its own: nothing that a compiler adds may touch what
# belongs to the thread that started it, and its object must show what it calls (tests/checks/child-side).
CHILD_SIDE = backends/child backends/usher backends/init backends/inside
$(foreach file,$(CHILD_SIDE),$(eval \
	$(file)_cflags = -U_FORTIFY_SOURCE -fno-lto -fno-stack-protector -fno-sanitize=all))

# A test may be on a stack of its own making when it fails: the fortified longjmp takes that for a mistake.
fixtures/state_cflags = -U_FORTIFY_SOURCE

# A thread that is broken off in a call of the kernel leaves its frames without taking their guards away, which the next to use
# that stack would run into.
runner/stacks/trace_cflags = -fno-sanitize=address

# ---- rules ----

Q = $(if $(V),,@)
say = @$(if $(V),:,printf '  %-7s %s\n' '$(1)' '$(2)')

define RULES
$(1)_objects := $(SOURCES:%.c=build/$(1)/%.o)
$(1)_compile = $$($(1)_flags) $$(BASE_CFLAGS) $$(CFLAGS)
$(1)_link = $$($(1)_flags) $$(BASE_LDFLAGS) $$(LDFLAGS)

build/$(1)/%.o: %.c build/$(1)/flags | build/packages/build
	$$(call say,CC,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$($(1)_compile) $$(LIBRARY_CFLAGS) $$($$*_cflags) -MMD -MP -c -o $$@ $$<

build/$(1)/run-matrix: $$($(1)_objects) | build/$(1)/python/sitecustomize.py
	$$(call say,LINK,$$@)
	$$(Q)$$($(1)_link) -o $$@ $$^ $$(LIBRARY_LIBS)

# Position independent, for modules; without LTO, since nobody knows what links it; and of one piece, in which all names
# but its own are local. What it calls is found when it is loaded (-fno-plt): a forked copy would look for it anew each time.
build/$(1)/pic/%.o: %.c build/$(1)/flags | build/packages/build
	$$(call say,CC,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$($(1)_compile) -fPIC -fno-plt -fno-lto $$($$*_cflags) -MMD -MP -c -o $$@ $$<

build/$(1)/pic/librunmatrix.o: $(LIBRARY_OWN:%.c=build/$(1)/pic/%.o) $(LIBRARY_BASE:%.c=build/$(1)/pic/%.o) $(SERVING:%.c=build/$(1)/pic/%.o)
	$$(call say,LINK,$$@)
	$$(Q)$$(CC) -r -nostdlib -fno-lto -o $$@ $$^
	$$(Q)objcopy --wildcard --keep-global-symbol='mx_*' $$@

# The second is for our own tests: what is beside a program is what it links to the tests of others.
build/$(1)/librunmatrix.a build/$(1)/tests/librunmatrix.a: build/$(1)/pic/librunmatrix.o build/$(1)/pic/fixtures/main.o
	$$(call say,AR,$$@)
	@mkdir -p $$(@D) && rm -f $$@
	$$(Q)ar rcsD $$@ $$^

# Text and constants stand together: two mappings less to copy, and fewer pages to find again, in each fork.
build/$(1)/run-matrix-host: $(HOST_OWN:%.c=build/$(1)/pic/%.o) $(SERVING:%.c=build/$(1)/pic/%.o)
	$$(call say,LINK,$$@)
	$$(Q)$$($(1)_link) -fno-lto -Wl,-z,noseparate-code -o $$@ $$^ -ldl

build/$(1)/run-matrix-stacks: $(STACKS:%.c=build/$(1)/%.o)
	$$(call say,LINK,$$@)
	$$(Q)$$($(1)_link) -o $$@ $$^ $$(DWARF_LIBS)

build/$(1)/tests/unit/%: build/$(1)/tests/unit/%.o $$(filter-out %/runner/main.o,$$($(1)_objects))
	$$(call say,LINK,$$@)
	$$(Q)$$($(1)_link) -fno-lto -o $$@ $$^ $$(CMOCKA_LIBS) $$(LIBRARY_LIBS)

# They run it.
$(STACKS_UNIT:%=build/$(1)/%): | build/$(1)/run-matrix-stacks
# Written with what is tested; the others have cmocka, and a main.
$(addprefix build/$(1)/tests/unit/,test_glob test_nearest test_sig): build/$(1)/tests/librunmatrix.a
# Not of the program: the library's checks.
build/$(1)/tests/unit/test_checks build/$(1)/tests/unit/test_checks_differ: $(CHECKS:%.c=build/$(1)/%.o)
# Tests of what the library is made of, which is no part of the program.
$(TOOLS_UNIT:%=build/$(1)/%): $(TOOLS:%.c=build/$(1)/%.o)
build/$(1)/tests/unit/test_names: build/$(1)/fixtures/actors/names.o
$(addprefix build/$(1)/tests/unit/,test_peers test_registrar): $(TOOLS:%.c=build/$(1)/%.o) $(TALKING:%.c=build/$(1)/%.o)

# Other flags, other objects.
ifneq ($$(file <build/$(1)/flags),$$($(1)_compile) $$($(1)_link))
build/$(1)/flags: FORCE
endif
build/$(1)/flags:
	$$(shell mkdir -p $$(@D))$$(file >$$@,$$($(1)_compile) $$($(1)_link))@:

$(UNIT:%=build/$(1)/%.o): | build/packages/check
-include $(patsubst %.c,build/$(1)/%.d,$(SOURCES) $(STACKS_OWN) $(CHECKS) $(TOOLS) $(TALKING)) $(UNIT:%=build/$(1)/%.d) $(wildcard build/$(1)/pic/*/*.d build/$(1)/pic/*/*/*.d)
endef
$(foreach variant,$(VARIANTS),$(eval $(call RULES,$(variant))))

build/run-matrix build/run-matrix-host build/run-matrix-stacks build/librunmatrix.a: build/%: build/release/%
	@ln -f $< $@
build/run-matrix: | build/python/sitecustomize.py

# A file stands where Python would make a folder for what it has compiled: whoever uses it leaves nothing behind.
$(addsuffix python/sitecustomize.py,build/ $(VARIANTS:%=build/%/)): fixtures/python/sitecustomize.py
	@mkdir -p $(@D) && cp $< $@ && touch $(@D)/__pycache__

debug: build/debug/run-matrix

$(SOURCES:%.c=build/clang/%.o) $(SOURCES:%.c=build/fuzz/%.o) $(FUZZ:%=build/fuzz/%.o): | build/packages/check
build/fuzz/tests/fuzz/%: build/fuzz/tests/fuzz/%.o $(filter-out %/runner/main.o,$(fuzz_objects))
	$(call say,LINK,$@)
	$(Q)$(fuzz_link) -fsanitize=fuzzer -o $@ $^ $(LIBRARY_LIBS)
# Of the library, and no part of the program.
build/fuzz/tests/fuzz/fuzz_words: build/fuzz/fixtures/actors/words.o
-include $(FUZZ:%=build/fuzz/%.d) build/fuzz/fixtures/actors/words.d

# Programs that misbehave, for the tests to run.
kid_cflags = -O1 -pthread
30-late-snapshot_cflags = $(kid_cflags) -rdynamic # names for backtrace()
# Its functions have frames and lines, and what calls last calls still.
hang_cflags = $(kid_cflags) -g -fno-optimize-sibling-calls
tiny_cflags = -O2 -static -nostdlib -ffreestanding -fno-stack-protector
build/tests/kids/kid: $(wildcard tests/kids/kid/*.[ch])
build/tests/kids/tiny: tests/kids/tiny.c
build/tests/hangs/hang: $(wildcard tests/hangs/*.[ch]) tests/kids/kid/help.c tests/kids/kid/kid.h
$(NAIVE): build/tests/scenarios/%: tests/scenarios/naive/%.c tests/kids/kid/help.c tests/kids/kid/kid.h
$(KIDS): | build/packages/build
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu17 -D_GNU_SOURCE -I. -Wall -Wextra $(WERROR) $(or $($(@F)_cflags),$(kid_cflags)) -o $@ $(filter %.c,$^)

# ---- packages ----

packages: build/packages/check
build/packages/%: tests/packages tests/packages.txt
	@tests/packages $*
	@mkdir -p $(@D) && touch $@
# One apt at a time.
build/packages/check: | build/packages/build
build/packages/extra: | build/packages/check
build/packages/bench: | build/packages/extra

# ---- tests ----

# Where threads are: names of unit tests, without path.
TSAN_UNIT = test_watch test_spawn test_anchor test_isolate test_serve test_stacks_undisturbed test_tools_stacks
UNIT_VARIANTS = release asan $(if $(is_clang),,clang)
E2E_VARIANTS = release asan
# A variant whose objects hold machine code and nothing else.
plain = $(if $(is_clang),release,clang)

UNIT_PROGRAMS = $(foreach variant,$(UNIT_VARIANTS),$(UNIT:%=build/$(variant)/%)) $(TSAN_UNIT:%=build/tsan/tests/unit/%)
E2E_PROGRAMS = $(E2E_VARIANTS:%=build/%/run-matrix)
E2E := $(filter-out %/lib.sh,$(wildcard tests/e2e/*.sh))
# Of the library, which is not part of an instrumented program: those are for the release alone. actors.sh has an instrumented library of its own.
E2E_RELEASE = $(addprefix tests/e2e/,actors.sh registrar.sh streams.sh threads.sh)
# What a sanitizer looks at takes three times as long, and it is the release that has to hold out: all of them are for soak-self.
E2E_FEWER = EVERY=2 CHAOS_STEP=13 CHAOS_TIMES=1 FAST_CASES=400 DUMP_CASES=100
# What docs/scenarios.md tells of.
SCENARIOS := $(wildcard tests/scenarios/[0-9]*.sh)
FUZZ_PROGRAMS = $(FUZZ:%=build/fuzz/%)
FUZZ_RUNS = 20000
FUZZ_SECONDS = 600

quote = '$(subst ','\'',$(1))'
check: export FUZZ_RUNS := $(FUZZ_RUNS)
check: all $(KIDS) $(UNIT_PROGRAMS) $(E2E_PROGRAMS) $(FUZZ_PROGRAMS) $($(plain)_objects) build/$(plain)/librunmatrix.a build/$(plain)/run-matrix-host \
		$(E2E_VARIANTS:%=build/%/run-matrix-host) $(UNIT_VARIANTS:%=build/%/run-matrix-stacks) build/release/flags
	@tests/run $(ARGS) \
		tests/checks/selftest tests/checks/layers tests/checks/sizes tests/checks/format tests/checks/scripts tests/checks/scenarios \
		'tests/checks/globals build/$(plain)' 'tests/checks/child-side $(CHILD_SIDE:%=build/release/%.o)' \
		$(foreach program,$(UNIT_PROGRAMS),$(call quote,$(program))) \
		$(foreach test,$(E2E),$(call quote,PROGRAM=build/release/run-matrix $(test))) \
		$(foreach test,$(filter-out $(E2E_RELEASE),$(E2E)),$(call quote,$(E2E_FEWER) PROGRAM=build/asan/run-matrix $(test))) \
		$(foreach test,$(SCENARIOS),$(call quote,PROGRAM=build/release/run-matrix $(test))) \
		$(foreach program,$(FUZZ_PROGRAMS),$(call quote,tests/fuzz/run $(program))) \
		'PROGRAM=build/release/run-matrix SLICE=$(MATRIX_SLICE) ROUNDS=2 tests/soak/matrix.sh'

# Full counts: each process test some hundred times, each fuzz target for minutes.
SOAK_COUNT = 200
SOAK_TRIES = 500
SOAK_CASES = 10000 # of each backend
SOAK_REQUESTS = 1000000
SOAK_IMAGE = 1024 # megabytes
SOAK_HOSTILE = 20000 # programs, and copies, that are nonsense
SOAK_SIMULATED = 20 # times two hundred soaks of each sort
SOAK_DATABASES = 20 # times ten rounds
SCENARIO_ROUNDS = 100
MATRIX_ROUNDS = 300 # of examples/actors; `make check` has two, of a part of the cases each
MATRIX_SLICE = 1/8
CHAOS_TIMES = 100
SOAKED = tests/e2e/contain.sh tests/e2e/chaos.sh # these have counts of their own
SOAK_UNIT = test_watch test_watch_dump test_contain test_spawn test_spawn_under_way test_relay test_capture test_tty test_progress \
	test_store test_journal test_signals test_anchor test_isolate test_cgroup test_guard test_leaks test_world \
	test_remains test_remains_store test_pid_reuse test_contain_pidns test_serve test_serve_fails test_serve_nonsense \
	test_contain_cgroup test_contain_strangers test_tools_stacks test_links test_links_dial test_links_ends test_links_talk test_peers test_registrar \
	test_stacks test_stacks_undisturbed test_soak
soak-self: all $(KIDS) $(FUZZ_PROGRAMS) build/asan/run-matrix build/asan/run-matrix-host build/asan/run-matrix-stacks \
		$(SOAK_UNIT:%=build/release/tests/unit/%) build/release/tests/unit/test_stacks_hostile \
		build/release/tests/unit/test_soak_simulated
	@SCENARIO_CELLS=all FUZZ_SECONDS=$(FUZZ_SECONDS) tests/run -t 0 $(ARGS) tests/soak/many.sh \
		$(foreach test,$(SOAK_UNIT),$(call quote,tests/soak/repeat $(SOAK_COUNT) build/release/tests/unit/$(test))) \
		$(foreach test,$(filter-out $(SOAKED),$(E2E)),$(call quote,tests/soak/repeat $(SOAK_COUNT) $(test))) \
		$(foreach test,$(SCENARIOS),$(call quote,tests/soak/repeat $(SCENARIO_ROUNDS) $(test))) \
		'ROUNDS=$(MATRIX_ROUNDS) tests/soak/matrix.sh' \
		"tests/soak/repeat $(SOAK_DATABASES) 'tests/extra/run databases.sh'" \
		$(foreach test,$(filter-out $(E2E_RELEASE),$(E2E)),$(call quote,PROGRAM=build/asan/run-matrix $(test))) \
		'ONLY=fast_cases FAST_CASES=$(SOAK_CASES) tests/e2e/servers.sh' \
		'ONLY=statuses DUMP_CASES=$(SOAK_CASES) DUMP_HANGS=40 tests/e2e/dumps.sh' \
		'ONLY=large_server IMAGE=$(SOAK_IMAGE) tests/e2e/servers.sh' \
		'SERVE_COUNT=$(SOAK_REQUESTS) build/release/tests/unit/test_serve' \
		'STACKS_HOSTILE=$(SOAK_HOSTILE) build/release/tests/unit/test_stacks_hostile' \
		'SOAK_TIMES=$(SOAK_SIMULATED) build/release/tests/unit/test_soak_simulated' \
		'TRIES=$(SOAK_TRIES) tests/e2e/contain.sh' 'CHAOS_TIMES=$(CHAOS_TIMES) tests/chaos/chaos.sh' \
		$(foreach program,$(FUZZ_PROGRAMS),$(call quote,tests/fuzz/soak $(program)))

EXTRA := $(filter-out %/run %.json %/databases %/schemas %/stats %/suites %/suites.sh,$(wildcard tests/extra/*))
SUITES := $(filter-out lib,$(patsubst tests/extra/suites/%.sh,%,$(wildcard tests/extra/suites/*.sh)))
check-extra: build/run-matrix build/run-matrix-stacks $(KIDS) build/npm/ready
	@tests/run -t 900 $(ARGS) $(foreach script,$(EXTRA),$(call quote,tests/extra/run $(script))) \
		$(foreach suite,$(SUITES),$(call quote,tests/extra/run suites.sh $(suite)))
build/npm/ready: tests/extra/package.json | build/packages/extra
	$(call say,NPM,$<)
	@mkdir -p $(@D) && cp $< $(@D) && ln -sfn ../../tests/extra $(@D)/extra
	@cd $(@D) && npm install --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

bench: build/run-matrix build/run-matrix-host build/run-matrix-stacks build/librunmatrix.a $(KIDS) | build/packages/bench
	@tests/bench/run

# Its failures are part of what it shows.
demo: build/run-matrix
	@cd examples/demo && { ../../build/run-matrix run; [ $$? = 1 ]; }
	@echo; printf '%s\n' 'What to look at next, in examples/demo:' \
		'  ../../build/run-matrix show              the failures, with all that is known of them' \
		'  ../../build/run-matrix report            the summary again; --format junit, tap or json' \
		'  .run-matrix/latest/                      journal, JUnit and captured output of this run'

# ---- installation: what the program writes of itself, as <arguments>:<place under share> ----

share = $(DESTDIR)$(PREFIX)/share
WRITTEN = \
	--man:man/man1/run-matrix.1 \
	--completion=bash:bash-completion/completions/run-matrix \
	--completion=zsh:zsh/site-functions/_run-matrix \
	--completion=fish:fish/vendor_completions.d/run-matrix.fish \
	schema:run-matrix/run-matrix.schema.json
how = $(firstword $(subst :, ,$(1)))
where = $(share)/$(lastword $(subst :, ,$(1)))

# The rest, as <file>:<place under PREFIX>:<mode>.
INSTALLED = \
	build/run-matrix:bin/run-matrix:755 \
	build/run-matrix-host:libexec/run-matrix/run-matrix-host:755 \
	build/run-matrix-stacks:libexec/run-matrix/run-matrix-stacks:755 \
	build/python/sitecustomize.py:libexec/run-matrix/python/sitecustomize.py:644 \
	build/python/__pycache__:libexec/run-matrix/python/__pycache__:644 \
	build/librunmatrix.a:lib/librunmatrix.a:644 \
	build/run_matrix.pc:lib/pkgconfig/run_matrix.pc:644 \
	fixtures/run_matrix.h:include/run_matrix.h:644 \
	$(foreach page,$(wildcard docs/man/*),$(page):share/man/man$(subst .,,$(suffix $(page)))/$(notdir $(page)):644) \
	$(foreach header,$(wildcard fixtures/run_matrix/*.h),$(header):include/run_matrix/$(notdir $(header)):644)
piece = $(word $(2),$(subst :, ,$(1)))
under_prefix = $(call quote,$(DESTDIR)$(PREFIX)/$(call piece,$(1),2))

install: all
	@printf '%s\n' prefix=$(call quote,$(PREFIX)) 'includedir=$${prefix}/include' 'libdir=$${prefix}/lib' '' \
		'Name: run_matrix' 'Description: C tests for run-matrix' "Version: $$(build/run-matrix --version | sed 's/.* //')" \
		'Libs: -L$${libdir} -lrunmatrix -pthread' 'Cflags: -I$${includedir}' >build/run_matrix.pc
	$(foreach item,$(INSTALLED),install -D -m $(call piece,$(item),3) $(call piece,$(item),1) $(call under_prefix,$(item)) &&) :
	@$(foreach item,$(WRITTEN),build/run-matrix $(call how,$(item)) >build/written && install -D -m 644 build/written \
		$(call quote,$(call where,$(item))) && echo $(call quote,$(call where,$(item))) &&) rm -f build/written build/run_matrix.pc

uninstall:
	rm -f $(foreach item,$(INSTALLED),$(call under_prefix,$(item))) $(foreach item,$(WRITTEN),$(call quote,$(call where,$(item))))
	@for folder in $(call quote,$(share)/run-matrix) $(call quote,$(DESTDIR)$(PREFIX)/libexec/run-matrix/python) \
		$(call quote,$(DESTDIR)$(PREFIX)/libexec/run-matrix) \
		$(call quote,$(DESTDIR)$(PREFIX)/include/run_matrix); do \
		! [ -d "$$folder" ] || rmdir "$$folder"; done

compile_commands.json: Makefile FORCE
	@{ echo '['; for source in $(SOURCES) $(wildcard fixtures/*.c) $(UNIT:%=%.c); do \
		printf '%s{"directory": "%s", "file": "%s", "command": "%s"}\n' "$$comma" "$(CURDIR)" "$$source" \
			"$(CC) $(BASE_CFLAGS) $(LIBRARY_CFLAGS) -c $$source"; comma=,; done; echo ']'; } >$@

clean:
	rm -rf build compile_commands.json
