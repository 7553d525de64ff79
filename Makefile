# SPDX-License-Identifier: Apache-2.0
# make · make run · make test · make bench · make bench-scale · make install · make dist

VERSION := 0.1.0
APXS ?= $(firstword $(shell command -v apxs apxs2 2>/dev/null) apxs)
PKGS := openssl libcurl jansson hiredis libidn2
# Without it, the page of a second factor shows its key as text alone.
ifneq ($(shell pkg-config --exists libqrencode 2>/dev/null && echo here),)
PKGS += libqrencode
QR_FLAGS := -DNA_QRENCODE
endif
# Passkeys need libfido2; a build without it refuses their provider.
FIDO := $(shell pkg-config --exists libfido2 libcbor 2>/dev/null && echo libfido2 libcbor)
PKGS += $(FIDO)
BUILD ?= build
PREFIX ?= /usr/local

ifneq ($(shell command -v $(APXS) 2>/dev/null),)
HTTPD_FLAGS := -I$(shell $(APXS) -q INCLUDEDIR) $(shell $(APXS) -q EXTRA_CPPFLAGS)
APR_CONFIG := $(shell $(APXS) -q APR_CONFIG)
APU_CONFIG := $(shell $(APXS) -q APU_CONFIG)
APR_FLAGS := $(shell $(APR_CONFIG) --includes --cppflags) $(shell $(APU_CONFIG) --includes)
APR_LIBS := $(shell $(APR_CONFIG) --link-ld) $(shell $(APU_CONFIG) --link-ld)
endif

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 \
  -Wimplicit-function-declaration -Wvla -Wwrite-strings -Wno-unused-parameter
# Compilers to come warn of more: only the tests, of the one compiler they know, stop at that.
test fuzz: export WERROR := -Werror
HARDENING := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fcf-protection
CFLAGS ?= -O2 -g
SANITIZE ?=
ALL_CFLAGS = -std=gnu11 $(CFLAGS) -fPIC -fvisibility=hidden $(WARNINGS) $(WERROR) \
  $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer,$(HARDENING)) \
  $(QR_FLAGS) -DNA_VERSION='"$(VERSION)"' -DNA_LANGUAGES_DIR='"$(PREFIX)/share/mod_nextauth/languages"' \
  -DNA_MODULES_DIR='"$(shell $(APXS) -q LIBEXECDIR)"' -Isrc -I$(BUILD)/gen $(HTTPD_FLAGS) $(APR_FLAGS) \
  $(shell pkg-config --cflags $(PKGS))
LIBS = $(APR_LIBS) $(shell pkg-config --libs $(PKGS)) -lunistring -lcrypt
LINK_HARDENING := -Wl,-z,relro,-z,now,-z,noexecstack $(if $(SANITIZE),-fsanitize=$(SANITIZE))

