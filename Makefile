# dlwatch. `make help` lists targets and knobs; the tests' rules are in tests/tests.mk.
comma := ,
SAN ?=
O ?= build$(if $(SAN),-$(subst $(comma),-,$(SAN)))
V ?= 0
PREFIX ?= /usr/local
DESTDIR ?=
# The version's one place, and the day of it; the command, journals, manual, packages and all else take it from here.
VERSION := 0.2.0
RELEASED := 2026-11-27
# gcc, or clang on a machine that has nothing else.
ifeq ($(origin CC),default)
CC := $(or $(shell (command -v gcc || ! command -v clang) >/dev/null 2>&1 && echo gcc),clang)
endif
ifeq ($(origin CXX),default)
CXX := $(if $(findstring clang,$(CC)),clang++,g++)
endif

Q := $(if $(filter 1,$(V)),,@)
WARN := -Wall -Wextra -Wundef -Wshadow -Werror
C_WARN := $(WARN) -Wstrict-prototypes -Wmissing-prototypes
CPPFLAGS += -I. -D_GNU_SOURCE -DDLW_VERSION='"$(VERSION)"' -DDLW_RELEASED='"$(RELEASED)"'
# A header that could not be installed (.dist/deps.sh).
UNPACKED := build/deps
CPPFLAGS += -isystem $(UNPACKED)/usr/include -isystem $(UNPACKED)/usr/include/$(shell uname -m)-linux-gnu
CFLAGS ?= -O2 -g
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
ALL_CFLAGS = -std=gnu11 $(CFLAGS) $(C_WARN) -MMD -MP

# Tests wait more than they compute: two targets at once, unless -j says otherwise (-j1: one).
ifneq ($(filter test,$(MAKECMDGOALS)),)
MAKEFLAGS += -j2 --output-sync=target
endif

# The library: hidden by default, initial-exec TLS, no symbol left open, never sanitized nor fortified (checked
# copies are calls into libc that its own would not be).
LIB_CFLAGS = $(ALL_CFLAGS) -fPIC -fvisibility=hidden -ftls-model=initial-exec \
	-fno-omit-frame-pointer -fno-stack-protector -fno-semantic-interposition -fno-tree-slp-vectorize -U_FORTIFY_SOURCE $(OWN_CFLAGS)
LIB_LDFLAGS = -shared -Wl,-z,defs -Wl,-z,now -Wl,-soname,libdlwatch.so
# libdl is a part of libc from glibc 2.34 on.
LIB_LIBS = -ldl

GRAPH_SRC := $(wildcard graph/*.c graph/base/*.c graph/order/*.c)
EMIT_SRC := $(wildcard report/emit/*.c report/emit/*/*.c)
# A room is a folder; a large one has rooms of its own.
rooms = $(wildcard $(1)/*.c $(1)/*/*.c $(1)/*/*/*.c)
INTERPOSE_SRC := $(call rooms,interpose)
COMMAND_SRC := $(call rooms,report/command)

LIB_OBJ := $(patsubst %.c,$(O)/lib/%.o,$(GRAPH_SRC) $(EMIT_SRC) $(INTERPOSE_SRC))
COMMAND_OBJ := $(patsubst %.c,$(O)/cmd/%.o,$(COMMAND_SRC) $(EMIT_SRC) $(GRAPH_SRC))
COMMAND_LIBS = -ldw -lelf -ljansson -lm $(LIB_LIBS)

# `make -j deps test`: whatever compiles waits for deps when both are asked for.
FIRST := $(filter deps,$(MAKECMDGOALS))

.PHONY: all
all: $(O)/libdlwatch.so $(O)/dlwatch

# What libc's names stand for in the library must not be made of themselves.
$(O)/lib/interpose/base/libc.o: OWN_CFLAGS := -fno-builtin

# Newer than the objects only when the version has changed.
$(O)/version: FORCE
	@mkdir -p $(@D)
	@echo '$(VERSION) $(RELEASED)' | cmp -s - $@ || echo '$(VERSION) $(RELEASED)' >$@
FORCE:

$(O)/lib/%.o: %.c $(O)/version | $(FIRST)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(LIB_CFLAGS) -c $< -o $@

$(O)/cmd/%.o: %.c $(O)/version | $(FIRST)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) $(SANFLAGS) -c $< -o $@

$(O)/libdlwatch.so: $(LIB_OBJ)
	$(Q)$(CC) $(LIB_LDFLAGS) $(LDFLAGS) $^ $(LIB_LIBS) -o $@

