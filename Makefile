# SPDX-License-Identifier: GPL-2.0-or-later
# One Makefile for everything; `make help` lists what it can do.

VERSION := 0.1.0

PREFIX     ?= /usr/local
BINDIR     ?= $(PREFIX)/bin
SBINDIR    ?= $(PREFIX)/sbin
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR     ?= $(PREFIX)/share/man
SYSCONFDIR ?= $(if $(filter /usr /usr/local,$(PREFIX)),/etc,$(PREFIX)/etc)
DESTDIR    ?=

ifeq ($(origin CC),default)
CC := gcc
endif
PKG_CONFIG ?= pkg-config
OPT        ?= -O2
SAN        ?=
V          ?=
WERROR     ?=

# A build with other flags goes into its own directory.
comma := ,
B ?= build$(if $(SAN),-$(subst $(comma),-,$(SAN)))

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' '$(1)' '$(2)')

WARN := -Wall -Wextra -Wformat=2 -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wwrite-strings $(if $(WERROR),-Werror)
HARDEN := $(if $(SAN),,-D_FORTIFY_SOURCE=2) -fstack-protector-strong
CPPFLAGS += -Icommon/include -Icommon -D_GNU_SOURCE -DFG_VERSION='"$(VERSION)"' \
	-DFG_PLUGIN_DIR='"$(LIBDIR)/flowgate"' -DFG_SYSCONFDIR='"$(SYSCONFDIR)"'
CFLAGS ?= $(OPT) -g
ALL_CFLAGS = -std=gnu17 $(WARN) $(HARDEN) -fPIC -fvisibility=hidden -MMD -MP \
	$(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer) \
	$(CFLAGS)
ALL_LDFLAGS = -Wl,-z,relro,-z,now $(if $(SAN),-fsanitize=$(SAN)) $(LDFLAGS)

# ------------------------------------------------------------------ parts

# Pure parts, linked into programs, plugins, tests and fuzzers alike.
BASE    := $(wildcard common/base/*.c)
FLOW    := $(wildcard common/flow/*.c)
POLICY  := $(wildcard common/policy/*.c)
NETLINK := $(wildcard common/netlink/*.c)
LEASE   := $(wildcard common/lease/*.c)
HOST    := $(wildcard common/host/*.c)
CLI     := $(wildcard common/cli/*.c)

# What each plugin is made of besides its own folder, and its libraries.
PLUGINS := $(patsubst plugins/%/,%,$(wildcard plugins/*/))
plugin_parts_nftset    := $(NETLINK) $(LEASE)
plugin_parts_conntrack := $(NETLINK)
plugin_parts_ipset     := $(NETLINK) $(LEASE)
plugin_libs_nftset     := -lnftnl -lmnl
plugin_libs_conntrack  := -lmnl
plugin_libs_ipset      := -lmnl
plugin_libs_stats      := -lmicrohttpd
plugin_libs_mqtt       := -lmosquitto -lz

POLICY_LIBS := -lpcre2-8
HOST_LIBS   := $(POLICY_LIBS) -ldl -lm

obj = $(patsubst %.c,$(B)/%.o,$(1))

PROGRAMS := $(if $(HOST),$(B)/flowgated) $(if $(CLI),$(B)/flowgatectl)
PLUGIN_SO := $(foreach p,$(PLUGINS),$(if $(wildcard plugins/$(p)/*.c),$(B)/plugins/$(p).so))

all: $(PROGRAMS) $(PLUGIN_SO) ## build the programs and plugins (default)

$(B)/%.o: %.c | deps-found
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

$(B)/flowgated: $(call obj,$(HOST) $(POLICY) $(FLOW) $(BASE))
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -rdynamic -o $@ $^ $(HOST_LIBS)

$(B)/flowgatectl: $(call obj,$(CLI) $(BASE))
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^

define plugin_rule
$(B)/plugins/$(1).so: $(call obj,$(wildcard plugins/$(1)/*.c) $(plugin_parts_$(1)) $(BASE))
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(ALL_CFLAGS) -shared $$(ALL_LDFLAGS) -o $$@ $$^ $(plugin_libs_$(1))
endef
$(foreach p,$(PLUGINS),$(eval $(call plugin_rule,$(p))))

# ------------------------------------------------------------------ tests

# tests/unit/test_NAME.c; what it links is named in its "LINK:" comment line,
# as folders or files; its libraries in "LIBS:".
UNIT := $(wildcard tests/unit/test_*.c)
UNIT_BIN := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(UNIT))
link_words = $(shell sed -n 's/^.*$(2): *\([^*]*\).*$$/\1/p' $(1))
link_files = $(foreach w,$(call link_words,$(1),LINK),$(if $(filter %.c,$(w)),$(w),$(wildcard $(w)/*.c)))
define unit_rule
$(B)/tests/unit/$(1): $(call obj,tests/unit/$(1).c $(call link_files,tests/unit/$(1).c) $(BASE))
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(ALL_CFLAGS) $$(ALL_LDFLAGS) -o $$@ $$^ -lcmocka $(call link_words,tests/unit/$(1).c,LIBS)
endef
$(foreach t,$(patsubst tests/unit/%.c,%,$(UNIT)),$(eval $(call unit_rule,$(t))))

# tests/tools/NAME.c: programs that tests use, linked like unit tests.
TOOLS := $(wildcard tests/tools/*.c)
TOOL_BIN := $(patsubst tests/tools/%.c,$(B)/tests/tools/%,$(TOOLS))
define tool_rule
$(B)/tests/tools/$(1): $(call obj,tests/tools/$(1).c $(call link_files,tests/tools/$(1).c) $(BASE))
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(ALL_CFLAGS) $$(ALL_LDFLAGS) -rdynamic -o $$@ $$^ $(call link_words,tests/tools/$(1).c,LIBS)
endef
$(foreach t,$(patsubst tests/tools/%.c,%,$(TOOLS)),$(eval $(call tool_rule,$(t))))

tools: $(TOOL_BIN) ## build the programs that tests use

# ------------------------------------------------------------------ deps

# header or tool : Debian package : what for
NEED_BUILD := libmnl/libmnl.h:libmnl-dev libnftnl/set.h:libnftnl-dev \
	jsmn.h:libjsmn-dev pcre2.h:libpcre2-dev

deps-found:

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

clean: ## remove what was built
	$(Q)rm -rf build build-*

unit: $(UNIT_BIN) ## build and run the unit tests
	@set -e; for t in $(UNIT_BIN); do $$t; done

.PHONY: all help clean deps-found unit tools
.SECONDARY:

-include $(shell find $(B) -name '*.d' 2>/dev/null)
