# SPDX-License-Identifier: GPL-2.0-or-later
# One Makefile for everything; `make help` lists what it can do.

VERSION := 0.1.0

PREFIX     ?= /usr/local
BINDIR     ?= $(PREFIX)/bin
SBINDIR    ?= $(PREFIX)/sbin
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DATADIR    ?= $(PREFIX)/share
MANDIR     ?= $(DATADIR)/man
DOCDIR     ?= $(DATADIR)/doc/flowgate
ZSHDIR     ?= $(DATADIR)/zsh/site-functions
UNITDIR    ?= $(PREFIX)/lib/systemd/system
SYSCONFDIR ?= $(if $(filter /usr /usr/local,$(PREFIX)),/etc,$(PREFIX)/etc)
RUNDIR     ?= /run
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
# Hardened unless a sanitizer wants to see for itself; what a compiler or
# machine does not know is left out.
knows = $(shell echo 'int x;' | $(CC) -Werror $(1) -x c -c -o /dev/null - 2>/dev/null && echo $(1))
HARDEN := $(if $(SAN),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$(if $(call knows,-O2 -D_FORTIFY_SOURCE=3),3,2)) \
	-fstack-protector-strong $(call knows,-fstack-clash-protection) \
	$(call knows,-fcf-protection)
ALL_CPPFLAGS = -Icommon/include -Icommon -D_GNU_SOURCE -DFG_VERSION='"$(VERSION)"' \
	-DFG_PLUGIN_DIR='"$(LIBDIR)/flowgate"' -DFG_SYSCONFDIR='"$(SYSCONFDIR)"' \
	-DFG_RUNDIR='"$(RUNDIR)"' $(CPPFLAGS)
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
plugin_parts_mqtt      := $(filter-out %/plugin.c,$(wildcard plugins/netifyd/*.c)) \
	common/policy/url.c common/lease/wheel.c
plugin_libs_nftset     := -lnftnl -lmnl
plugin_libs_conntrack  := -lmnl
plugin_libs_ipset      := -lmnl
plugin_libs_stats      := -lmicrohttpd
plugin_need_stats      := microhttpd.h:libmicrohttpd-dev
plugin_libs_mqtt       := -lmosquitto -lssl -lcrypto -lz
plugin_need_mqtt       := mosquitto.h:libmosquitto-dev openssl/ssl.h:libssl-dev zlib.h:zlib1g-dev

POLICY_LIBS := -lpcre2-8
HOST_LIBS   := $(POLICY_LIBS) -ldl -lm
# Confines system calls where its library is there; make SECCOMP= does without.
SECCOMP     ?= $(shell echo '\#include <seccomp.h>' | $(CC) $(CPPFLAGS) $(CFLAGS) -E -x c -o /dev/null - 2>/dev/null && echo y)
SECCOMP     := $(SECCOMP)
ifneq ($(SECCOMP),)
ALL_CPPFLAGS += -DFG_SECCOMP
HOST_LIBS   += -lseccomp
endif

obj = $(patsubst %.c,$(B)/%.o,$(1))

PROGRAMS := $(if $(HOST),$(B)/flowgated) $(if $(CLI),$(B)/flowgatectl)
PLUGIN_SO := $(foreach p,$(PLUGINS),$(if $(wildcard plugins/$(p)/*.c),$(B)/plugins/$(p).so))

all: $(PROGRAMS) $(PLUGIN_SO) ## build the programs and plugins (default)

# Paths are compiled in: "make install PREFIX=..." builds again what has others.
$(B)/.paths: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(VERSION) $(PREFIX) $(LIBDIR) $(SYSCONFDIR) $(RUNDIR) $(DOCDIR) >$@.$$$$; \
		cmp -s $@.$$$$ $@ && rm $@.$$$$ || mv $@.$$$$ $@

$(B)/%.o: %.c $(B)/.paths | $(B)/.deps-found
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

# The page of flowgatectl report, as numbers for a C array.
$(B)/common/cli/report.inc: common/cli/report.html
	$(call say,GEN,$@)
	@mkdir -p $(@D)
	$(Q)od -An -v -tx1 $< | sed 's/ \(..\)/0x\1,/g' > $@

$(B)/common/cli/report.o: $(B)/common/cli/report.inc
$(B)/common/cli/report.o: ALL_CPPFLAGS += -I$(B)

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
# as folders (without their main.c) or files; its libraries in "LIBS:".
UNIT := $(wildcard tests/unit/test_*.c)
UNIT_BIN := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(UNIT))
link_words = $(shell sed -n 's/^.*$(2): *\([^*]*\).*$$/\1/p' $(1))
link_files = $(foreach w,$(call link_words,$(1),LINK),$(if $(filter %.c,$(w)),$(w),$(filter-out %/main.c,$(wildcard $(w)/*.c))))
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

# ------------------------------------------------------------------- benches

# tests/bench/bench_NAME.c, linked like unit tests.
BENCH := $(patsubst tests/bench/%.c,%,$(wildcard tests/bench/bench_*.c))
define bench_rule
$(B)/tests/bench/$(1): $(call obj,tests/bench/$(1).c $(call link_files,tests/bench/$(1).c) $(BASE))
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(ALL_CFLAGS) $$(ALL_LDFLAGS) -o $$@ $$^ $(call link_words,tests/bench/$(1).c,LIBS)
endef
$(foreach t,$(BENCH),$(eval $(call bench_rule,$(t))))
BENCH_BIN := $(patsubst %,$(B)/tests/bench/%,$(BENCH))

bench: deps-test ## figures beside their floors (root; BENCH_ARGS=--quick)
	$(Q)$(MAKE) $(PROGRAMS) $(PLUGIN_SO) $(TOOL_BIN) $(BENCH_BIN)
	$(Q)B=$(abspath $(B)) tests/bench/run $(BENCH_ARGS)

# -------------------------------------------------------------- fuzz targets

# tests/fuzz/fuzz_NAME.c, linked like unit tests: with replay.c each is a test
# that runs its corpus; `make fuzz` builds them with clang's libFuzzer.
FUZZ := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
define fuzz_rule
$(B)/tests/fuzz/$(1): $(call obj,tests/fuzz/$(1).c $(call link_files,tests/fuzz/$(1).c) $(BASE)) $(if $(FUZZER),,$(B)/tests/fuzz/replay.o)
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(ALL_CFLAGS) $$(ALL_LDFLAGS) -o $$@ $$^ $(call link_words,tests/fuzz/$(1).c,LIBS)
endef
$(foreach t,$(FUZZ),$(eval $(call fuzz_rule,$(t))))
FUZZ_BIN := $(patsubst %,$(B)/tests/fuzz/%,$(FUZZ))

FUZZ_SECONDS ?= 60
fuzz: ## fuzz every target for FUZZ_SECONDS (60) each, with clang
	$(Q)$(MAKE) CC=clang B=build-fuzz SAN=fuzzer-no-link,address,undefined \
		FUZZER=1 LDFLAGS=-fsanitize=fuzzer fuzz-run

fuzz-run: $(FUZZ_BIN)
	$(Q)tests/fuzz/run $(B) $(FUZZ_SECONDS)

# ------------------------------------------------------------------- checks

TESTED = $(PROGRAMS) $(PLUGIN_SO) $(UNIT_BIN) $(TOOL_BIN) $(FUZZ_BIN) $(BENCH_BIN)

everything: $(TESTED) ## build programs, plugins, tests, tools and benches

check: deps-test ## build everything and run every test (root: kernel tests, too)
	$(Q)$(MAKE) $(if $(V),,-s) everything
	$(Q)B=$(abspath $(B)) tests/run $(T)

SOAK_STEPS   ?= 1000000
SOAK_SECONDS ?= 600
soak: deps-test ## the long runs: a million steps against a model, ten minutes of load
	$(Q)$(MAKE) $(if $(V),,-s) all tools
	$(Q)B=$(abspath $(B)) JOBS=1 FG_STEPS=$(SOAK_STEPS) FG_LOAD=$(SOAK_SECONDS) \
		tests/run tests/netns/load.sh tests/netns/model.sh
	@cat $(B)/tests/log/netns_load.sh.log $(B)/tests/log/netns_model.sh.log

valgrind: deps-test ## unit tests, corpora and a recording under valgrind's memcheck
	$(Q)$(MAKE) $(if $(V),,-s) everything
	$(Q)B=$(abspath $(B)) tests/tools/valgrind.sh

coverage: deps-test ## lines and branches of the pure modules that tests reach
	$(Q)$(MAKE) $(if $(V),,-s) B=build-coverage CFLAGS='-O0 -g --coverage' LDFLAGS=--coverage coverage-run

coverage-run: $(UNIT_BIN) $(FUZZ_BIN)
	$(Q)B=$(abspath $(B)) tests/tools/coverage.sh

LINTED := $(wildcard common/*/*.c plugins/*/*.c)
LINT_FLAGS := $(ALL_CPPFLAGS) -I$(B) -std=gnu17

# What gcc 12 sees wrong: it forgets what is stored behind a pointer that it does
# not know, and initializers of arrays of structs. Leaks and uninitialized values
# are for LeakSanitizer, valgrind and tests/unit/test_nomem to see.
ANALYZER := -fanalyzer -Wno-analyzer-malloc-leak -Wno-analyzer-use-of-uninitialized-value

lint: all ## clang-tidy, cppcheck, gcc -fanalyzer, shellcheck, mandoc (see deps-lint)
	$(call say,LINT,clang-tidy)
	$(Q)printf '%s\n' $(LINTED) | xargs -P $$(nproc) -I{} clang-tidy --quiet {} -- $(LINT_FLAGS) 2>/dev/null
	$(call say,LINT,cppcheck)
	$(Q)cppcheck -q --error-exitcode=1 --enable=warning,portability,performance \
		--std=c11 --inline-suppr --suppressions-list=.cppcheck \
		'-Dmnl_attr_for_each(a,b,c)=for(;;)' '-Dmnl_attr_for_each_nested(a,b)=for(;;)' \
		$(ALL_CPPFLAGS) $(LINTED)
	$(call say,LINT,gcc -fanalyzer)
	$(Q)$(MAKE) --no-print-directory CC=gcc B=build-analyzer CFLAGS='-O1 $(ANALYZER)' WERROR=1 all
	$(call say,LINT,shellcheck)
	$(Q)shellcheck -x -e SC1091,SC2016 .ci/run tests/run tests/fuzz/run tests/*/*.sh
	$(call say,LINT,mandoc)
	$(Q)mandoc -Tlint -W warning common/dist/man/*

unit: $(UNIT_BIN) ## only the unit tests
	$(Q)B=$(abspath $(B)) tests/run unit

demo: deps-test ## show it at work, in a network namespace of its own
	$(Q)$(MAKE) $(if $(V),,-s) all tools
	$(Q)B=$(abspath $(B)) tests/tools/demo.sh

# --------------------------------------------------------------------- deps

# header or program : Debian package
NEED_BUILD := libmnl/libmnl.h:libmnl-dev libnftnl/set.h:libnftnl-dev \
	jsmn.h:libjsmn-dev pcre2.h:libpcre2-dev $(foreach p,$(PLUGINS),$(plugin_need_$(p)))
NEED_TOOLS := gcc:gcc pkg-config:pkg-config
NEED_TEST_BUILD := nftables/libnftables.h:libnftables-dev cmocka.h:libcmocka-dev seccomp.h:libseccomp-dev ndpi/ndpi_api.h:libndpi-dev pcap/pcap.h:libpcap-dev
NEED_TEST_TOOLS := nft:nftables ip:iproute2 unshare:util-linux jq:jq \
	python3:python3 conntrack:conntrack openssl:openssl ncat:ncat socat:socat curl:curl \
	mandoc:mandoc tc:iproute2 ethtool:ethtool ping:iputils-ping \
	sysctl:procps col:bsdextrautils ipset:ipset /etc/protocols:netbase /usr/share/doc/build-essential:build-essential \
	jsonschema:python3-jsonschema valgrind:valgrind busybox:busybox \
	mosquitto:mosquitto mosquitto_pub:mosquitto-clients \
	dpkg-buildpackage:dpkg-dev dh:debhelper systemd-nspawn:systemd-container lintian:lintian

package = $(word 2,$(subst :, ,$(1)))
PACKAGES := $(sort $(foreach n,$(NEED_BUILD) $(NEED_TOOLS) $(NEED_TEST_BUILD) $(NEED_TEST_TOOLS),$(call package,$(n))) libc6-dev)
APT := apt-get install -y --no-install-recommends $(PACKAGES)

deps: ## install the Debian packages that build and tests need
	@if [ "$$(id -u)" = 0 ]; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive $(APT) >/dev/null && \
		echo "dependencies installed"; \
	else \
		echo "as root, run:  $(APT)"; exit 1; \
	fi

LINTERS := clang-tidy cppcheck shellcheck mandoc
deps-lint: ## install the Debian packages that make lint needs
	@missing=; for t in $(LINTERS); do command -v $$t >/dev/null || missing="$$missing $$t"; done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ]; then \
		DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $$missing >/dev/null; \
	else \
		echo "as root, run:  apt-get install $$missing"; exit 1; \
	fi

# What a build can't do without; one line for each that is missing.
$(B)/.deps-found:
	@mkdir -p $(@D)
	@command -v $(firstword $(CC)) >/dev/null || \
		{ echo "no compiler: $(CC) not found (make deps, or CC=...)" >&2; exit 1; }
	@ok=1; for n in $(NEED_BUILD); do \
		h=$${n%%:*}; p=$${n#*:}; \
		printf '#include <stdio.h>\n#include <%s>\n' "$$h" | \
			$(CC) $(ALL_CPPFLAGS) $(CFLAGS) -DPCRE2_CODE_UNIT_WIDTH=8 -E -x c - >/dev/null 2>&1 || \
		{ echo "missing $$h: install $$p (Debian), or run 'make deps'" >&2; ok=0; }; \
	done; [ $$ok = 1 ]
	@touch $@

# Called by check and demo: installs when something is missing and root.
deps-test:
	@missing=; \
	for n in $(NEED_TOOLS) $(NEED_TEST_TOOLS); do \
		[ -e "$${n%%:*}" ] || PATH=$$PATH:/usr/sbin:/sbin command -v $${n%%:*} >/dev/null || missing="$$missing $${n%%:*}"; \
	done; \
	for n in $(NEED_BUILD) $(NEED_TEST_BUILD); do \
		ls /usr/include/$${n%%:*} /usr/include/*/$${n%%:*} /usr/local/include/$${n%%:*} >/dev/null 2>&1 || \
		[ -n "$$(ls -d /usr/include/$${n%%:*} /usr/include/*/$${n%%:*} /usr/local/include/$${n%%:*} 2>/dev/null)" ] || \
			missing="$$missing $${n%%:*}"; \
	done; \
	if [ -n "$$missing" ]; then \
		echo "missing:$$missing"; $(MAKE) --no-print-directory deps; \
	fi

# ------------------------------------------------------------------- install

# What is installed, as mode:file:directory[:name]; uninstall removes the same.
dist = $(B)/dist/$(1)
doc_dir = $(DOCDIR)/examples/$(patsubst %/,%,$(dir $(1)))
INSTALLED = \
	755:$(B)/flowgated:$(SBINDIR) \
	755:$(B)/flowgatectl:$(BINDIR) \
	$(foreach p,$(PLUGIN_SO),644:$(p):$(LIBDIR)/flowgate) \
	644:common/include/flowgate/plugin.h:$(INCLUDEDIR)/flowgate \
	644:$(call dist,flowgate.pc):$(LIBDIR)/pkgconfig \
	$(foreach m,$(wildcard common/dist/man/*.[1578]),644:$(m):$(MANDIR)/man$(subst .,,$(suffix $(m)))) \
	644:common/dist/flowgate.schema.json:$(DATADIR)/flowgate \
	$(foreach f,$(wildcard common/dist/grafana/*.json),644:$(f):$(DATADIR)/flowgate/grafana) \
	644:common/dist/completion/flowgate.bash:$(DATADIR)/bash-completion/completions:flowgated \
	644:common/dist/completion/flowgate.bash:$(DATADIR)/bash-completion/completions:flowgatectl \
	644:common/dist/completion/flowgate.zsh:$(ZSHDIR):_flowgate \
	644:common/dist/completion/flowgate.fish:$(DATADIR)/fish/vendor_completions.d:flowgated.fish \
	644:common/dist/completion/flowgate.fish:$(DATADIR)/fish/vendor_completions.d:flowgatectl.fish \
	644:$(call dist,systemd/flowgated.service):$(UNITDIR) \
	644:common/dist/systemd/flowgate.sysusers:$(PREFIX)/lib/sysusers.d:flowgate.conf \
	644:common/dist/systemd/flowgate.tmpfiles:$(PREFIX)/lib/tmpfiles.d:flowgate.conf \
	644:common/dist/systemd/unprivileged.conf:$(DOCDIR)/examples \
	644:$(call dist,flowgate.json):$(DOCDIR)/examples \
	$(foreach f,$(wildcard plugins/sample/*.c plugins/sample/Makefile),644:$(f):$(DOCDIR)/examples/sample) \
	$(foreach f,$(wildcard rules/*.md rules/*/*.*),$(if $(filter %.sh,$(f)),755,644):$(f):$(call doc_dir,$(f)))
each_installed = printf '%s\n' $(INSTALLED) | while IFS=: read -r mode file dir name; do \
	to="$(DESTDIR)$$dir/$${name:-$${file\#\#*/}}"; $(1); done
MADE := $(patsubst common/dist/%.in,$(B)/dist/%,$(wildcard common/dist/*.in common/dist/systemd/*.in))
CONFIG = $(DESTDIR)$(SYSCONFDIR)/flowgate/flowgate.json

$(B)/dist/%: common/dist/%.in $(B)/.paths
	@mkdir -p $(@D)
	$(Q)sed $(foreach v,VERSION PREFIX BINDIR SBINDIR LIBDIR INCLUDEDIR SYSCONFDIR DOCDIR,-e 's|@$(v)@|$($(v))|g') $< >$@.$$$$ && mv $@.$$$$ $@

install: all $(MADE) ## install below PREFIX (/usr/local), under DESTDIR
	$(Q)$(call each_installed,install -D -m $$mode "$$file" "$$to" || exit 1)
	$(Q)[ -e $(CONFIG) ] || install -D -m 644 $(B)/dist/flowgate.json $(CONFIG)
	@[ -n "$(DESTDIR)" ] || printf '%s\n' 'Installed. As a service:' \
		'  systemd-sysusers && systemctl daemon-reload && systemctl enable --now flowgated'

uninstall: $(MADE) ## remove it again, but for a configuration that was changed
	$(Q)$(call each_installed,rm -f "$$to")
	$(Q)! cmp -s $(CONFIG) $(B)/dist/flowgate.json || rm $(CONFIG)
	$(Q)find $(addprefix $(DESTDIR),$(DOCDIR) $(DATADIR)/flowgate $(LIBDIR)/flowgate $(INCLUDEDIR)/flowgate $(SYSCONFDIR)/flowgate) \
		-depth -type d -empty -delete 2>/dev/null || true

# ------------------------------------------------------------------ packages

NAME := flowgate-$(VERSION)

# Of a checkout what git knows, of an unpacked tarball all of it.
dist: $(B)/$(NAME).tar.gz ## a tarball of the sources

$(B)/$(NAME).tar.gz: FORCE
	@mkdir -p $(@D)
	$(Q){ [ -e .git ] && git ls-files -co --exclude-standard 2>/dev/null || find . -name 'build*' -prune -o -type f -print; } | \
		while read -r f; do [ ! -e "$$f" ] || printf '%s\n' "$$f"; done | LC_ALL=C sort | \
		tar -c -T - --transform 's|^\(\./\)\{0,1\}|$(NAME)/|' --owner=0 --group=0 --numeric-owner \
			--mode=go-w,a+rX | gzip -9n >$@
	@echo $@

# Built in a directory of its own: what is here may have been built otherwise.
deb: $(B)/$(NAME).tar.gz ## Debian packages, into the build directory
	$(Q)tmp=$$(mktemp -d) && trap 'rm -rf $$tmp' EXIT && \
	tar -x -f $< -C $$tmp && cd $$tmp/$(NAME) && mv common/dist/debian . && \
	sed -i 's/@VERSION@/$(VERSION)/' debian/changelog && \
	{ env -u MAKEFLAGS -u MAKELEVEL -u B dpkg-buildpackage -b -us -uc >$(abspath $(B))/deb.log 2>&1 || \
		{ tail -n 40 $(abspath $(B))/deb.log; exit 1; }; } && \
	mv ../*.deb ../*.changes ../*.buildinfo $(abspath $(B))/
	@ls $(B)/*.deb

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 20

clean: ## remove what was built
	$(Q)rm -rf build build-*

.PHONY: all everything help clean deps deps-lint deps-test unit tools check demo fuzz fuzz-run lint soak valgrind coverage coverage-run install uninstall dist deb FORCE
.SECONDARY:

-include $(shell find $(B) -name '*.d' -type f 2>/dev/null)