LIB_SOURCES := $(wildcard src/base/*.c src/jose/*.c src/store/*.c src/db/*.c src/sql/*.c \
  src/mail/*.c src/password/*.c src/twofactor/*.c src/provider/*.c src/oauth/*.c src/session/*.c src/event/*.c \
  src/audit/*.c src/metrics/*.c src/health/*.c src/auth/*.c src/endpoint/*.c src/page/*.c) \
  $(if $(FIDO),$(filter-out src/webauthn/absent.c,$(wildcard src/webauthn/*.c)),src/webauthn/absent.c)
HTTPD_SOURCES := mod_nextauth.c $(wildcard src/httpd/*.c src/httpd/*/*.c)
CTL_SOURCES := $(wildcard src/ctl/*.c)
UNIT_SOURCES := $(filter-out t/unit/tap.c,$(wildcard t/unit/*.c))

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
LIB := $(BUILD)/libnextauth.a

# MongoDB is a shared object of its own, so that only those who use it need its client library.
ifneq ($(shell pkg-config --exists libmongoc-1.0 2>/dev/null && echo here),)
MONGODB := $(BUILD)/mod_nextauth_mongodb.so
MONGODB_FLAGS := $(shell pkg-config --cflags libmongoc-1.0)
MONGODB_LIBS := $(shell pkg-config --libs libmongoc-1.0)
MONGODB_SOURCES := $(wildcard src/mongodb/*.c)
else
MONGODB := without-mongodb
endif

all: $(BUILD)/mod_nextauth.so $(BUILD)/nextauthctl $(MONGODB)

without-mongodb:
	@echo '  libmongoc-1.0 is not here (libmongoc-dev): this build does without MongoDB'

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC $<"
	@$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The catalogue of providers as a C string literal.
$(BUILD)/gen/providers_json.h: conf/providers.json
	@mkdir -p $(@D)
	@sed 's/\\/\\\\/g; s/"/\\"/g; s/^ */"/; s/$$/"/' $< >$@

$(BUILD)/obj/src/provider/catalogue.o: $(BUILD)/gen/providers_json.h

# The script of passkeys as a C string literal.
$(BUILD)/gen/passkey_js.h: src/page/passkey.js
	@mkdir -p $(@D)
	@sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/"&\\n"/' $< >$@

$(BUILD)/obj/src/page/passkey.o: $(BUILD)/gen/passkey_js.h

# The list of common passwords as string literals, in the order that a binary search needs.
$(BUILD)/gen/common_passwords.h: conf/common-passwords.txt
	@mkdir -p $(@D)
	@sed '/^#/d; /^$$/d' $< | LC_ALL=C sort -u | sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/"&",/' >$@

$(BUILD)/obj/src/password/rules.o: $(BUILD)/gen/common_passwords.h

$(LIB): $(call objects,$(LIB_SOURCES))
	@rm -f $@ && ar rcs $@ $^

$(BUILD)/mod_nextauth.so: $(call objects,$(HTTPD_SOURCES)) $(LIB)
	@echo "  LD $@"
	@$(CC) -shared -o $@ $^ $(LINK_HARDENING) $(LIBS)

$(BUILD)/nextauthctl: $(call objects,$(CTL_SOURCES)) $(LIB)
	@echo "  LD $@"
	@$(CC) -o $@ $^ $(LINK_HARDENING) $(LIBS)

$(call objects,$(MONGODB_SOURCES) t/fuzz/documents.c): ALL_CFLAGS += $(MONGODB_FLAGS)
$(BUILD)/mod_nextauth_mongodb.so: $(call objects,$(MONGODB_SOURCES)) $(LIB)
	@echo "  LD $@"
	@$(CC) -shared -o $@ $^ $(LINK_HARDENING) -Wl,--as-needed $(LIBS) $(MONGODB_LIBS)

# t/unit/NAME.c is a TAP program of its own.
$(BUILD)/unit/%: $(BUILD)/obj/t/unit/%.o $(BUILD)/obj/t/unit/tap.o $(LIB)
	@mkdir -p $(@D)
	@$(CC) -o $@ $^ $(LINK_HARDENING) $(LIBS)

UNITS := $(patsubst t/unit/%.c,$(BUILD)/unit/%,$(UNIT_SOURCES))
unit: $(UNITS) $(if $(MONGODB_SOURCES),$(BUILD)/unit/mod_nextauth_mongodb.so)

# Programs look for it in their own directory.
$(BUILD)/unit/mod_nextauth_mongodb.so: | $(BUILD)/mod_nextauth_mongodb.so
	@mkdir -p $(@D)
	@ln -sf ../mod_nextauth_mongodb.so $@

# ── using it ──────────────────────────────────────────────────────────────────────────────────

BUILD_PACKAGES := gcc libc6-dev make pkg-config apache2 apache2-dev apache2-utils libssl-dev \
  libcurl4-openssl-dev libjansson-dev libhiredis-dev libidn2-dev libunistring-dev libqrencode-dev \
  libfido2-dev libcbor-dev
TEST_PACKAGES := perl chromium fonts-dejavu-core clang libclang-rt-14-dev clang-format git redis-server redis-tools \
  redis-sentinel memcached postgresql mariadb-server sqlite3 libaprutil1-dbd-sqlite3 \
  libaprutil1-dbd-pgsql libaprutil1-dbd-mysql prometheus logrotate slapd ldap-utils gdb libmongoc-dev oathtool \
  subversion libapache2-mod-svn cadaver curl default-jre-headless maven
BENCH_PACKAGES := wrk valgrind libapache2-mod-auth-openidc
SCALE_PACKAGES := postgresql redis-server redis-tools apache2-utils

# What httpd and its tools are is known only once they are installed: hence the second make.
need-%:
	@.ci/need $(BUILD_PACKAGES) $($*_PACKAGES)

PORT ?= 8080
HTTPD = $(shell $(APXS) -q SBINDIR)/$(shell $(APXS) -q PROGNAME)
run: need-BUILD
	@$(MAKE) --no-print-directory serve
serve: all
	@conf/demo/run $(HTTPD) $(shell $(APXS) -q LIBEXECDIR) $(abspath $(BUILD)) $(PORT)

MODULES_DIR = $(DESTDIR)$(shell $(APXS) -q LIBEXECDIR)
CONF_DIR = $(DESTDIR)$(shell $(APXS) -q SYSCONFDIR)
DEBIAN_CONF = $(wildcard $(shell $(APXS) -q SYSCONFDIR)/mods-available)
INSTALL_CONF = $(if $(DEBIAN_CONF),$(CONF_DIR)/mods-available,$(CONF_DIR)/conf.modules.d)

SHARE_DIR = $(DESTDIR)$(PREFIX)/share/mod_nextauth
# What a module with a session store of its own includes.
STORE_HEADERS = $(DESTDIR)$(shell $(APXS) -q INCLUDEDIR)/nextauth
install: all
	install -d $(MODULES_DIR) $(INSTALL_CONF) $(DESTDIR)$(PREFIX)/bin \
	  $(DESTDIR)$(shell $(APXS) -q INCLUDEDIR) $(SHARE_DIR)
	install -m 644 $(BUILD)/mod_nextauth.so $(MODULES_DIR)
	$(if $(MONGODB_SOURCES),install -m 644 $(MONGODB) $(MODULES_DIR))
	sed 's|/usr/lib/apache2/modules|$(shell $(APXS) -q LIBEXECDIR)|' conf/nextauth.load \
	  >$(INSTALL_CONF)/nextauth.load
	test -e $(INSTALL_CONF)/nextauth.conf || install -m 644 conf/nextauth.conf $(INSTALL_CONF)
	install -m 755 $(BUILD)/nextauthctl $(DESTDIR)$(PREFIX)/bin
	install -m 644 src/mod_nextauth.h $(DESTDIR)$(shell $(APXS) -q INCLUDEDIR)
	install -D -m 644 -t $(STORE_HEADERS)/base src/base/breaker.h src/base/crypto.h \
	  src/base/error.h src/base/text.h
	install -D -m 644 -t $(STORE_HEADERS)/store src/store/store.h
	install -D -m 644 -t $(STORE_HEADERS)/httpd src/httpd/store_provider.h
	install -m 644 conf/grafana-dashboard.json conf/prometheus-alerts.yml conf/logrotate $(SHARE_DIR)
	install -m 644 conf/page-template.html $(SHARE_DIR)
	install -D -m 644 -t $(SHARE_DIR)/languages conf/languages/*.json

dist:
	git archive --prefix=mod_nextauth-$(VERSION)/ -o $(BUILD)/mod_nextauth-$(VERSION).tar.gz HEAD

# ── testing it ────────────────────────────────────────────────────────────────────────────────

SOURCES = mod_nextauth.c $(wildcard src/*.h src/*/*.[ch] src/httpd/*/*.[ch] t/unit/*.[ch] t/fuzz/*.[ch] t/modules/*.c)
format:
	@clang-format -i $(SOURCES)
# Versions of clang-format differ in their taste; the sources follow Debian 12's.
check-format:
	@if clang-format --version | grep -q 'version 14\.'; then \
	  clang-format --dry-run -Werror $(SOURCES) && echo 'ok: formatted'; \
	else echo 'skipped: clang-format 14 is not here'; fi

# Includes go one way, and only src/httpd knows the server.
check-layers:
	@t/lib/check-layers

ASAN := $(BUILD)/asan
ASAN_FLAGS := BUILD=$(ASAN) SANITIZE=address,undefined CFLAGS='-O1 -g -fno-sanitize-recover=undefined'

test: need-BUILD need-TEST
	@for server in ferretdb hydra keycloak; do \
	  timeout 900 .ci/need-$$server $(abspath $(BUILD))/$$server & done; wait
	@$(MAKE) --no-print-directory -j"$$(nproc)" test-all PATH="$$(.ci/need-node $(abspath $(BUILD))/node):$$PATH"

test-all: all unit
	@$(MAKE) --no-print-directory $(ASAN_FLAGS) all unit
	cd t && npm ci --silent --no-audit --no-fund
	BUILD=$(BUILD) ASAN=$(ASAN) t/lib/test-all

bench: need-BUILD need-BENCH
	@$(MAKE) --no-print-directory bench-all PATH="$$(.ci/need-node $(abspath $(BUILD))/node):$$PATH"
bench-all: all
	t/bench/bench

# The growth of times and memory with the number of users, sessions, and events.
bench-scale: need-BUILD need-SCALE
	@$(MAKE) --no-print-directory bench-scale-all PATH="$$(.ci/need-node $(abspath $(BUILD))/node):$$PATH"
bench-scale-all: all
	test -d t/node_modules || (cd t && npm ci --silent --no-audit --no-fund)
	t/bench/scale

# Seconds for each fuzzer.
FUZZ_SECONDS ?= 60
FUZZ := $(BUILD)/fuzz
FUZZERS := $(filter-out $(if $(MONGODB_SOURCES),,documents),$(patsubst t/fuzz/%.c,%,$(wildcard t/fuzz/*.c)))
FUZZ_FLAGS := BUILD=$(FUZZ) CC=clang CFLAGS='-O1 -g -fno-sanitize-recover=undefined'
fuzz:
	@$(MAKE) --no-print-directory $(FUZZ_FLAGS) SANITIZE=fuzzer-no-link,address,undefined fuzz-all

fuzz-all: $(FUZZERS:%=fuzz-%)

$(BUILD)/documents: $(call objects,$(MONGODB_SOURCES))
$(FUZZERS:%=$(BUILD)/%): $(BUILD)/%: $(BUILD)/obj/t/fuzz/%.o $(LIB)
	@clang -fsanitize=fuzzer,address,undefined -o $@ $(filter %.o,$^) $(LIB) $(LIBS) $(MONGODB_LIBS)

$(FUZZERS:%=fuzz-%): fuzz-%: $(BUILD)/%
	@mkdir -p $(BUILD)/corpus/$*
	@$< -max_total_time=$(FUZZ_SECONDS) -max_len=8192 -timeout=10 \
	  $(BUILD)/corpus/$* t/fuzz/seeds/$* >$<.log 2>&1 && echo "ok $*: $$(tail -1 $<.log)" || \
	  { echo "not ok $*: see $<.log"; exit 1; }

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

.PHONY: all without-mongodb unit run serve install dist format check-format check-layers test test-all bench \
  bench-all bench-scale bench-scale-all fuzz fuzz-all $(FUZZERS:%=fuzz-%) clean
.SECONDARY:
