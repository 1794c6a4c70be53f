# attest: what efficient-attention papers claim, turned into evidence.
#
#   make                      build/attest
#   make test                 every test;  make fuzz: look for files that break a reader
#   make reproduce-PAPER      measure, judge, draw and report one paper   (PROFILE=smoke|quick|paper)
#   make reproduce            all papers;  make figures, make report, make site: from stored rows only
#   make reruns-PAPER         the same several times (RERUNS=10): do its verdicts agree?
#   make install, uninstall   PREFIX=/usr/local DESTDIR=
#
# What a file is, is said by its place and name alone; nothing is listed by hand:
#   kernels/M/method.c        describes method M           harness/command_C.c      is `attest C`
#   kernels/M/A.v.c           variant A, once per ISA      harness/instruments/I.c  is instrument I
#   kernels/M/A.ISA.c         replaces A.v.c for that ISA  harness/*.sql, .css, .js, *sh: embedded as text
#   kernels/M/A.c             scalar variant A             tests/unit/test_*.c      is a test program
#
# Other builds: make CC=clang BUILD=build/clang      make SANITIZE=1 BUILD=build/asan

BUILD   ?= build
PROFILE ?= quick
PREFIX  ?= /usr/local
CC      := $(if $(filter default,$(origin CC)),gcc,$(CC))
JOBS    := $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))   # unless the call says: -j1
MAKEFLAGS += --no-builtin-rules $(JOBS)
# One short line a file; V=1 shows the commands.
say = $(if $(V),,@echo '  $(1)' && )

# ---- what this machine lacks is installed, or named (harness/packages.sh) ---------------------
PACKAGES := $(shell sh harness/packages.sh >&2 && echo ok)
ifneq ($(PACKAGES),ok)
$(error the packages named above are missing)
endif

# ---- flags --------------------------------------------------------------------------------------
LIBS     := sqlite3 yaml-0.1 jansson hwloc openblas md4c-html
WARN     := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
COMMON   := -g $(WARN) -MMD -MP $(if $(SANITIZE),-fsanitize=address -fsanitize=undefined -fno-sanitize-recover=all)
# What libFuzzer steers by; harmless in other programs.
COVERAGE := $(if $(SANITIZE),$(if $(findstring clang,$(CC)),-fsanitize=fuzzer-no-link))
INCLUDES := $(shell pkg-config --cflags $(LIBS))
# -std=c11 alone would turn contraction off in gcc only; it is chosen here, once for each kind of code.
PLAIN    := -std=c11 -D_POSIX_C_SOURCE=200809L -O2 -ffp-contract=off $(COMMON) $(COVERAGE)
VECTOR   := -std=gnu11 -O3 -ffp-contract=fast -fno-math-errno -fno-trapping-math $(COMMON)
LDLIBS   := $(shell pkg-config --libs $(LIBS)) -lm -lpthread

ISAS_x86_64  := portable avx2 avx512 avx512bf16 count
ISAS_aarch64 := portable neon count
ISAS         := $(or $(ISAS_$(firstword $(subst -, ,$(shell $(CC) -dumpmachine)))),portable count)
FLAGS_portable   := -DISA_IS_PORTABLE
FLAGS_count      := -DISA_IS_COUNT
FLAGS_neon       :=
FLAGS_avx2       := -march=x86-64-v3
FLAGS_avx512     := -march=x86-64-v4 -mprefer-vector-width=512
FLAGS_avx512bf16 := -march=x86-64-v4 -mprefer-vector-width=512 -mavx512bf16

