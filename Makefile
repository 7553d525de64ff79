# SPDX-License-Identifier: Apache-2.0
# make · make run · make test · make bench · make install · make dist

VERSION := 0.1.0
APXS ?= $(firstword $(shell command -v apxs apxs2 2>/dev/null) apxs)
PKGS := openssl libcurl jansson
BUILD ?= build

ifneq ($(shell command -v $(APXS) 2>/dev/null),)
HTTPD_FLAGS := -I$(shell $(APXS) -q INCLUDEDIR) $(shell $(APXS) -q EXTRA_CPPFLAGS)
APR_CONFIG := $(shell $(APXS) -q APR_CONFIG)
APU_CONFIG := $(shell $(APXS) -q APU_CONFIG)
APR_FLAGS := $(shell $(APR_CONFIG) --includes --cppflags) $(shell $(APU_CONFIG) --includes)
APR_LIBS := $(shell $(APR_CONFIG) --link-ld) $(shell $(APU_CONFIG) --link-ld)
endif

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 \
  -Wimplicit-function-declaration -Wvla -Wwrite-strings -Wno-unused-parameter -Werror
HARDENING := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fcf-protection
CFLAGS ?= -O2 -g
SANITIZE ?=
ALL_CFLAGS = -std=gnu11 $(CFLAGS) -fPIC -fvisibility=hidden $(WARNINGS) \
  $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer,$(HARDENING)) \
  -DNA_VERSION='"$(VERSION)"' -Isrc -I$(BUILD)/gen $(HTTPD_FLAGS) $(APR_FLAGS) \
  $(shell pkg-config --cflags $(PKGS))
LIBS = $(APR_LIBS) $(shell pkg-config --libs $(PKGS)) -lcrypt
LINK_HARDENING := -Wl,-z,relro,-z,now,-z,noexecstack $(if $(SANITIZE),-fsanitize=$(SANITIZE))

LIB_SOURCES := $(wildcard src/base/*.c src/jose/*.c src/store/*.c src/provider/*.c src/oauth/*.c \
  src/session/*.c src/auth/*.c src/page/*.c)
HTTPD_SOURCES := mod_nextauth.c $(wildcard src/httpd/*.c)
CTL_SOURCES := $(wildcard src/ctl/*.c)
UNIT_SOURCES := $(filter-out t/unit/tap.c,$(wildcard t/unit/*.c))

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
LIB := $(BUILD)/libnextauth.a

all: $(BUILD)/mod_nextauth.so $(BUILD)/nextauthctl

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The catalogue of providers as a C string literal.
$(BUILD)/gen/providers_json.h: conf/providers.json
	@mkdir -p $(@D)
	sed 's/\\/\\\\/g; s/"/\\"/g; s/^ */"/; s/$$/"/' $< >$@

$(BUILD)/obj/src/provider/catalogue.o: $(BUILD)/gen/providers_json.h

$(LIB): $(call objects,$(LIB_SOURCES))
	rm -f $@ && ar rcs $@ $^

$(BUILD)/mod_nextauth.so: $(call objects,$(HTTPD_SOURCES)) $(LIB)
	$(CC) -shared -o $@ $^ $(LINK_HARDENING) $(LIBS)

$(BUILD)/nextauthctl: $(call objects,$(CTL_SOURCES)) $(LIB)
	$(CC) -o $@ $^ $(LINK_HARDENING) $(LIBS)

# t/unit/NAME.c is a TAP program of its own.
$(BUILD)/unit/%: $(BUILD)/obj/t/unit/%.o $(BUILD)/obj/t/unit/tap.o $(LIB)
	@mkdir -p $(@D)
	$(CC) -o $@ $^ $(LINK_HARDENING) $(LIBS)

unit: $(patsubst t/unit/%.c,$(BUILD)/unit/%,$(UNIT_SOURCES))

PORT ?= 8080
HTTPD = $(shell $(APXS) -q SBINDIR)/$(shell $(APXS) -q PROGNAME)
run: all
	conf/demo/run $(HTTPD) $(shell $(APXS) -q LIBEXECDIR) $(abspath $(BUILD)) $(PORT)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

.PHONY: all unit run
.SECONDARY:
