# dlwatch: `make help` lists targets and knobs.
O ?= build
CC ?= gcc
CXX ?= g++
PREFIX ?= /usr/local
DESTDIR ?=
SAN ?=
V ?= 0
VERSION := 0.1.0

Q := $(if $(filter 1,$(V)),,@)
WARN := -Wall -Wextra -Wundef -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror
CPPFLAGS += -I. -D_GNU_SOURCE -DDLW_VERSION='"$(VERSION)"'
CFLAGS ?= -O2 -g
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
ALL_CFLAGS = -std=gnu11 $(CFLAGS) $(WARN) -MMD -MP

# The library: hidden by default, initial-exec TLS, no symbol left open.
LIB_CFLAGS = $(ALL_CFLAGS) -fPIC -fvisibility=hidden -ftls-model=initial-exec -fno-omit-frame-pointer \
	-fno-stack-protector -fno-semantic-interposition
LIB_LDFLAGS = -shared -Wl,-z,defs -Wl,-z,now -Wl,-soname,libdlwatch.so

GRAPH_SRC := $(wildcard graph/*.c graph/base/*.c)
EMIT_SRC := $(wildcard report/emit/*.c)
INTERPOSE_SRC := $(wildcard interpose/*.c)
COMMAND_SRC := $(wildcard report/command/*.c report/command/*/*.c)

LIB_OBJ := $(patsubst %.c,$(O)/lib/%.o,$(GRAPH_SRC) $(EMIT_SRC) $(INTERPOSE_SRC))
COMMAND_OBJ := $(patsubst %.c,$(O)/cmd/%.o,$(COMMAND_SRC) $(GRAPH_SRC) report/emit/options.c)
COMMAND_LIBS = -ldw -lelf -ljansson

.PHONY: all
all: $(O)/libdlwatch.so $(O)/dlwatch

$(O)/lib/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(LIB_CFLAGS) -c $< -o $@

$(O)/cmd/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) $(SANFLAGS) -c $< -o $@

$(O)/libdlwatch.so: $(LIB_OBJ)
	$(Q)$(CC) $(LIB_LDFLAGS) $(LDFLAGS) $^ -o $@

$(O)/dlwatch: $(COMMAND_OBJ)
	$(Q)$(CC) $(SANFLAGS) $(LDFLAGS) $^ $(COMMAND_LIBS) -o $@

-include $(LIB_OBJ:.o=.d) $(COMMAND_OBJ:.o=.d)

.PHONY: clean
clean:
	rm -rf $(O)