# ---- files ----------------------------------------------------------------------------------------
METHODS   := $(patsubst kernels/%/method.c,%,$(wildcard kernels/*/method.c))
HAND      := $(foreach i,$(ISAS),$(wildcard kernels/*/*.$i.c))
VSOURCES  := $(wildcard kernels/*/*.v.c)
SCALAR    := $(filter-out kernels/core/% %/method.c %.v.c $(HAND),$(wildcard kernels/*/*.c))
COMMANDS  := $(patsubst harness/command_%.c,%,$(wildcard harness/command_*.c))
INSTRUMENTS := $(patsubst harness/instruments/%.c,%,$(wildcard harness/instruments/*.c))
TEXTS     := $(wildcard harness/*.sql harness/*.css harness/*.js harness/complete.*sh harness/migrations/*.sql)

PER_ISA   := $(foreach v,$(VSOURCES:.v.c=),$(ISAS:%=$v.%))
VARIANTS  := $(filter-out kernels/core/%,$(PER_ISA)) $(SCALAR:.c=.portable)
CORE      := $(patsubst %.c,$(BUILD)/%.o,$(filter-out %.v.c,$(wildcard kernels/core/*.c)))
KERNELS   := $(CORE) $(METHODS:%=$(BUILD)/kernels/%/method.o) $(PER_ISA:%=$(BUILD)/%.o) $(SCALAR:%.c=$(BUILD)/%.portable.o)
HARNESS   := $(patsubst %.c,$(BUILD)/%.o,$(filter-out harness/main.c,$(wildcard harness/*.c harness/instruments/*.c)))
LIBRARY   := $(KERNELS) $(HARNESS) $(BUILD)/registry.o $(BUILD)/embedded.o $(BUILD)/build_info.o
# kernels/attention/blas.avx2 -> attention_blas_avx2
SYMBOLS   := $(subst .,_,$(subst /,_,$(VARIANTS:kernels/%=%)))

all: $(BUILD)/attest

$(BUILD)/attest: $(BUILD)/harness/main.o $(LIBRARY)
	$(call say,link    $@)$(CC) $(COMMON) $^ $(LDLIBS) -o $@

# ---- rules: one for each kind of file ------------------------------------------------------------------
define isa_rule
$(BUILD)/$(1).$(2).o: $(or $(wildcard $(1).$(2).c),$(1).v.c) ; @mkdir -p $$(@D)
	$$(call say,compile $$< for $(2))$(CC) $(VECTOR) $(FLAGS_$(2)) -DMETHOD=$(notdir $(patsubst %/,%,$(dir $(1)))) -DALGO=$(notdir $(1)) -DISA=$(2) -c $$< -o $$@
endef
$(foreach v,$(VSOURCES:.v.c=) $(patsubst %.v.c,%,$(wildcard tests/unit/*.v.c)),$(foreach i,$(ISAS),$(eval $(call isa_rule,$v,$i))))

$(SCALAR:%.c=$(BUILD)/%.portable.o): $(BUILD)/%.portable.o: %.c ; @mkdir -p $(@D)
	$(call say,compile $<)$(CC) $(PLAIN) -O3 -DMETHOD=$(notdir $(<D)) -DALGO=$(basename $(<F)) -DISA=portable -c $< -o $@

$(BUILD)/%.o: %.c ; @mkdir -p $(@D)
	$(call say,compile $<)$(CC) $(PLAIN) $(INCLUDES) -c $< -o $@

$(BUILD)/%.o: $(BUILD)/%.c
	$(call say,compile $<)$(CC) $(PLAIN) -I. -c $< -o $@

# A registry is a list of everything of a kind, so that nothing registers itself by hand.
list = { $(foreach n,$(3),echo 'extern const $(1) $(n);';) echo 'const $(1) *const $(2)[] = {'; $(foreach n,$(3),echo '    &$(n),';) echo '    0 };'; }
$(BUILD)/registry.c: Makefile $(VSOURCES) $(SCALAR) $(HAND) $(wildcard kernels/*/method.c harness/command_*.c harness/instruments/*.c)
	@mkdir -p $(@D)
	@{ echo '/* Generated from the tree by the Makefile. */'; \
	   echo '#include "kernels/core/method.h"'; echo '#include "harness/cli.h"'; echo '#include "harness/instrument.h"'; \
	   $(call list,Method,methods,$(METHODS:%=method_%)); $(call list,Variant,variants,$(SYMBOLS)); \
	   $(call list,Command,commands,$(COMMANDS:%=command_%)); $(call list,Instrument,instruments,$(INSTRUMENTS:%=instrument_%)); } > $@

# harness/schema.sql -> const char schema_sql[]
$(BUILD)/embedded.c: Makefile $(TEXTS)
	@mkdir -p $(@D)
	@for f in $(TEXTS); do n=$$(basename $$f | tr . _ | sed 's/^\([0-9]\)/migration_\1/'); \
	   echo "extern const char $$n[]; const char $$n[] = {"; od -An -v -tu1 $$f | sed 's/ *\([0-9][0-9]*\)/\1,/g'; echo '0};'; done > $@

$(BUILD)/build_info.c: $(KERNELS) FORCE
	@sh harness/build_info.sh "$(CC)" "$(VECTOR)" $(VARIANTS:%=$(BUILD)/%.o) > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

# ---- tests -------------------------------------------------------------------------------------------------
UNIT      := $(patsubst %.c,$(BUILD)/%,$(filter-out %.v.c,$(wildcard tests/unit/test_*.c)))
UNIT_ISA  := $(foreach t,$(patsubst %.v.c,%,$(wildcard tests/unit/test_*.v.c)),$(ISAS:%=$(BUILD)/$t.%))

$(UNIT): %: %.o $(LIBRARY)
	$(call say,link    $@)$(CC) $(COMMON) $^ $(LDLIBS) -lcmocka -o $@
$(UNIT_ISA): %: %.o $(LIBRARY)
	$(call say,link    $@)$(CC) $(COMMON) $^ $(LDLIBS) -lcmocka -o $@

$(BUILD)/tests/isa_here: %: %.o $(CORE)
	$(call say,link    $@)$(CC) $(COMMON) $(filter %/isa_here.o %/isa.o %/status.o %/text.o,$^) -o $@

# A database as large as one likes, of measurements that nobody made.
$(BUILD)/tests/scale/fill: %: %.o $(LIBRARY)
	$(call say,link    $@)$(CC) $(COMMON) $^ $(LDLIBS) -o $@
$(BUILD)/tests/scale/clock: %: %.o
	$(call say,link    $@)$(CC) $(COMMON) $^ -o $@

# An attest whose calls can be made to fail (tests/faults/inject.c), and what tries them: a sample is
# part of `make test`, each of them is `make test-faults`, which takes hours. (Not for a sanitizer's
# build: both replace the same functions.)
FAULTS := $(if $(SANITIZE),,$(BUILD)/tests/faults/attest $(BUILD)/tests/faults/faults)
$(BUILD)/tests/faults/attest: $(BUILD)/tests/faults/inject.o $(BUILD)/harness/main.o $(filter-out %/heap.o,$(LIBRARY))
	$(call say,link    $@)$(CC) $(COMMON) $^ $(LDLIBS) -o $@
$(BUILD)/tests/faults/faults: %: %.o
	$(call say,link    $@)$(CC) $(COMMON) $^ $(LDLIBS) -o $@
test-faults: $(FAULTS)
	@$(BUILD)/tests/faults/faults $(BUILD)/tests/faults/attest every

# All of them, or TESTS="build/tests/unit/test_db tests/check.sh"; SKIP: which not, with % for any text.
TESTS := $(UNIT) $(UNIT_ISA) $(FUZZ) $(filter-out tests/run.sh $(if $(SANITIZE),tests/faults.sh),$(wildcard tests/*.sh tests/cli/*.sh))
tests: $(BUILD)/attest $(BUILD)/tests/isa_here $(BUILD)/tests/scale/fill $(UNIT) $(UNIT_ISA) $(FUZZ) $(FAULTS)
test: tests
	@sh tests/run.sh $(BUILD) $(filter-out $(SKIP),$(TESTS))

# False alarms, coverage and power of the statistics, in tables; some minutes.
$(BUILD)/tests/bench_stats: %: %.o $(LIBRARY)
	$(call say,link    $@)$(CC) $(COMMON) $^ $(LDLIBS) -o $@
bench-stats: $(BUILD)/tests/bench_stats
	@$<

# Hostile input: a target each for the readers of files (tests/fuzz/README.md). `make test` replays
# their seeds; `make fuzz` looks for new ones in the sanitized build, FUZZ_SECONDS a target.
FUZZ_SECONDS ?= 600
FUZZ   := $(patsubst %.c,$(BUILD)/%,$(filter-out %/replay.c,$(wildcard tests/fuzz/*.c)))
FUZZER := $(FUZZ:$(BUILD)/tests/fuzz/%=$(BUILD)/fuzz/%)
$(FUZZ): %: %.o $(BUILD)/tests/fuzz/replay.o $(LIBRARY)
	$(call say,link    $@)$(CC) $(COMMON) $^ $(LDLIBS) -o $@
$(FUZZER): $(BUILD)/fuzz/%: $(BUILD)/tests/fuzz/%.o $(LIBRARY) ; @mkdir -p $(@D)
	$(call say,link    $@)$(CC) $(COMMON) -fsanitize=fuzzer $^ $(LDLIBS) -o $@
fuzzers: $(FUZZER)
fuzz:
	@sh tests/fuzz/run.sh "$(MAKE)" $(FUZZ_SECONDS) $(notdir $(FUZZ))

# The other compiler, with AddressSanitizer and UndefinedBehaviorSanitizer.
test-sanitized:
	@$(MAKE) test CC=clang SANITIZE=1 BUILD=build/sanitized

# The site in a real browser, where Debian's chromium-driver and python3-selenium are installed.
test-site: $(BUILD)/attest
	@ATTEST=$(BUILD)/attest sh tests/site/site.sh

# AArch64 on any machine with Debian's cross compiler: built for Debian's arm64 libraries, which
# tests/neon/root.sh unpacks below build/neon, and run by qemu. What qemu cannot do is skipped: start
# workers (/proc/self/exe), die as a process does. Nothing is timed there.
test-neon: ROOT := $(CURDIR)/build/neon/root
test-neon:
	@sh tests/neon/root.sh $(ROOT)
	@PKG_CONFIG_SYSROOT_DIR=$(ROOT) PKG_CONFIG_LIBDIR=$(ROOT)/usr/lib/aarch64-linux-gnu/pkgconfig \
	 RUN="qemu-aarch64 -L $(ROOT)" $(MAKE) test CC="aarch64-linux-gnu-gcc --sysroot=$(ROOT)" BUILD=build/neon \
	 SKIP="%/test_measure %/test_pool %/test_db %/test_db_file tests/cli/% $(filter-out tests/check%,$(wildcard tests/*.sh))"

# ---- for users ----------------------------------------------------------------------------------------------
PAPERS := $(patsubst papers/%/claims.yaml,%,$(wildcard papers/*/claims.yaml))
$(PAPERS:%=reproduce-%): reproduce-%: $(BUILD)/attest
	$(BUILD)/attest reproduce $* --profile $(PROFILE)
reproduce: $(BUILD)/attest
	@for paper in $(PAPERS); do $(MAKE) reproduce-$$paper || exit 1; done     # never two at a time
figures report site: $(BUILD)/attest
	$(BUILD)/attest $@

# Does it come out the same? RERUNS times from nothing, each into a database of its own; one that is
# finished is not repeated. Then the verdicts side by side. (1: a point was wrong, which is a row.)
RERUNS ?= 10
$(PAPERS:%=reruns-%): reruns-%: $(BUILD)/attest
	@for n in $$(seq $(RERUNS)); do \
	   $(BUILD)/attest reproduce $* --profile $(PROFILE) --db results/reruns/$*-$(PROFILE)-$$n.db --into results/reruns/$*-$(PROFILE)-$$n \
	   >/dev/null || [ $$? = 1 ] || exit; done
	$(BUILD)/attest agree --paper $* $$(seq -f results/reruns/$*-$(PROFILE)-%g.db $(RERUNS))

# The figure and the verdicts in README.md, from results/attest.db.
readme: $(BUILD)/attest
	sh harness/readme.sh $(BUILD)/attest

# The commands on a file of POINTS points; the table in README.md.
POINTS ?= 1000000
bench-harness: $(BUILD)/attest $(BUILD)/tests/scale/fill $(BUILD)/tests/scale/clock
	sh tests/scale/bench.sh $(BUILD) $(POINTS)

# Where a shell looks for the completion of `attest`, and man for its page.
INTO      := $(DESTDIR)$(PREFIX)
BASH_FILE := $(INTO)/share/bash-completion/completions/attest
ZSH_FILE  := $(INTO)/share/zsh/site-functions/_attest
FISH_FILE := $(INTO)/share/fish/vendor_completions.d/attest.fish
MAN_FILE  := $(INTO)/share/man/man1/attest.1
install: $(BUILD)/attest
	install -D -m 755 $(BUILD)/attest $(INTO)/bin/attest
	install -D -m 644 harness/complete.bash $(BASH_FILE)
	install -D -m 644 harness/complete.zsh $(ZSH_FILE)
	install -D -m 644 harness/complete.fish $(FISH_FILE)
	install -d $(dir $(MAN_FILE)) $(INTO)/share/attest
	$(BUILD)/attest man > $(MAN_FILE)
	chmod 644 $(MAN_FILE)
	cp -R experiments papers $(INTO)/share/attest/
uninstall:
	rm -f $(INTO)/bin/attest $(BASH_FILE) $(ZSH_FILE) $(FISH_FILE) $(MAN_FILE)
	rm -rf $(INTO)/share/attest

clean:
	rm -rf $(BUILD)

FORCE:
.PHONY: all tests test fuzz fuzzers bench-stats test-faults test-sanitized test-site test-neon reproduce figures report site readme bench-harness install uninstall clean FORCE
.SECONDARY:
-include $(wildcard $(BUILD)/*.d $(BUILD)/kernels/*/*.d $(BUILD)/harness/*.d $(BUILD)/harness/*/*.d $(BUILD)/tests/*.d $(BUILD)/tests/*/*.d)
