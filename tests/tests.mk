# The tests: one target a kind, all of them `test`. Programs land in $(O)/tests, samples in $(O)/samples.
T := $(O)/tests
# Line numbers and frames of the cases must be those of the source.
THREADS = -pthread
TEST_CFLAGS = -O0 -g $(THREADS) $(WARN) -Itests -MMD -MP -MF $@.d -MT $@
ORIGIN_LIB = -rdynamic -Wl,-rpath,'$$ORIGIN/lib'
# Parts of libc from glibc 2.34 on.
OLD_LIBS = -ldl -Wl,--push-state,--as-needed -lrt -Wl,--pop-state

programs = $(patsubst %.c,$(O)/%,$(wildcard $(1)/*.c)) $(patsubst %.cpp,$(O)/%,$(wildcard $(1)/*.cpp))
plugins = $(patsubst %.c,$(O)/%.so,$(wildcard $(1)/lib/*.c)) $(patsubst %.cpp,$(O)/%.so,$(wildcard $(1)/lib/*.cpp))
CASE_BIN := $(call programs,tests/cases) $(call plugins,tests/cases)
SAMPLE_BIN := $(call programs,samples)
CONFORMANCE_BIN := $(call programs,tests/conformance) $(call plugins,tests/conformance)
E2E_BIN := $(call programs,tests/e2e) $(call plugins,tests/e2e)
BENCH_BIN := $(call programs,tests/bench) $(call plugins,tests/bench)
OUTSIDE_BIN := $(call programs,tests/outside)
STEPS_BIN := $(call programs,tests/steps)
TEST_BIN := $(CASE_BIN) $(SAMPLE_BIN) $(CONFORMANCE_BIN) $(E2E_BIN) $(BENCH_BIN) $(OUTSIDE_BIN) $(STEPS_BIN)

UNIT_OBJ := $(patsubst %.c,$(O)/cmd/%.o,$(wildcard tests/unit/*.c))
UNIT_LINK := $(filter-out $(O)/cmd/report/command/cli/main.o,$(COMMAND_OBJ))

.PHONY: test test-unit test-cases test-samples test-conformance test-soak test-e2e test-outside test-exports test-layers test-emit test-install test-integrations test-readme test-ranks test-fuzz test-speed test-steps test-random
# A sanitized build tests the command, the graphs and the formats; the library is the same as without.
test: test-unit test-cases $(if $(SAN),,test-samples test-conformance test-soak test-e2e test-outside test-exports test-layers test-emit test-install test-integrations test-readme test-ranks test-fuzz test-speed test-steps test-random)

$(T)/unit/suites.inc: $(wildcard tests/unit/*_test.c)
	@mkdir -p $(@D)
	$(Q)sed -n 's/^Suite \*\([a-z0-9_]*\)_suite(void)$$/SUITE(\1)/p' $^ >$@
$(O)/cmd/tests/unit/main.o: $(T)/unit/suites.inc
$(O)/cmd/tests/unit/main.o: CPPFLAGS += -I$(T)/unit
$(T)/unit/run: $(UNIT_OBJ) $(UNIT_LINK)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SANFLAGS) $(LDFLAGS) $^ $(COMMAND_LIBS) $$(pkg-config --libs check) -o $@
test-unit: $(T)/unit/run
	$(Q)CK_DEFAULT_TIMEOUT=300 timeout 1200 $(T)/unit/run
test-cases: all $(CASE_BIN)
	$(Q)tests/run-cases.sh $(O) $(CASES)
test-samples: all $(SAMPLE_BIN)
	$(Q)tests/samples.sh $(O)
test-conformance: all $(CONFORMANCE_BIN)
	$(Q)tests/conformance/run.sh $(O)
# Under the sanitizer and valgrind, where they are installed.
test-soak: all $(CONFORMANCE_BIN)
	$(Q)tests/soak.sh $(O)
test-e2e: all $(E2E_BIN) $(OUTSIDE_BIN)
	$(Q)tests/e2e/run.sh $(O)
# Programs that hang, natively, looked at with `attach` and `core`.
test-outside: all $(OUTSIDE_BIN) $(T)/e2e/lib/native.so
	$(Q)for part in tests/e2e/attach_*.sh tests/e2e/core_*.sh; do $$part $(O) $(PARTS) || failed=1; done; [ -z "$$failed" ]
# Programs out of a generator, each with the findings that it was built to give. Other ones, or more:
# RANDOM_SEED=1000 RANDOM_COUNT=2000.
RANDOM_SEED ?= 1
RANDOM_COUNT ?= 200
RANDOM_OBJ := $(patsubst %.c,$(O)/cmd/%.o,$(filter-out tests/random/play.c,$(wildcard tests/random/*.c)))
$(T)/random/generate: $(RANDOM_OBJ)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) $^ -o $@
test-random: all $(T)/random/generate
	$(Q)CC='$(CC)' tests/random/run.sh $(O) $(RANDOM_SEED) $(RANDOM_COUNT)
-include $(RANDOM_OBJ:.o=.d)
test-exports: all
	$(Q)tests/exports.sh $(O)/libdlwatch.so
# What the tests run, to be compiled across.
.PHONY: test-programs
test-programs: $(TEST_BIN) $(T)/unit/run $(T)/random/generate
# Calls between rooms go one way.
test-layers: all
	$(Q)CC='$(CC)' tests/layers.sh $(O)
test-emit: all
	$(Q)tests/emit-symbols.sh $(patsubst %.c,$(O)/lib/%.o,$(EMIT_SRC))
# The library with its locks' ranks checked at every acquisition, on what nests them most.
RANK_CASES := abba fork_inherits fork_quiet guard_abba holder_ends_later join_inversion once_abba random_order \
	ring rw_upgrade sem_pool stall_barrier stall_read_quiet unlock_not_owner
.PHONY: test-ranks $(O)/ranks/libdlwatch.so
$(O)/ranks/libdlwatch.so:
	$(Q)$(MAKE) --no-print-directory O=$(O)/ranks CFLAGS="$(CFLAGS) -DDLW_CHECK_RANKS" $@
test-ranks: all $(CASE_BIN) $(O)/ranks/libdlwatch.so
	$(Q)ln -sfn ../tests ../dlwatch $(O)/ranks/
	$(Q)tests/run-cases.sh $(O)/ranks $(RANK_CASES)
test-readme:
	$(Q)tests/readme.sh
test-install: all $(O)/samples/dining_philosophers
	$(Q)tests/deps.sh
	$(Q)tests/install.sh $(O)
# What is installed, with the tools that teams have.
test-integrations: all $(E2E_BIN) $(O)/samples/dining_philosophers $(O)/samples/bank_transfer
	$(Q)CC='$(CC)' tests/integrations.sh $(O) $(PARTS)

test-speed: all $(BENCH_BIN)
	$(Q)tests/bench/hold.sh $(O) '$(CFLAGS)'

# A signal at the instructions of the library: STEPS=all tries every one.
test-steps: all $(STEPS_BIN)
	$(Q)tests/steps/run.sh $(O) $(STEPS)

# The README's two commands on bare systems, one after the other: root and a network, and an hour.
SYSTEMS ?= bookworm trixie sid bullseye
.PHONY: test-systems
test-systems:
	$(Q)for system in $(SYSTEMS); do tests/bare.sh $$system || exit; done

.PHONY: bench bench-scale bench-apps fuzz
bench: all $(BENCH_BIN)
	$(Q)tests/bench/run.sh $(BENCH_ARGS) $(O)
bench-scale: all $(BENCH_BIN)
	@echo '# natively'; $(T)/bench/scale $(BENCH_ARGS); $(T)/bench/rotations
	@echo '# preloaded'; export LD_PRELOAD=$(abspath $(O))/libdlwatch.so DLWATCH_OPTIONS=log=none; \
		$(T)/bench/scale $(BENCH_ARGS); $(T)/bench/rotations
bench-apps: all $(BENCH_BIN) $(T)/unit/run
	$(Q)tests/bench/apps.sh $(BENCH_ARGS) $(O)

# Everything that reads what others wrote, with libFuzzer, ASan and UBSan: FUZZ_SECONDS a target.
FUZZ_CC ?= clang
FUZZ_SECONDS ?= 20
FUZZ_FLAGS = -std=gnu11 $(CPPFLAGS) -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -MMD -MP
FUZZ_OBJ := $(patsubst %.c,$(O)/fuzz/objects/%.o,$(filter-out report/command/cli/main.c,$(COMMAND_SRC)) $(EMIT_SRC) $(GRAPH_SRC))
FUZZ_BIN := $(patsubst tests/fuzz/%.c,$(O)/fuzz/%,$(wildcard tests/fuzz/*.c))
$(O)/fuzz/objects/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -c $< -o $@
$(FUZZ_BIN): $(O)/fuzz/%: tests/fuzz/%.c $(FUZZ_OBJ)
	$(Q)$(FUZZ_CC) $(FUZZ_FLAGS) -MF $@.d -fsanitize=fuzzer $(filter %.c %.o,$^) $(COMMAND_LIBS) -o $@
fuzz: all $(FUZZ_BIN)
	$(Q)FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz.sh $(O)
-include $(FUZZ_OBJ:.o=.d) $(FUZZ_BIN:=.d)
# A look at each where there is libFuzzer; what was found once is tried again.
test-fuzz: all
	$(Q)if tests/fuzz.sh --is-possible $(FUZZ_CC); then $(MAKE) --no-print-directory fuzz FUZZ_SECONDS=2; fi

# Plugins that bring their C++ library along, for a C program that has none.
$(T)/conformance/lib/static_cxx.so $(T)/conformance/lib/recursive_cxx.so $(T)/cases/lib/guard_twice.so: TEST_CFLAGS += -static-libstdc++ -static-libgcc
# Libraries whose locks are watched: GLib as the cases know it, bound late and at once, and gcc's OpenMP.
GLIB_CASES := $(patsubst tests/cases/%.c,$(T)/cases/%,$(filter-out %_plugin.c,$(wildcard tests/cases/glib_*.c)))
$(GLIB_CASES) $(T)/cases/lib/glib_plugin.so: $(T)/cases/lib/libglib-2.0.so
$(GLIB_CASES): ORIGIN_LIB += -L$(T)/cases/lib -l:libglib-2.0.so
$(T)/cases/lib/glib_plugin.so: PLUGIN_LIB = -L$(T)/cases/lib -l:libglib-2.0.so -Wl,-rpath,'$$ORIGIN'
$(T)/cases/glib_inversion $(T)/cases/glib_opened: ORIGIN_LIB += -Wl,-z,now -Wl,-z,relro
$(T)/cases/glib_abba: TEST_CFLAGS += -fno-plt
$(patsubst %.c,$(O)/%,$(wildcard tests/cases/openmp_*.c)): ORIGIN_LIB += -l:libgomp.so.1
$(T)/cases/lib/libglib-2.0.so: PLUGIN_LIB = -Wl,-soname,libglib-2.0.so
$(T)/cases/lib/glib_unlinked.so: PLUGIN_LIB = -Wl,-z,lazy
# Those that leave their threads to a library, linked with libpthread before glibc 2.34.
$(T)/cases/end_holding_vm $(T)/e2e/python_anew: ORIGIN_LIB += -Wl,--no-as-needed -lpthread
# Programs without threads.
$(T)/conformance/late_threads $(T)/conformance/confined_alone: THREADS :=
# It exports what an interpreter is known by.
$(T)/cases/python_linked: TEST_CFLAGS += -rdynamic
# As it is once dlwatch.h is installed.
$(O)/samples/futex_lock: TEST_CFLAGS += -Iinterpose/include
# Speed is measured on what a compiler makes of it in earnest.
$(BENCH_BIN): TEST_CFLAGS += -O2
$(O)/%.so: %.c | $(FIRST)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(CPPFLAGS) $(TEST_CFLAGS) -fPIC -shared $< $(PLUGIN_LIB) -o $@
$(O)/%.so: %.cpp | $(FIRST)
	@mkdir -p $(@D)
	$(Q)$(CXX) -std=c++17 $(CPPFLAGS) $(TEST_CFLAGS) -fPIC -shared $< -o $@
$(O)/%: %.c | $(FIRST)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 $(CPPFLAGS) $(TEST_CFLAGS) $< $(ORIGIN_LIB) $(OLD_LIBS) -o $@
$(O)/%: %.cpp | $(FIRST)
	@mkdir -p $(@D)
	$(Q)$(CXX) -std=c++17 $(CPPFLAGS) $(TEST_CFLAGS) $< $(ORIGIN_LIB) $(OLD_LIBS) -o $@

-include $(UNIT_OBJ:.o=.d) $(TEST_BIN:=.d)