$(O)/dlwatch: $(COMMAND_OBJ)
	$(Q)$(CC) $(SANFLAGS) $(LDFLAGS) $^ $(COMMAND_LIBS) -o $@

-include $(LIB_OBJ:.o=.d) $(COMMAND_OBJ:.o=.d)
include tests/tests.mk
include .dist/dist.mk

DEPS := gcc g++ libc6-dev make pkg-config libunwind-dev uthash-dev check libdw-dev libelf-dev libjansson-dev jq
.PHONY: deps
deps:
	$(Q)CC='$(CC)' CXX='$(CXX)' .dist/deps.sh $(UNPACKED) $(DEPS)

.PHONY: demo
demo: all $(O)/samples/dining_philosophers $(O)/samples/bank_transfer
	@echo "# five philosophers, five forks: a deadlock, now"
	@$(O)/dlwatch run -- $(O)/samples/dining_philosophers; [ $$? -eq 66 ]
	@echo "# two transfers that went well today: a deadlock, some day"
	@$(O)/dlwatch run -- $(O)/samples/bank_transfer; [ $$? -eq 66 ]

# Formatting and analysis, each where its tool is installed.
C_FILES = $(shell git ls-files '*.c' '*.h' '*.cpp')
SHELL_FILES = $(shell git ls-files '*.sh' .ci/run)
has = command -v $(1) >/dev/null || { echo "lint: no $(1), skipped"; exit 0; }
.PHONY: lint lint-format lint-tidy lint-cppcheck lint-shell
lint: lint-format lint-tidy lint-cppcheck lint-shell
lint-format:
	$(Q)$(call has,clang-format); clang-format --dry-run -Werror $(C_FILES)
lint-tidy:
	$(Q)$(call has,clang-tidy); clang-tidy --quiet $(GRAPH_SRC) $(EMIT_SRC) $(INTERPOSE_SRC) $(COMMAND_SRC) -- \
		-std=gnu11 $(CPPFLAGS)
lint-cppcheck:
	$(Q)$(call has,cppcheck); cppcheck --quiet --error-exitcode=1 --inline-suppr -I. -D__x86_64__ -D__GLIBC__=2 '-DElfW(type)=Elf64_##type' \
		--suppress=varFuncNullUB --include=/usr/include/uthash.h \
		--enable=warning,portability $(GRAPH_SRC) $(EMIT_SRC) $(INTERPOSE_SRC) $(COMMAND_SRC)
lint-shell:
	$(Q)$(call has,shellcheck); shellcheck $(SHELL_FILES)

.PHONY: help
help:
	@echo 'make [TARGET] [KNOB=VALUE]'
	@echo '  all         $(O)/libdlwatch.so and $(O)/dlwatch'
	@echo '  deps        install what is missing (Debian, Ubuntu)'
	@echo '  demo        watch two of the samples'
	@echo '  test        every test; test-unit test-cases test-samples test-conformance test-soak'
	@echo '              test-e2e test-outside test-exports test-layers test-emit test-install'
	@echo '              test-integrations test-readme test-ranks test-fuzz test-speed test-steps'
	@echo '              test-random are its parts'
	@echo '  test-systems  deps demo and deps test on bare systems (root, a network, an hour)'
	@echo '  bench       cost of each operation against native and peers; BENCH_ARGS=--help'
	@echo '  bench-scale cost and memory as locks, edges, threads and cycles grow; BENCH_ARGS=MOST-LOCKS'
	@echo '  bench-apps  the same for real programs that are installed'
	@echo '  lint        formatting and analysis'
	@echo '  fuzz        damaged input against everything that reads any (clang; FUZZ_SECONDS=20 a target)'
	@echo '  install     to $$(DESTDIR)$$(PREFIX); uninstall'
	@echo '  dist        the last commit as a tarball'
	@echo '  deb         Debian packages of it; DEB_ARCH=arm64 by a cross compiler'
	@echo '  static      a command that needs no library, with the library to preload and what that needs, as a tarball'
	@echo '  clean       remove $(O)'
	@echo 'knobs: O=build  V=1 (show commands)  SAN=address,undefined (command and unit tests)'
	@echo '       CC= CXX= CFLAGS=  PREFIX=/usr/local DESTDIR=  CASES="name…" (of test-cases)  STEPS=all (of test-steps)'
	@echo '       PARTS="with_…" (of test-integrations)  SYSTEMS="bookworm trixie sid bullseye" (of test-systems)'
	@echo '       RANDOM_SEED=1 RANDOM_COUNT=200 (of test-random: the first of so many programs)'

.PHONY: clean
clean:
	rm -rf $(O)
